# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# What the shell scripts share. To be sourced.
# shellcheck shell=bash disable=SC2034

torc_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
torc_cache=${TORC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/torc}

say() { # say MESSAGE...: one line of progress, marked with the script's name
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

seconds() { # seconds SINCE: whole seconds since the time in $EPOCHSECONDS
	echo $((EPOCHSECONDS - $1))
}

# Prints a name for some words and the contents of files, the same in every clone.
content_key() { # content_key WORD... -- PATH...; paths lie in the repository
	local words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	(
		printf '%s\n' "${words[@]}"
		cd "$torc_top" || exit
		find "${@#"$torc_top"/}" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
	) | sha256sum | cut -c1-20
}
