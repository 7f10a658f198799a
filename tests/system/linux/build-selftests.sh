#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: build-selftests.sh LINUX-SOURCE OUTPUT-DIRECTORY
#
# Builds the kernel's own tools/testing/selftests/x86 into OUTPUT-DIRECTORY/root, a tree to be
# unpacked over an initial file system: the programs in selftests/ (64-bit ones end in _64, 32-bit
# ones in _32) and the libraries they are linked with. They stay dynamic, as their authors build
# them: a static program cannot look the vDSO up with dlopen() and silently skips what it would
# test there.
#
# Left out: entry_from_vm86_32, which needs a vm86() call that 64-bit kernels do not have.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 LINUX-SOURCE OUTPUT-DIRECTORY" >&2; exit 2; }
[ -d "$1/tools/testing/selftests/x86" ] || { echo "$0: no selftests in $1" >&2; exit 2; }
source=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
mkdir -p "$out/build" "$out/root/selftests"

make -s -C "$source" O="$out/headers" ARCH=x86 headers_install
# MAKELEVEL: a top-level run of this Makefile would install headers into the source tree.
make -s -C "$source/tools/testing/selftests/x86" OUTPUT="$out/build" CC='gcc -s -w' MAKELEVEL=1 \
	KHDR_INCLUDES="-isystem $out/headers/usr/include" all_64 all_32
cp "$out"/build/*_32 "$out"/build/*_64 "$out/root/selftests/"
rm "$out/root/selftests/entry_from_vm86_32"

# ldd says "not a dynamic executable" and fails for the few that are static by design.
for program in "$out"/root/selftests/*; do
	ldd "$program" 2>/dev/null || continue
done | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u | while read -r library; do
	mkdir -p "$out/root$(dirname "$library")"
	cp -L "$library" "$out/root$library"
done
echo "selftests: $(ls "$out/root/selftests" | wc -l) programs in $out/root/selftests"
