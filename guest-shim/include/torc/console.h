/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file console.h
 * The console ring: bytes out and in.
 *
 * One writer and one reader on each side; a kernel with several vCPUs puts its own lock around.
 */
#ifndef TORC_CONSOLE_H
#define TORC_CONSOLE_H

#include <torc/call.h>

/**
 * torc_console_write() - puts bytes in the ring and has them shown
 * @ring: the domain's ring, as this kernel maps it
 * @bytes: what to write
 * @count: how many
 *
 * Return: how many were taken; fewer than @count when the console is slow. No event tells that
 * there is room again: try once more.
 */
size_t torc_console_write(volatile struct torc_console_ring *ring, const void *bytes, size_t count);

/**
 * torc_console_read() - takes typed bytes from the ring
 * @ring: the domain's ring, as this kernel maps it
 * @bytes: room for them
 * @count: how many at most
 *
 * Return: how many were read, 0 when there are none; TORC_PORT_CONSOLE fires when one comes.
 */
size_t torc_console_read(volatile struct torc_console_ring *ring, void *bytes, size_t count);

#endif
