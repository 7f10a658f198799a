# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# Torc: 64-bit virtual machines in ring 1. `make help` lists what can be made.
#
# This file and its fragments in mk/ only tie the parts together; each part (hypervisor, guest-shim,
# tools/torc-run, ...) has a Makefile of its own, which takes the output directory as O.

BUILD := $(CURDIR)/build
TORC_RUN := $(BUILD)/torc-run

.DEFAULT_GOAL := help

# Parts are built on all processors unless the user chose with -j; V=1 shows their commands.
part = +@$(MAKE) --no-print-directory $(if $(V),,-s) \
	$(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) -C

include mk/parts.mk
include mk/linux.mk
include mk/run.mk
include mk/check.mk

setup: ## install the Debian packages that are missing (every other target does it first)
	@scripts/setup.sh mk/packages

clean: ## remove build/ (what is kept in the cache, make cache-clean removes)
	rm -rf $(BUILD)

cache-clean: ## remove the cache of sources and kernel builds
	rm -rf "$${TORC_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/torc}"

help: ## this list
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F '|' '{ printf "%-16s %s\n", $$1, $$2 }'

.PHONY: setup clean cache-clean help
