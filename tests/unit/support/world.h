/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A small machine with two domains, for everything that works on frames and tables:
 *
 *	chunk 0		the hypervisor's: page_alloc() takes from it
 *	chunk 1		the foreign domain 2's, forbidden memory
 *	chunk 2, 3	domain 1's: pfn 0..511 is chunk 3, pfn 512..1023 is chunk 2
 *
 * There is one vCPU, with a page and optionally a linear map; frame table and mfn->pfn array end
 * where the machine ends, and what lies behind is forbidden.
 */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

#include "cpu.h"
#include "domain.h"
#include "paging.h"

#define WORLD_FRAMES   (4 * CHUNK_PAGES)
#define WORLD_PAGES    (2 * CHUNK_PAGES) /* of domain 1 */
#define FOREIGN_MFN    (CHUNK_PAGES + 5)
#define HYPERVISOR_MFN 3

#define LINEAR_BASE    0xffff888000000000ull
#define LINEAR_SLOT    273

/* Where world_map_linear() puts tables, as pfns. */
enum { LINEAR_L4 = 1023, LINEAR_L3 = 1022, LINEAR_L2 = 1021, LINEAR_L1 = 1019 /* and 1020 */ };
#define VCPU_PAGE_PFN 1018

/* Leaf and table entries, as guests write them. */
#define RW    (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define RO    (PTE_P | PTE_U | PTE_A)
#define TABLE (PTE_P | PTE_W | PTE_U | PTE_A)

extern struct domain *domain;  /* 1 */
extern struct domain *foreign; /* 2 */
extern struct vcpu *vcpu;      /* domain 1's */

/** world_create - as above, without a linear map, without root */
void world_create(void);

/**
 * world_map_linear - maps all of domain 1 at LINEAR_BASE and loads that root
 * The root is pinned and loaded; its tables are read-only in the map.
 */
void world_map_linear(void);

/**
 * world_create_emulated - a new world with that map, and what the emulator looks at
 * It has a census, and a processor with XSAVE and some bits of CR4.
 */
void world_create_emulated(void);

/**
 * world_leave_falling - pins @pfn as a table of @level and gives it up, which stops half-way
 * It is the domain's orphan then, and all long work stops, until preempt_at is 0.
 */
void world_leave_falling(pfn_t pfn, int level);

mfn_t mfn_of(pfn_t pfn); /* of domain 1 */
u64 *page_of(pfn_t pfn);
struct frame *frame_of(pfn_t pfn);
u64 entry_of(pfn_t pfn, u64 bits);

/* The linear map's entry for @pfn. */
u64 *linear_entry_of(pfn_t pfn);

/* Sets entry @index of the not yet validated page @table. */
void plain(pfn_t table, unsigned int index, u64 entry);

/* audit.c */

/**
 * audit - counts all references anew and compares them with the frame table
 * Return: NULL when the rules at the head of mm/paging.c hold, or what is wrong.
 *
 * Everything that holds references is known: tables, pins, roots, vCPU page, batch area.
 */
const char *audit(void);

/* A picture of all that an operation could change: domain memory, frame table, vCPU. */
struct picture;
struct picture *picture_take(void);
/** picture_differs - NULL when nothing has changed since, or what has */
const char *picture_differs(const struct picture *picture);
void picture_restore(const struct picture *picture);
void picture_free(struct picture *picture);

#endif
