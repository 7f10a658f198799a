/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file batch.h
 * Batched page-table updates on the guest's own tables.
 *
 * A vCPU registers up to TORC_BATCH_PAGES pages (batch_register); together they are its batch area,
 * an array of operations. The hypercall batch(first, count) runs operations first..first+count-1
 * in order. Each operation gets its own status; a failed one changes nothing and does not stop the
 * ones behind it. (FILL alone ends at the first entry that is refused: `done` entries before it are
 * set.) The call returns how many operations failed, or TORC_EAGAIN when it stopped
 * to let something else run: operations that are done have TORC_BATCH_DONE in their flags, a range
 * operation has moved its `done` on, and calling again with the same arguments continues.
 *
 * Entries. A present entry names a machine frame of this domain (pfn->mfn through the window). Bits
 * 52..55 belong to the hypervisor: a guest writes them as zero and reads entries only through the
 * shim's accessors, which fold in a D or W that the hypervisor has moved aside (while it logs
 * writes) and drop the rest; compare-exchange compares with the folded entry. The global and cache
 * bits must be zero, and the page-size bit too (superpages come with TORC_FEATURE_SUPERPAGES): RAM
 * is write-back only. A non-present entry must not name memory that the machine has, or it is
 * refused: leave the address bits (TORC_PTE_FRAME) zero, or store a number N in them as the
 * complement of N << TORC_PAGE_SHIFT; all other bits but bit 0 are the guest's. layout.h says where
 * else a machine frame number may stand.
 *
 * Table frames. A frame used as a table is never mapped writable. It becomes a table when it is
 * pinned or when an entry of a table one level up names it, and stops being one with the last such
 * use. The hypervisor itself takes the write permission out of the frame's entry in the domain's
 * linear map (elfnote.h) at that moment and puts it back afterwards; any other writable mapping
 * must be gone, or the operation ends with TORC_EBUSY. Before that moment a table is ordinary
 * memory.
 */
#ifndef TORC_BATCH_H
#define TORC_BATCH_H

#include <torc/base.h>

#define TORC_BATCH_PAGES 8
#define TORC_BATCH_OPS_PER_PAGE 128
#define TORC_BATCH_MAX_OPS (TORC_BATCH_PAGES * TORC_BATCH_OPS_PER_PAGE)

/* Operations. `entry` is the guest-physical address of a table entry, 8-byte aligned. */
#define TORC_OP_NOP 0
#define TORC_OP_SET 1 /* *entry = value */
#define TORC_OP_SET_KEEP 2 /* *entry = value, keeping A and D if the frame is the same */
#define TORC_OP_EXCHANGE 3 /* old <- *entry; *entry = value */
#define TORC_OP_COMPARE_EXCHANGE 4 /* set if *entry == old, else old <- *entry, EAGAIN */
#define TORC_OP_CLEAR 5 /* `count` entries = 0; old entries to the area at `old` if SAVE_OLD */
#define TORC_OP_CLEAR_BITS 6 /* clear bits `value` (W, A, D only) in `count` present entries */
#define TORC_OP_FILL 7 /* `count` entries from the array in the batch area at byte `old` */
#define TORC_OP_PIN 8 /* `entry`: page address of a table; `value`: its level, 1..4 */
#define TORC_OP_UNPIN 9 /* `entry`: page address of a pinned table */
#define TORC_OP_NEW_ROOT 10 /* `entry`: page address of a level-4 table; `value`: below */
#define TORC_OP_FLUSH_PAGE 11 /* `value`: address; `old`: set of vCPUs, bit n = vCPU n, 0 = self */
#define TORC_OP_FLUSH_RANGE 12 /* `count` pages from address `value` */
#define TORC_OP_FLUSH_ALL 13
#define TORC_OP_COUNT 14

/* Flags of an operation. */
#define TORC_BATCH_SAVE_OLD 0x01 /* CLEAR: store the old entries in the batch area at byte `old` */
#define TORC_BATCH_DONE 0x80 /* set by the hypervisor: finished, `status` is valid */

/* NEW_ROOT value: bits 0..11 address-space id (0: none), bit 63: keep its translations. */
#define TORC_ROOT_ASID_MASK 0xfff
#define TORC_ROOT_NO_FLUSH TORC_U64(0x8000000000000000)

/* Bits of an entry, as the processor defines them (Intel SDM 3A 4.5). */
#define TORC_PTE_PRESENT TORC_U64(0x1)
#define TORC_PTE_WRITE TORC_U64(0x2)
#define TORC_PTE_USER TORC_U64(0x4)
#define TORC_PTE_ACCESSED TORC_U64(0x20)
#define TORC_PTE_DIRTY TORC_U64(0x40)
#define TORC_PTE_HYPERVISOR TORC_U64(0x00f0000000000000)
#define TORC_PTE_DIRTY_ASIDE TORC_U64(0x0010000000000000) /* the entry counts as dirty */
#define TORC_PTE_WRITE_ASIDE TORC_U64(0x0020000000000000) /* the guest made the entry writable */
#define TORC_PTE_NX TORC_U64(0x8000000000000000)
#define TORC_PTE_FRAME TORC_U64(0x000ffffffffff000)

#ifndef __ASSEMBLER__

/**
 * struct torc_batch_op - one operation
 * @op: TORC_OP_*; guest
 * @flags: TORC_BATCH_*; guest, and DONE by the hypervisor
 * @count: entries of a range, 1..512, all in one table (pages for FLUSH_RANGE); guest
 * @done: entries of the range already processed; guest writes 0, hypervisor moves it on
 * @status: TORC_OK or TORC_E*, valid with DONE; hypervisor
 * @entry: guest-physical address of a table entry or page (pfn << 12 | offset); guest
 * @value: new entry, or as the operation says; guest
 * @old: expected entry, byte offset in the batch area, or set of vCPUs; guest, and the old entry
 *	by the hypervisor (EXCHANGE, COMPARE_EXCHANGE)
 *
 * Operations stand in an array, so this size never changes: new ones get a number.
 */
struct torc_batch_op {
	uint8_t op;
	uint8_t flags;
	uint16_t count;
	uint16_t done;
	int16_t status;
	uint64_t entry;
	uint64_t value;
	uint64_t old;
};
TORC_SIZE(torc_batch_op, 32);
TORC_OFFSET(torc_batch_op, op, 0);
TORC_OFFSET(torc_batch_op, flags, 1);
TORC_OFFSET(torc_batch_op, count, 2);
TORC_OFFSET(torc_batch_op, done, 4);
TORC_OFFSET(torc_batch_op, status, 6);
TORC_OFFSET(torc_batch_op, entry, 8);
TORC_OFFSET(torc_batch_op, value, 16);
TORC_OFFSET(torc_batch_op, old, 24);

#endif
#endif
