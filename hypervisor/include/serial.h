/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The two serial ports: 115200 baud, 8n1, output polled, input of COM1 by interrupt or polled.
 */
#ifndef TORC_SERIAL_H
#define TORC_SERIAL_H

#include "types.h"

enum serial_port {
	SERIAL_COM1,
	SERIAL_COM2,
	SERIAL_PORTS
};

/**
 * serial_init() - set a port up
 * Return: false if there is no UART; output to it is then dropped.
 */
bool serial_init(enum serial_port port);

/**
 * serial_write() - send bytes as they are, waiting for room
 *
 * A UART that takes nothing for a long time loses bytes instead of hanging the machine.
 */
void serial_write(enum serial_port port, const char *data, size_t bytes);

/**
 * serial_drain() - wait until all ports have sent what they took
 */
void serial_drain(void);

/**
 * serial_at_line_start() - was the last byte sent a newline (or nothing sent yet)?
 */
bool serial_at_line_start(enum serial_port port);

/**
 * serial_getc() - next byte received on COM1
 * Return: 0..255, or -1 if there is none. In the handler of VECTOR_SERIAL read until -1.
 */
int serial_getc(void);

/**
 * serial_irq_enable() - have COM1 raise VECTOR_SERIAL when bytes arrive; needs ioapic_init()
 * Return: false if it cannot be routed; input must then be polled.
 */
bool serial_irq_enable(void);

#endif
