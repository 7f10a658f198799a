# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Tests and measurements.

SUITES := tree unit conformance system

check: hypervisor tools guests unit ## all tests; ends with "N passed, N failed"
	@tests/check $(SUITES)

.PHONY: check
