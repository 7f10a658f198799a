/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Serial lines between an emulator and this program.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct serial - one line
 * @own: this side's descriptor, non-blocking; -1 once the line is closed
 * @other: the emulator's descriptor, inherited by it; -1 when it connects by itself
 * @listening: @own waits for the emulator to connect; then it becomes the connection
 */
struct serial {
	int own;
	int other;
	bool listening;
};

/**
 * serial_pair() - two-way line over a descriptor that the emulator inherits
 */
void serial_pair(struct serial *serial);

/**
 * serial_pipe() - one-way line, from the emulator to here, over an inherited descriptor
 */
void serial_pipe(struct serial *serial);

/**
 * serial_listen() - two-way line that the emulator opens as a TCP connection on this host
 * Return: the port.
 */
unsigned int serial_listen(struct serial *serial);

/**
 * serial_started() - close what only the emulator needs; to be called once it runs
 */
void serial_started(struct serial *serial);

/**
 * serial_accept() - to be called when a listening line is readable
 */
void serial_accept(struct serial *serial);

/**
 * serial_read() - read what has come
 * Return: bytes, 0 when nothing is there now; closes the line at its end.
 */
size_t serial_read(struct serial *serial, char *buffer, size_t size);

/**
 * serial_write() - write what fits now
 * Return: bytes taken.
 */
size_t serial_write(struct serial *serial, const char *bytes, size_t size);

#endif
