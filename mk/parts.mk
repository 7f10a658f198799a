# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# The parts that this repository builds from its own sources.

all: hypervisor tools guests ## everything but Linux

hypervisor: | setup ## build/hypervisor/torc.elf and torc32.elf
	$(part) hypervisor O=$(BUILD)/hypervisor

tools: | setup ## build/torc-run
	$(part) tools/torc-run O=$(BUILD)

shim: | setup ## build/guest-shim/libtorc.a, the library for guest kernels
	$(part) guest-shim O=$(BUILD)

guests: shim ## the small guest kernels: examples and conformance tests
	$(part) examples/hello O=$(BUILD)
	$(part) examples/manager O=$(BUILD)
	$(part) tests/conformance O=$(BUILD)
	$(part) tests/fuzz-guest O=$(BUILD)

debug-hypervisor: | setup ## build/debug/torc32.elf, a hypervisor that audits itself
	$(part) tests/debug O=$(BUILD)/debug

unit: | setup ## the unit tests
	$(part) tests/unit O=$(BUILD)/tests/unit

fuzzers: | setup ## the fuzzers of the host, and the inputs that are kept for them
	$(part) tests/fuzz O=$(BUILD)/tests/fuzz

.PHONY: all debug-hypervisor fuzzers hypervisor tools shim guests unit
