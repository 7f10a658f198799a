/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file elfnote.h
 * The note by which a guest kernel says that it is one, and what it needs.
 *
 * An ELF64 kernel carries a note of name TORC_NOTE_NAME and type TORC_NOTE_TYPE whose descriptor is
 * struct torc_note. Loadable segments are placed at their physical addresses, which are
 * guest-physical ones.
 */
#ifndef TORC_ELFNOTE_H
#define TORC_ELFNOTE_H

#include <torc/base.h>

#define TORC_NOTE_NAME "Torc"
#define TORC_NOTE_TYPE 1

#ifndef __ASSEMBLER__

/**
 * struct torc_note - descriptor of the note
 * @size: bytes of this structure that the guest was built with
 * @abi_major: @abi_minor: the version that the guest was built against; a 0.x hypervisor runs
 *	guests of its own major and minor number only
 * @entry: address at which vCPU 0 starts
 * @virt_offset: the image is mapped at guest-physical address + this
 * @linear_base: the linear map starts here; 2 MiB aligned, outside the hypervisor's slots
 * @features_required: refuse to start the guest unless all are offered
 * @features_known: optional features the guest can make use of
 */
struct torc_note {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint64_t entry;
	uint64_t virt_offset;
	uint64_t linear_base;
	uint64_t features_required;
	uint64_t features_known;
};
TORC_SIZE(torc_note, 48);

#endif
#endif
