#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: make-initramfs.sh OUTPUT.cpio.gz INIT [PATH...]
#
# Packs an initial file system: busybox with its usual links, the script INIT as /init, and each
# PATH on top: a directory's contents go to the root, a file goes to /bin. The result depends on
# the contents only, so it can be cached by them.
set -eu

[ $# -ge 2 ] || { echo "usage: $0 OUTPUT.cpio.gz INIT [PATH...]" >&2; exit 2; }
output=$(realpath -m "$1")
init=$2
shift 2
busybox=$(command -v busybox) || { echo "$0: busybox is missing (busybox-static)" >&2; exit 2; }
for path in "$init" "$@"; do
	[ -e "$path" ] || { echo "$0: $path: no such file" >&2; exit 2; }
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/proc" "$root/sys" "$root/tmp" "$root/root" \
	"$(dirname "$output")"
cp "$busybox" "$root/bin/busybox"
"$busybox" --list | while read -r applet; do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
ln -s bin "$root/sbin"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
for path in "$@"; do
	if [ -d "$path" ]; then
		cp -a "$path/." "$root/"
	else
		cp "$path" "$root/bin/"
	fi
done
cp "$(dirname "$0")/prepare" "$root/prepare"
cp "$init" "$root/init"
chmod 755 "$root/init"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
	gzip -n -6 >"$output.new"
mv "$output.new" "$output"
