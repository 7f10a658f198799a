/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file abi.h
 * All of the Torc ABI.
 */
#ifndef TORC_ABI_H
#define TORC_ABI_H

#include <torc/base.h>
#include <torc/layout.h>
#include <torc/vcpu.h>
#include <torc/batch.h>
#include <torc/events.h>
#include <torc/grant.h>
#include <torc/manage.h>
#include <torc/observe.h>
#include <torc/time.h>
#include <torc/start.h>
#include <torc/elfnote.h>
#include <torc/state.h>
#include <torc/control.h>
#include <torc/hypercalls.h>
#include <torc/instructions.h>

#endif
