/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Reading a guest's memory at a guest virtual address, for instruction bytes and stack dumps only.
 * The tables are walked by hand through the direct map and every frame is checked to be
 * the domain's, so nothing here can fault and nothing foreign can be read.
 */
#include "cpu.h"
#include "lib.h"
#include "paging.h"

static const u8 *translate(struct vcpu *vcpu, u64 address)
{
	u16 owner = vcpu->domain->id;
	u64 *slot, entry;

	if (!is_canonical(address) || (address >= TORC_HOLE_START && address < TORC_HOLE_END))
		return NULL;
	slot = table_walk(owner, vcpu->root, address);
	entry = slot ? READ_ONCE(*slot) : 0;
	if (!(entry & PTE_P) || !frame_owned_by(entry_mfn(entry), owner))
		return NULL;
	return (u8 *)mfn_to_virt(entry_mfn(entry)) + (address & (PAGE_SIZE - 1));
}

size_t guest_read(struct vcpu *vcpu, gva_t address, void *buffer, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		u64 at = address.value + done;
		size_t part = MIN(bytes - done, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		const u8 *from = translate(vcpu, at);

		if (!from)
			break;
		memcpy((u8 *)buffer + done, from, part);
		done += part;
	}
	return done;
}
