/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* A processor that needs no measures. */
#include "mitigation.h"

u32 mitigations;
