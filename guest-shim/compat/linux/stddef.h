/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file stddef.h
 * Stands in for <stddef.h> inside Linux, whose own headers define the same names.
 */
#ifndef TORC_COMPAT_STDDEF_H
#define TORC_COMPAT_STDDEF_H

#include <linux/types.h>
#include <linux/stddef.h>

#endif
