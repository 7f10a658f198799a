# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Machines for a person at the terminal.

run: run-guest ## build everything and boot run-guest

guest_keys := mem=512M,kernel=$(LINUX)/guest.elf,initrd=$(INITRAMFS),cmdline=console=hvc0

run-guest: hypervisor tools $(INITRAMFS) ## a Linux guest with a shell here (Ctrl-A x ends it)
	@$(TORC_RUN) --domain name=linux,$(guest_keys) || \
		[ $$? -eq 130 ]

run-hello: hypervisor tools guests ## the smallest guest
	@$(TORC_RUN) --domain name=hello,kernel=$(BUILD)/guests/hello.elf

.PHONY: run run-guest run-hello
