/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file shim.h
 * All of the shim, for kernels that do not choose.
 */
#ifndef TORC_SHIM_H
#define TORC_SHIM_H

#include <torc/calls.h>
#include <torc/irq.h>
#include <torc/event.h>
#include <torc/pte.h>
#include <torc/queue.h>
#include <torc/tlb.h>
#include <torc/descriptor.h>
#include <torc/register.h>
#include <torc/clock.h>
#include <torc/console.h>
#include <torc/power.h>

#endif
