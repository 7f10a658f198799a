/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Handlers of hypercalls, as made from abi/hypercalls.tbl. */
#ifndef TORC_HYPERCALL_H
#define TORC_HYPERCALL_H

#include "domain.h"

#include "hypercall_table.h"

#endif
