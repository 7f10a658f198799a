# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Tests and measurements.

SUITES := tree $(if $(wildcard tests/unit/Makefile),unit) conformance system

check: hypervisor tools guests $(filter unit,$(SUITES)) ## all tests; ends with "N passed, N failed"
	@tests/check $(SUITES)

bench-quick: hypervisor tools linux ## what basic operations cost in a guest and on bare hardware
	$(part) tests/bench OUT=$(BUILD)/tests/bench
	@tests/bench/quick

.PHONY: check bench-quick
