/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's own address space. PML4 slots 256..271 belong to the hypervisor under every
 * root; slot 272 upward is the guest's, except under the hypervisor's own root, where the direct
 * map of physical memory stands.
 *
 *	GATE_BASE	gate code (shared, read-only), then the vCPU's own gate frames
 *	IMAGE_BASE	this program: linked at IMAGE_BASE + its load address
 *	DIRECT_BASE	all of physical memory, never executable
 *
 * Gate and image are closer than 2 GiB, so that the gate reaches C by plain 32-bit jumps.
 */
#ifndef HV_LAYOUT_H
#define HV_LAYOUT_H

#include "types.h"

#ifdef __ASSEMBLER__
#define LAYOUT_ADDRESS(x) x
#else
#define LAYOUT_ADDRESS(x) x##UL
#endif

#define HV_SLOT		256	/* PML4 slot of gate and image */
#define DIRECT_SLOT	272	/* first PML4 slot of the direct map */

#define GATE_BASE	LAYOUT_ADDRESS(0xffff800000000000)
#ifndef DIRECT_BASE		/* unit tests on a host give their own two */
#define IMAGE_BASE	LAYOUT_ADDRESS(0xffff800040000000)
#define DIRECT_BASE	LAYOUT_ADDRESS(0xffff880000000000)
#endif

#define IMAGE_LOAD_ADDRESS 0x100000
#define GATE_TEXT_PAGES	2	/* at GATE_BASE */
#define GATE_HYPERCALL_OFFSET 0x2000	/* one page, the only one a guest kernel calls */

#ifndef __ASSEMBLER__

/**
 * phys_to_virt() - where the direct map shows a physical address
 * @paddr: RAM, firmware tables or anything below 4 GiB; nothing else is mapped
 */
static inline void *phys_to_virt(paddr_t paddr)
{
	return (void *)(paddr + DIRECT_BASE);
}

/**
 * virt_to_phys() - inverse of phys_to_virt(), for direct-map pointers only
 */
static inline paddr_t virt_to_phys(const void *pointer)
{
	return (paddr_t)pointer - DIRECT_BASE;
}

static inline void *mfn_to_virt(mfn_t mfn)
{
	return phys_to_virt(mfn_to_paddr(mfn));
}

static inline mfn_t virt_to_mfn(const void *pointer)
{
	return paddr_to_mfn(virt_to_phys(pointer));
}

/**
 * image_to_phys() - physical address of an object or function of the image itself
 *
 * Not for gate code, whose link address is in the gate region: see __gate_text_phys.
 */
static inline paddr_t image_to_phys(const void *symbol)
{
	return (paddr_t)symbol - IMAGE_BASE;
}

/*
 * Symbols of the linker script. The *_phys ones are absolute: their "address" is the number, which
 * no relative relocation reaches, so they are read through the constants below.
 */
extern const paddr_t gate_text_phys;	/* frames of the gate's code, GATE_TEXT_PAGES of them */
extern const paddr_t gate_hypercall_phys; /* frame of the hypercall page */

#endif /* !__ASSEMBLER__ */
#endif
