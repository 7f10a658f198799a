/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "frame.h"

struct frame *frame_table;
mfn_t frame_count;
u64 *m2p_table;
