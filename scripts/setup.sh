#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: setup.sh PACKAGE-LIST
#
# Installs the Debian packages of the list that are missing, and says so. Quick when none is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

mapfile -t wanted < <(sed 's/[[:space:]]*#.*//; /^$/d' "$1")
command -v dpkg-query >/dev/null ||
	die "this is no Debian system; install what provides these packages: ${wanted[*]}"
# dpkg-query fails when it does not know a package at all, which is an answer too.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null) || :
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" |
	grep -vxF -f <(sed -n 's/^installed //p' <<<"$installed"))
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "not root and no sudo; as root, run: apt-get install ${missing[*]}"
	as_root=(sudo)
fi
say "installing ${#missing[@]} Debian packages with ${as_root[*]:+sudo }apt-get: ${missing[*]}"
"${as_root[@]}" apt-get update -qq || say "apt-get update failed; going on with the lists at hand"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends "${missing[@]}"
say "done"
