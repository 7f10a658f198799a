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

# The value of --domain for a Linux guest.
linux_domain() { # linux_domain NAME INITRAMFS WORDS [MORE-KEYS]
	local words=${3//,/,,}
	echo "name=$1,kernel=$linux/guest.elf,initrd=$2${4-,mem=256M},cmdline=console=hvc0 $words"
}
