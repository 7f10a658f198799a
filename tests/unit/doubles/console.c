/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "console.h"

void console_forget(struct domain *domain __unused)
{
}
