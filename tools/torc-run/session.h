/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * One run of a machine, from its start to the verdict.
 */
#ifndef SESSION_H
#define SESSION_H

#include "machine.h"

/**
 * session_run() - start the emulator, carry consoles and log until it ends, judge
 * @skip: see console_open()
 */
enum status session_run(const struct options *options, struct launch *launch, const char *skip);

#endif
