/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "domain.h"

struct domain *domain_build(const struct domain_source *source __unused)
{
	return NULL;
}
