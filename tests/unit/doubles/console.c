/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "console.h"
#include "doubles.h"

struct domain *console_focused;

bool console_forget(struct domain *domain)
{
	return console_focused == domain;
}

void console_focus(struct domain *domain)
{
	console_focused = domain;
}

void console_admit(struct domain *domain __unused)
{
}
