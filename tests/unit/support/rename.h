/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's own string and format functions get names of their own, so that everything else
 * in a test, the other hypervisor sources too, calls those of the C library, which the address
 * sanitizer watches.
 */
#ifndef UNIT_RENAME_H
#define UNIT_RENAME_H

#define memcpy hv_memcpy
#define memmove hv_memmove
#define memset hv_memset
#define memcmp hv_memcmp
#define strlen hv_strlen
#define strnlen hv_strnlen
#define strcmp hv_strcmp
#define strchr hv_strchr
#define vsnprintf hv_vsnprintf
#define snprintf hv_snprintf

#endif
