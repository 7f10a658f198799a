#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: linux-source.sh [--update]
#
# Prints the directory of Debian's Linux 6.1 source, unpacked and unpatched, in the cache; fetches
# and unpacks it first when it is not there. With --update it asks apt for a newer 6.1.y even when
# one is there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

package=linux-source-6.1
packages=$torc_cache/packages
sources=$torc_cache/sources
mkdir -p "$packages" "$sources"

newest() { # the newest package file in the cache, if any
	find "$packages" -maxdepth 1 -name "${package}_*.deb" | sort -V | tail -n 1
}

# apt with package lists of its own, for a machine whose lists lack the package.
private_apt() {
	local state=$torc_cache/apt
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	cat >"$state/debian.sources" <<-EOF
		Types: deb
		URIs: http://deb.debian.org/debian
		Suites: bookworm bookworm-updates
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

		Types: deb
		URIs: http://deb.debian.org/debian-security
		Suites: bookworm-security
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	EOF
	apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$state/debian.sources" \
		-o Dir::Etc::SourceParts=- -o Dir::State::Lists="$state/lists" \
		-o Dir::Cache="$state" "$@"
}

download() { # into the current directory
	apt-get -qq -o APT::Sandbox::User=root download "$package" 2>/dev/null && return
	say "apt's lists lack $package; reading the archive's own into $torc_cache/apt"
	private_apt update
	private_apt download "$package"
}

temporary=$(mktemp -d "$torc_cache/temporary.XXXXXX")
trap 'rm -rf "$temporary"' EXIT

# Both work in a temporary directory, so that a run cut short leaves nothing half done.
fetch() {
	say "fetching $package (139 MB) into $packages"
	(cd "$temporary" && download)
	mv "$temporary"/*.deb "$packages/"
}

unpack() { # unpack PACKAGE-FILE DIRECTORY
	say "unpacking $(basename "$1")"
	dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$package.tar.xz" |
		xz -dc -T0 | tar -x -C "$temporary"
	mv "$temporary/$package" "$2"
}

exec 9>"$sources/.lock"
flock 9
if [ -z "$(newest)" ] || [ "${1-}" = --update ]; then
	fetch
fi
file=$(newest)
directory=$sources/$(basename "$file" _all.deb)
[ -d "$directory" ] || unpack "$file" "$directory"
echo "$directory"
