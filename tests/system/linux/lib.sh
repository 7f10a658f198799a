# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# What the system tests with Linux share. To be sourced after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

linux=$build/linux
linux_tests=$(dirname "${BASH_SOURCE[0]}")

# Makes FILE: an initial file system that runs PROGRAM (a word for torc.run=), with kernel modules.
initramfs() { # initramfs FILE INIT [PATH...]
	local file=$1 init=$2
	shift 2
	"$linux_tests/make-initramfs.sh" "$file" "$linux_tests/$init" "$linux/modules" "$@" ||
		fail "no initial file system"
}

# Boots the build on the bare emulated machine; output as torc() leaves it. Without SMAP: with it,
# QEMU 7.2 faults on a far return in ring 3 as if the kernel had touched the program's stack.
native() { # native INITRAMFS WORDS [QEMU-OPTION...]
	local file=$1 words=$2
	shift 2
	echo "+ native $words"
	timeout "${limit:-60}" qemu-system-x86_64 -machine pc -accel tcg -cpu max,-smap -m 512 \
		-nodefaults -display none -no-reboot -serial stdio \
		-kernel "$linux/bzImage" -initrd "$file" \
		-append "console=ttyS0 $words" "$@" </dev/null 2>log | tr -d '\r' >out
	status=${PIPESTATUS[0]}
	sed 's/^/  out: /' out
	sed 's/^/  log: /' log
}

# Compiles a C file of this directory for the guest.
program() { # program NAME [OPTION...]
	local name=$1
	shift
	gcc -static -O1 -Wall -Wextra -Werror -pthread -o "$name" "$linux_tests/$name.c" "$@" ||
		fail "$name does not compile"
}

# Makes DIRECTORY: a program of this machine with the libraries that it loads.
with_libraries() { # with_libraries DIRECTORY PROGRAM
	local file
	mkdir -p "$1/bin"
	cp "$(command -v "$2")" "$1/bin/" || fail "no $2"
	ldd "$1/bin/$2" | grep -oE '/[^ ]+' | while read -r file; do
		install -D "$file" "$1$file"
	done
}

# A kernel that has nothing to complain of, and a domain without a trapped instruction.
expect_quiet() {
	expect_not out 'BUG|WARNING|Oops|panic|stall|lockup|blocked for more|Firmware Bug'
	expect_not log 'census'
}

# The value of --domain for a Linux guest.
linux_domain() { # linux_domain NAME INITRAMFS WORDS [MORE-KEYS]
	local words=${3//,/,,}
	echo "name=$1,kernel=$linux/guest.elf,initrd=$2${4-,mem=256M},cmdline=console=hvc0 $words"
}
