/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file note.h The ELF note of a guest kernel, for its assembler. The linker script keeps section
 * .note.torc in a PT_NOTE segment.
 */
#ifndef TORC_NOTE_H
#define TORC_NOTE_H

#ifdef __ASSEMBLER__

#include <torc/abi.h>

/* \entry: where vCPU 0 starts; the rest as in struct torc_note. */
.macro TORC_NOTE entry:req, virt_offset:req, linear_base:req, required=0, known=0
	.pushsection .note.torc, "a", @note
	.balign	4
	.long	5, 48, TORC_NOTE_TYPE
	.asciz	TORC_NOTE_NAME
	.balign	4
	.long	48
	.short	TORC_ABI_MAJOR, TORC_ABI_MINOR
	.quad	\entry, \virt_offset, \linear_base, \required, \known
	.popsection
.endm

#endif
#endif
