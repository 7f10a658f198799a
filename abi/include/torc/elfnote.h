/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file elfnote.h
 * The note by which a guest kernel says that it is one, and what it needs.
 *
 * An ELF64 kernel carries a note of name TORC_NOTE_NAME and type TORC_NOTE_TYPE whose descriptor is
 * struct torc_note. Loadable segments are placed at their physical addresses, which are
 * guest-physical ones; memory behind the part that is in the file is zero.
 */
#ifndef TORC_ELFNOTE_H
#define TORC_ELFNOTE_H

#include <torc/base.h>

#define TORC_NOTE_NAME "Torc"
#define TORC_NOTE_TYPE 1

#ifndef __ASSEMBLER__

/**
 * struct torc_note - descriptor of the note
 * @size: of this structure as the guest was built with, bytes
 * @abi_major: @abi_minor: the version that the guest was built against; a 0.x hypervisor runs
 *	guests of its own major and minor number only
 * @entry: address at which vCPU 0 starts
 * @virt_offset: the image is mapped at guest-physical address + this, bytes; 4 KiB aligned
 * @linear_base: address at which the linear map starts; 2 MiB aligned, outside the hypervisor's
 *	slots
 * @features_required: TORC_FEATURE_*; refuse to start the guest unless all are offered
 * @features_known: TORC_FEATURE_*; optional features the guest can make use of
 *
 * Written by the guest's builder; nobody changes it.
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
TORC_OFFSET(torc_note, size, 0);
TORC_OFFSET(torc_note, abi_major, 4);
TORC_OFFSET(torc_note, abi_minor, 6);
TORC_OFFSET(torc_note, entry, 8);
TORC_OFFSET(torc_note, virt_offset, 16);
TORC_OFFSET(torc_note, linear_base, 24);
TORC_OFFSET(torc_note, features_required, 32);
TORC_OFFSET(torc_note, features_known, 40);

#endif
#endif
