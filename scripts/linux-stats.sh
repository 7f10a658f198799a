#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: linux-stats.sh
#
# Counts what the patch series changes in Linux: lines of new files, lines that go into and out of
# existing ones, and the share of arch/x86 that is modified. Exact: it compares the files before and
# after the whole series.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

series=$torc_top/patches/linux-6.1
source=$("$torc_top/scripts/linux-source.sh")
shopt -s nullglob
patches=("$series"/*.patch)
[ ${#patches[@]} -gt 0 ] || die "no patches in ${series#"$torc_top"/}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$work" init -q
sed -n 's/^--- a\///p' "${patches[@]}" | sort -u | while read -r file; do
	[ ! -f "$source/$file" ] || install -D -m 644 "$source/$file" "$work/$file"
done
git -C "$work" add -A
git -C "$work" -c user.name=torc -c user.email=torc commit -q --allow-empty -m original
for patch in "${patches[@]}"; do
	git -C "$work" apply --index "$patch" || die "$(basename "$patch") does not apply"
done

numstat() { # numstat FILTER [PATH]: "FILES ADDED REMOVED"
	git -C "$work" diff --cached --no-renames --diff-filter="$1" --numstat HEAD -- "${@:2}" |
		awk '{ added += $1; removed += $2 } END { print NR, added + 0, removed + 0 }'
}

read -r new_files new_lines _ < <(numstat A)
read -r old_files added removed < <(numstat MD)
read -r _ x86_added x86_removed < <(numstat MD arch/x86)
x86_lines=$(find "$source/arch/x86" -type f -print0 | xargs -0 cat | wc -l)

echo "existing files, lines added and removed:"
git -C "$work" diff --cached --no-renames --diff-filter=MD --numstat HEAD
echo "$(basename "$source"), ${#patches[@]} patches"
echo "new files: $new_files, with $new_lines lines"
echo "existing files: $old_files, +$added -$removed lines"
awk -v changed=$((x86_added > x86_removed ? x86_added : x86_removed)) -v all="$x86_lines" 'BEGIN {
	printf "arch/x86: %d of %d lines changed, %.3f %%\n", changed, all, 100 * changed / all
}'
