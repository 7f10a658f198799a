# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Tests and measurements.

SUITES := tree unit fuzz conformance mutants system linux

# What each suite needs beside hypervisor, runner and small guests.
NEEDS_unit := unit
NEEDS_fuzz := fuzzers
NEEDS_conformance := debug-hypervisor
NEEDS_system := debug-hypervisor
NEEDS_linux := $(INITRAMFS) debug-hypervisor

NEEDS := $(sort $(foreach s,$(SUITES),$(NEEDS_$(s))))

check: hypervisor tools guests $(NEEDS) ## all tests; ends with "N passed, N failed"
	@tests/check $(SUITES)

soak: hypervisor tools guests debug-hypervisor linux ## hours of load, resumable; RECORD=1 notes it
	@tests/run-soak $(if $(RECORD),--record)

mutants: unit ## disables each check in turn: do unit tests notice? half an hour; can go on
	@tests/run-mutate $(FILES)

bench-quick: hypervisor tools guests linux ## what operations cost in a guest and on bare hardware
	$(part) tests/bench OUT=$(BUILD)/tests/bench
	$(part) tests/bench/abi O=$(BUILD)
	@tests/bench/quick

.PHONY: check soak mutants bench-quick
