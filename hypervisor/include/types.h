/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Words everything else is written in: fixed-width integers, the address types that must not be
 * mixed up, and a few compiler idioms.
 */
#ifndef TORC_TYPES_H
#define TORC_TYPES_H

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1 << PAGE_SHIFT)
#define CHUNK_SHIFT	21	/* guest memory comes in machine-contiguous pieces of this size */
#define CHUNK_SIZE	(1 << CHUNK_SHIFT)
#define CHUNK_PAGES	(1 << (CHUNK_SHIFT - PAGE_SHIFT))

#ifndef __ASSEMBLER__

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 paddr_t;	/* machine physical address, bytes */
typedef u64 mfn_t;	/* machine frame number */
typedef u64 pfn_t;	/* a guest's idea of a frame number */

/* A guest virtual address: a struct, so that it is neither dereferenced nor used by accident. */
typedef struct {
	u64 value;
} gva_t;

#define INVALID_MFN	(~(mfn_t)0)
#define INVALID_PFN	(~(pfn_t)0)
#define INVALID_PADDR	(~(paddr_t)0)

#define CPU_MAX		64	/* of a machine: more are left alone */

#define KIB(n)		((u64)(n) << 10)
#define MIB(n)		((u64)(n) << 20)
#define GIB(n)		((u64)(n) << 30)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a) - 1))
#define ALIGN_UP(x, a)	ALIGN_DOWN((x) + ((typeof(x))(a) - 1), a)
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)

#define MIN(a, b) \
	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define MAX(a, b) \
	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define unlikely(x)	__builtin_expect(!!(x), 0)

/* The C library of a host that runs unit tests may have some of these already. */
#undef __packed
#undef __noreturn
#undef __used
#undef __always_inline
#undef __format_printf
#undef __unused
#define __packed	__attribute__((packed))
#define __noreturn	__attribute__((noreturn))
#define __used		__attribute__((used))
#define __always_inline	inline __attribute__((always_inline))
#define __unused	__attribute__((unused))
#define __format_printf(f, a) __attribute__((format(printf, f, a)))

#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define barrier()	__asm__ volatile("" ::: "memory")

/**
 * index_nospec - @index, or 0 unless it is below @bound, in speculation too
 *
 * For what a guest chose, behind the check that refuses a bad one: its branch may be mispredicted.
 */
static __always_inline u64 index_nospec(u64 index, u64 bound)
{
	u64 mask;

	__asm__("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(index), "rm"(bound) : "cc");
	return index & mask;
}

static inline paddr_t mfn_to_paddr(mfn_t mfn)
{
	return mfn << PAGE_SHIFT;
}

static inline mfn_t paddr_to_mfn(paddr_t paddr)
{
	return paddr >> PAGE_SHIFT;
}

#endif /* !__ASSEMBLER__ */
#endif
