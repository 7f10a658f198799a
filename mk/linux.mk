# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Linux 6.1 as a guest, and its userland.

LINUX := $(BUILD)/linux
INITRAMFS := $(LINUX)/shell.cpio.gz

linux: | setup ## build/linux/guest.elf for Torc and bzImage for bare hardware
	@scripts/linux-build.sh $(LINUX)

linux-update: | setup ## fetch the newest 6.1.y that Debian has; `make linux` then builds it
	@scripts/linux-source.sh --update

linux-stats: | setup ## how much of Linux the patch series touches
	@scripts/linux-stats.sh

initramfs: $(INITRAMFS) ## build/linux/shell.cpio.gz, a busybox userland with the modules

$(LINUX)/key: linux ;

$(INITRAMFS): $(LINUX)/key $(wildcard tests/system/linux/*)
	@tests/system/linux/make-initramfs.sh $@ tests/system/linux/init-shell $(LINUX)/modules

.PHONY: linux linux-update linux-stats initramfs
