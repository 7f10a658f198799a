/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/* Made from abi/hypercalls.tbl by abi/generate.awk: edit that table. */
#ifndef TORC_HYPERCALLS_H
#define TORC_HYPERCALLS_H

#define TORC_HC_VERSION 0x00
#define TORC_HC_CONSOLE_NOTIFY 0x01
#define TORC_HC_BLOCK 0x02
#define TORC_HC_YIELD 0x03
#define TORC_HC_SET_TIMER 0x04
#define TORC_HC_SHUTDOWN 0x05
#define TORC_HC_SET_ENTRY 0x06
#define TORC_HC_SET_KERNEL_GS 0x07
#define TORC_HC_VCPU_SET_PAGE 0x08
#define TORC_HC_SET_DESCRIPTOR 0x09
#define TORC_HC_LDT_LOAD 0x0a
#define TORC_HC_SET_DEBUGREG 0x0b
#define TORC_HC_GET_DEBUGREG 0x0c
#define TORC_HC_SET_TASK_SWITCHED 0x0d
#define TORC_HC_SET_XCR0 0x0e
#define TORC_HC_READ_MSR 0x0f
#define TORC_HC_WRITE_MSR 0x10
#define TORC_HC_NMI_RETURN 0x11
#define TORC_HC_NMI_SEND 0x12
#define TORC_HC_CENSUS 0x13
#define TORC_HC_SUSPEND 0x14
#define TORC_HC_BATCH_REGISTER 0x20
#define TORC_HC_BATCH 0x21
#define TORC_HC_MEMORY_TARGET 0x22
#define TORC_HC_EVENT_SEND 0x30
#define TORC_HC_EVENT_BIND 0x31
#define TORC_HC_EVENT_CLOSE 0x32
#define TORC_HC_GRANT_COPY 0x40
#define TORC_HC_GRANT_SET 0x41
#define TORC_HC_GRANT_MAP_RING 0x42
#define TORC_HC_VCPU_UP 0x50
#define TORC_HC_VCPU_DOWN 0x51
#define TORC_HC_VCPU_KICK 0x52
#define TORC_HC_DOMAIN_CREATE 0x60
#define TORC_HC_DOMAIN_CONTROL 0x61
#define TORC_HC_DOMAIN_MEMORY 0x62
#define TORC_HC_DOMAIN_VCPU 0x63
#define TORC_HC_DOMAIN_FIRST_LOOK 0x64
#define TORC_HC_OBSERVE 0x70

/* One more than the highest number. */
#define TORC_HC_COUNT (0x70 + 1)

#endif
