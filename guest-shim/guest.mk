# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Torc authors
#
# How small guest kernels are compiled and linked. The including makefile sets O (build directory).

GUEST_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
GUEST_LIBS := $(O)/guest-shim/libtorcguest.a $(O)/guest-shim/libtorc.a
# Changes when a library does.
GUEST_DONE := $(O)/guest-shim/done
GUEST_SCRIPT := $(GUEST_DIR)/runtime/guest.ld

GUEST_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -nostdlib -mno-red-zone \
	-mcmodel=kernel -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -MMD -MP \
	-I$(GUEST_DIR)/../abi/include -I$(GUEST_DIR)/include -I$(O)/guest-shim/include \
	-I$(GUEST_DIR)/runtime

GUEST_LDFLAGS := -nostdlib -static -no-pie -Wl,-T,$(GUEST_SCRIPT),--build-id=none,-z,norelro \
	-Wl,-z,max-page-size=4096,--no-warn-rwx-segments -mcmodel=kernel

# Links $^ (objects) to $@.
guest_link = $(CC) $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(GUEST_LIBS) -Wl,--end-group
