/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "domain.h"

struct lock domains_lock;
struct domain *domain_list;
unsigned int domain_count;
