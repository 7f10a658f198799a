/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * The one number that the entry accessors need at run time.
 */
#include <torc/pte.h>

uint64_t torc_machine_frames;
