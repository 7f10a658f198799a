/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file grant.h
 * Grants: which of its pages a domain lets another one copy from, copy to, or see in its ring
 * window.
 *
 * The grant table is the domain's own memory: up to TORC_GRANT_PAGES pages that it registers
 * (grant_register), together an array of words. A grant is one word, made and taken back by a plain
 * 8-byte store:
 *
 *	bits  0..2	TORC_GRANT_*
 *	bit   3		0
 *	bits  4..31	pfn of the page
 *	bits 32..63	id of the domain that may use it
 *
 * The hypervisor reads a word once for each use. Who takes a grant back calls grant_settle before
 * the page is used for anything else: when that returns, no copy goes on that has read the old
 * word, and with `rings` set no ring page is shown any more that its word does not grant.
 *
 * Data crosses domains by grant_copy: operations in the batch area (batch.h), of the same size as
 * those of batch(), each with its own status. A ring page, shown in the ring window of the other
 * domain at TORC_WINDOW_RINGS + slot * TORC_PAGE_SIZE, is for ring indexes and requests. When its
 * grant is taken back, or the domain that granted it ends, a page of the hypervisor's stands in its
 * place, which holds nothing and can be written without harm, until the slot is given back.
 *
 * A page can be granted whatever it holds, but while it is a page table nobody can use the grant.
 */
#ifndef TORC_GRANT_H
#define TORC_GRANT_H

#include <torc/base.h>

#define TORC_GRANT_PAGES 32
#define TORC_GRANTS_PER_PAGE 512
#define TORC_RING_SLOTS 256

#define TORC_GRANT_READ TORC_U64(0x1) /* may be copied from */
#define TORC_GRANT_WRITE TORC_U64(0x2) /* may be copied to */
#define TORC_GRANT_RING TORC_U64(0x4) /* may be shown in the ring window, writable */
#define TORC_GRANT_PFN_SHIFT 4
#define TORC_GRANT_PFN_MASK TORC_U64(0xfffffff)
#define TORC_GRANT_DOMAIN_SHIFT 32

#ifndef __ASSEMBLER__

/**
 * struct torc_copy_op - one copy
 * @flags: TORC_BATCH_DONE by the hypervisor: finished, @status is valid; guest writes 0
 * @reserved0: 0
 * @status: TORC_OK or TORC_E*; hypervisor
 * @bytes: 1 .. TORC_PAGE_SIZE; guest
 * @source_offset: @target_offset: bytes in the page; neither side may leave its page; guest
 * @reserved1: 0
 * @source_domain: @target_domain: id of the domain that granted the page, or TORC_DOMAIN_NONE
 *	when the page is the caller's own; guest
 * @source: @target: number of the grant, or pfn of the caller's own page; guest
 * @reserved2: 0
 */
struct torc_copy_op {
	uint8_t flags;
	uint8_t reserved0;
	int16_t status;
	uint16_t bytes;
	uint16_t source_offset;
	uint16_t target_offset;
	uint16_t reserved1;
	uint32_t source_domain;
	uint32_t target_domain;
	uint32_t source;
	uint32_t target;
	uint32_t reserved2;
};
TORC_SIZE(torc_copy_op, 32);
TORC_OFFSET(torc_copy_op, flags, 0);
TORC_OFFSET(torc_copy_op, status, 2);
TORC_OFFSET(torc_copy_op, bytes, 4);
TORC_OFFSET(torc_copy_op, source_offset, 6);
TORC_OFFSET(torc_copy_op, target_offset, 8);
TORC_OFFSET(torc_copy_op, source_domain, 12);
TORC_OFFSET(torc_copy_op, target_domain, 16);
TORC_OFFSET(torc_copy_op, source, 20);
TORC_OFFSET(torc_copy_op, target, 24);

#endif
#endif
