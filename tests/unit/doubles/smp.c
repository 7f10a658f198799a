/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "domain.h"

struct cpu cpus[CPU_MAX];
unsigned int cpu_count = 1;
