# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# What unit tests and fuzzers share: the hypervisor's own sources, compiled for the host with
# sanitizers, and an archive with help for tests (unit/support/) and test doubles (unit/doubles/).
#
#   O          where to build
#   TESTS      this folder
#   CC, CFLAGS, HV_CFLAGS   the last for the hypervisor's sources only

HV := $(TESTS)/../hypervisor
ABI := $(TESTS)/../abi
UNIT := $(TESTS)/unit

# All of mm/ but what has a double.
PAGING := $(filter-out mm/balloon.c mm/frame.c mm/walker.c mm/window.c,\
	$(patsubst $(HV)/%,%,$(wildcard $(HV)/mm/*.c)))

# Everything that a hypercall may lead to, but for the tables; and what makes domains.
CALLS := mm/balloon.c mm/window.c core/control.c core/domain.c core/event.c core/grant.c \
	core/hypercall.c core/manage.c core/observe.c core/policy.c core/port.c core/ring.c \
	core/start.c core/state.c core/vcpu.c
BUILDER := mm/walker.c core/build.c core/census.c core/elf.c core/instruction.c lib/parse.c

SUPPORT := $(patsubst $(UNIT)/%.c,%.o,$(wildcard $(UNIT)/support/*.c $(UNIT)/doubles/*.c))

CPPFLAGS := -include $(UNIT)/support/host.h -I. -I$(UNIT)/support -I$(HV)/include -I$(ABI)/include \
	-I$(O)/include
CFLAGS += -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing \
	-fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Werror
HV_CFLAGS += -ffreestanding

compile = @mkdir -p $(@D) && echo "  CC      $<" && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/support.a: $(SUPPORT:%=$(O)/unit/%) $(O)/real/lib/string.o
	@rm -f $@
	@ar rcs $@ $^

$(O)/unit/%.o: $(UNIT)/%.c Makefile $(TESTS)/host.mk | $(O)/include/hypercall_table.h
	$(compile)

# See unit/support/rename.h.
$(O)/real/lib/string.o $(O)/real/lib/format.o: CPPFLAGS += -include $(UNIT)/support/rename.h

$(O)/real/%.o: $(HV)/%.c Makefile $(TESTS)/host.mk | $(O)/include/hypercall_table.h
	$(compile) $(HV_CFLAGS)

$(O)/include/hypercall_table.h: $(ABI)/hypercalls.tbl $(ABI)/generate.awk
	@mkdir -p $(@D)
	@awk -v mode=dispatch -f $(ABI)/generate.awk $(ABI)/hypercalls.tbl > $@

.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
