/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file base.h
 * What every other header of the Torc ABI stands on: the version, fixed-width types, error
 * numbers, and the macros that let one text serve C99, C11, C++ and the assembler.
 *
 * The ABI is a draft (0.x): a later 0.x may break it, and CHANGES says how. From 1.0 on numbers are
 * never reused and every structure only grows at its end. A structure that stands alone says how
 * large it is (@size: bytes that its writer knows): the reader uses no field beyond that, and
 * ignores what is beyond its own.
 *
 * Each field's comment names its unit and its owner: who writes it. The other side only reads it.
 */
#ifndef TORC_BASE_H
#define TORC_BASE_H

#define TORC_ABI_MAJOR 0
#define TORC_ABI_MINOR 1

#ifdef __ASSEMBLER__
#define TORC_U64(x) x
#else
#include <stddef.h>
#include <stdint.h>
#define TORC_U64(x) x##ULL
#ifdef __cplusplus
#define TORC_ASSERT(cond, name) static_assert(cond, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define TORC_ASSERT(cond, name) _Static_assert(cond, #name)
#else
#define TORC_ASSERT(cond, name) typedef char torc_assert_##name[(cond) ? 1 : -1]
#endif
/** States that @member of @type stands at @offset: the assembler relies on the number. */
#define TORC_OFFSET(type, member, offset) \
	TORC_ASSERT(offsetof(struct type, member) == (offset), type##_##member##_offset)
#define TORC_SIZE(type, size) TORC_ASSERT(sizeof(struct type) == (size), type##_size)
#endif

/*
 * Results. A hypercall returns a value >= 0, or one of these; a batch operation carries one in its
 * status. The numbers are those of POSIX on Linux, so that a port need not translate them.
 */
#define TORC_OK 0
#define TORC_EPERM (-1) /* the caller's domain has not the privilege, or the frame is not its own */
#define TORC_ENOENT (-2) /* there is no such object: port, page, slot, table entry */
#define TORC_EAGAIN (-11) /* not finished or not matched: call again (batch: compare failed) */
#define TORC_ENOMEM (-12) /* the hypervisor's or the domain's memory does not suffice */
#define TORC_EBUSY (-16) /* the frame has references that forbid the change of type */
#define TORC_EINVAL (-22) /* an argument is outside its range, or a reserved bit is set */
#define TORC_ENOSYS (-38) /* no such hypercall or operation in this version */

#define TORC_PAGE_SHIFT 12
#define TORC_PAGE_SIZE 4096

/* Guest memory comes in machine-contiguous chunks of this many bytes, aligned to their size. */
#define TORC_CHUNK_SHIFT 21

/* "No frame" in the pfn->mfn and mfn->pfn arrays, and "no page" in start-of-day fields. */
#define TORC_INVALID_FRAME TORC_U64(0xffffffffffffffff)

#endif
