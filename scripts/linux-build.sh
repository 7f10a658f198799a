#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: linux-build.sh OUTPUT-DIRECTORY
#
# Builds Linux 6.1 with the patch series, the ABI and the guest shim into OUTPUT-DIRECTORY:
#
#	guest.elf	the kernel as a Torc guest
#	bzImage		the same build for bare hardware
#	vmlinux		with symbols, for a debugger
#	modules/	to be put over a root file system
#	config, System.map, key
#
# The results are kept in the cache under a key made of everything that goes in, so that another
# clone with the same inputs copies them. A build that has been done before here is incremental.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: linux-build.sh OUTPUT-DIRECTORY"
mkdir -p "$1"
output=$(realpath "$1")
series=$torc_top/patches/linux-6.1
abi=$torc_top/abi
shim=$torc_top/guest-shim
results=(guest.elf bzImage vmlinux modules config System.map key)

source=$("$torc_top/scripts/linux-source.sh")
key=$(content_key "$(basename "$source")" "$(gcc -dumpfullversion)" -- "$series" \
	"$abi/include" "$abi/hypercalls.tbl" "$abi/generate.awk" \
	"$shim/include" "$shim/src" "$shim/compat" "$torc_top/scripts/linux-build.sh")
kept=$torc_cache/linux/$key

is_built() { # is_built DIRECTORY: does it hold this build's results?
	[ "$(cat "$1/key" 2>/dev/null)" = "$key" ]
}

copy_results() { # copy_results FROM TO; the key last, for it says that the rest is there
	mkdir -p "$2"
	rm -rf "${results[@]/#/$2/}"
	(cd "$1" && cp -a --reflink=auto "${results[@]}" "$2/")
}

apply_series() { # apply_series DIRECTORY
	local patch
	shopt -s nullglob
	for patch in "$series"/*.patch; do
		# Git must not take the tree for a part of a repository around it.
		(cd "$1" && GIT_CEILING_DIRECTORIES=$(dirname "$1") git apply "$patch") ||
			die "$(basename "$patch") does not apply to $(basename "$source");" \
				"the files are named above"
	done
}

copy_shim() { # copy_shim DIRECTORY: ABI and shim where the port's makefile expects them
	local place=$1/arch/x86/torc
	mkdir -p "$place/abi" "$place/shim"
	cp -R "$abi/include" "$place/abi/"
	cp -R "$shim/include" "$shim/src" "$shim/compat" "$place/shim/"
	awk -v mode=prototypes -f "$abi/generate.awk" "$abi/hypercalls.tbl" \
		>"$place/shim/include/torc/calls.h"
}

# Sources are hard links to the cache's, but for the files that the series changes. A file that
# stays as it was in the last build keeps its time, one that goes back to the original gets a new
# one, and so make compiles what has changed and no more.
prepare_tree() {
	local tree=$output/tree new=$output/tree.new file
	rm -rf "$new"
	cp -al "$source" "$new" 2>/dev/null || { rm -rf "$new" && cp -a "$source" "$new"; }
	: >"$output/prepared"
	apply_series "$new"
	copy_shim "$new"
	(cd "$new" && find . -type f -newer "$output/prepared") | sort >"$output/changed.new"
	while read -r file; do
		! cmp -s "$tree/$file" "$new/$file" || touch -r "$tree/$file" "$new/$file"
	done <"$output/changed.new"
	[ ! -f "$output/changed" ] ||
		comm -23 "$output/changed" "$output/changed.new" | while read -r file; do
			[ ! -f "$new/$file" ] ||
				cp --remove-destination "$source/$file" "$new/$file"
		done
	mv "$output/changed.new" "$output/changed"
	rm -rf "$tree"
	mv "$new" "$tree"
}

kernel_make() {
	make -C "$output/tree" O="$output/objects" ARCH=x86 CC="ccache gcc" HOSTCC="ccache gcc" \
		LOCALVERSION= "$@"
}

configure() {
	local missing
	kernel_make -s KCONFIG_ALLCONFIG="$series/config" allnoconfig >"$output/build.log" 2>&1 ||
		{ cat "$output/build.log" >&2; die "the configuration failed"; }
	missing=$(grep '^CONFIG_' "$series/config" |
		grep -vxF -f "$output/objects/.config") || return 0
	die "the kernel's configuration does not take:" "${missing//$'\n'/ }"
}

# Counts what is compiled; a terminal sees it move, a log gets a line now and then.
show_progress() {
	local start=$EPOCHSECONDS count=0 line
	while IFS= read -r line; do
		[[ $line =~ ^\ \ (CC|AS|LD|AR) ]] || continue
		count=$((count + 1))
		if [ -t 2 ]; then
			printf '\rlinux: %d files, %d s ' "$count" "$(seconds "$start")" >&2
		elif [ $((count % 200)) -eq 0 ]; then
			say "$count files, $(seconds "$start") s"
		fi
	done
	[ ! -t 2 ] || echo >&2
	say "built $count files in $(seconds "$start") s"
}

compile() {
	say "compiling; everything it prints is in $output/build.log"
	kernel_make -j"$(nproc)" bzImage vmlinux modules 2>&1 | tee "$output/build.log" |
		show_progress || {
		grep -nE 'error:|Error |undefined reference' "$output/build.log" | head -n 30 >&2
		die "the kernel does not build; see $output/build.log"
	}
}

collect() { # collect DIRECTORY
	local objects=$output/objects
	mkdir -p "$1"
	cp "$objects/arch/x86/boot/bzImage" "$objects/System.map" "$1/"
	cp "$objects/.config" "$1/config"
	objcopy --strip-debug --remove-section='.rela*' "$objects/vmlinux" "$1/vmlinux"
	objcopy --strip-all "$objects/vmlinux" "$1/guest.elf"
	kernel_make -s modules_install INSTALL_MOD_PATH="$1/modules" INSTALL_MOD_STRIP=1 \
		>>"$output/build.log" 2>&1
	rm -f "$1"/modules/lib/modules/*/{build,source}
	echo "$key" >"$1/key"
}

keep() { # into the cache, which holds the last few builds
	local temporary
	mkdir -p "$torc_cache/linux"
	temporary=$(mktemp -d "$torc_cache/linux/.new.XXXXXX")
	collect "$temporary"
	rm -rf "$kept"
	mv "$temporary" "$kept"
	find "$torc_cache/linux" -mindepth 1 -maxdepth 1 -name '[!.]*' -printf '%T@ %p\n' |
		sort -rn | tail -n +7 | cut -d' ' -f2- | xargs -r rm -rf
}

exec 9>"$output/.lock"
flock 9
if is_built "$output"; then
	exit 0
fi
if ! is_built "$kept"; then
	export CCACHE_DIR=$torc_cache/ccache CCACHE_BASEDIR=$output CCACHE_NOHASHDIR=1
	export CCACHE_MAXSIZE=3G
	export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' KBUILD_BUILD_VERSION=1
	export KBUILD_BUILD_USER=torc KBUILD_BUILD_HOST=torc
	prepare_tree
	configure
	compile
	keep
fi
copy_results "$kept" "$output"
say "guest.elf and bzImage are in $output"
