/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file stdint.h
 * Stands in for <stdint.h> inside Linux, whose own headers define the same names.
 */
#ifndef TORC_COMPAT_STDINT_H
#define TORC_COMPAT_STDINT_H

#include <linux/types.h>
#include <linux/stddef.h>

#endif
