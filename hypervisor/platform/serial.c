/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Serial ports: 16550 UARTs at the two places where PCs have always had them.
 */
#include "apic.h"
#include "cpu.h"
#include "serial.h"

/* Registers, as offsets from the port's base. */
enum {
	UART_DATA = 0,		/* divisor, low, while LCR_DLAB is set */
	UART_IER = 1,		/* divisor, high */
	UART_FCR = 2,
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_SCRATCH = 7
};

#define IER_RECEIVED	0x01
#define FCR_SETUP	0x07	/* FIFOs on and emptied, interrupt at the first byte */
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define MCR_DTR_RTS	0x03
#define MCR_OUT2	0x08	/* lets the interrupt out, on a PC */
#define LSR_RECEIVED	0x01
#define LSR_ROOM	0x20	/* transmit FIFO empty */
#define LSR_IDLE	0x40	/* and the last bit has left */

#define DIVISOR_115200	1
#define FIFO_BYTES	16
#define COM1_IRQ	4
#define PATIENCE	2000000	/* polls; a FIFO is empty after 1.4 ms */

struct uart {
	u16 base;
	bool present;
	bool stuck;	/* took nothing for too long; what is sent to it meanwhile is lost */
	bool mid_line;
};

static struct uart uarts[SERIAL_PORTS] = {
	[SERIAL_COM1] = { .base = 0x3f8 },
	[SERIAL_COM2] = { .base = 0x2f8 },
};

bool serial_init(enum serial_port port)
{
	struct uart *uart = &uarts[port];

	/* Nothing reads as ff; a 16550 remembers a byte. */
	outb(uart->base + UART_SCRATCH, 0x5a);
	uart->present = inb(uart->base + UART_SCRATCH) == 0x5a;
	if (!uart->present)
		return false;
	outb(uart->base + UART_IER, 0);
	outb(uart->base + UART_LCR, LCR_DLAB);
	outb(uart->base + UART_DATA, DIVISOR_115200);
	outb(uart->base + UART_IER, DIVISOR_115200 >> 8);
	outb(uart->base + UART_LCR, LCR_8N1);
	outb(uart->base + UART_FCR, FCR_SETUP);
	outb(uart->base + UART_MCR, MCR_DTR_RTS);
	return true;
}

static bool wait_for(struct uart *uart, u8 status)
{
	unsigned int patience = uart->stuck ? 1 : PATIENCE;

	while (patience-- > 0) {
		if (inb(uart->base + UART_LSR) & status) {
			uart->stuck = false;
			return true;
		}
		cpu_relax();
	}
	uart->stuck = true;
	return false;
}

void serial_write(enum serial_port port, const char *data, size_t bytes)
{
	struct uart *uart = &uarts[port];
	size_t burst;

	if (!uart->present || bytes == 0)
		return;
	uart->mid_line = data[bytes - 1] != '\n';
	while (bytes > 0) {
		if (!wait_for(uart, LSR_ROOM))
			return;
		burst = MIN(bytes, (size_t)FIFO_BYTES);
		bytes -= burst;
		while (burst-- > 0)
			outb(uart->base + UART_DATA, (u8)*data++);
	}
}

void serial_drain(void)
{
	for (unsigned int port = 0; port < SERIAL_PORTS; port++) {
		if (uarts[port].present)
			wait_for(&uarts[port], LSR_IDLE);
	}
}

bool serial_at_line_start(enum serial_port port)
{
	return !uarts[port].mid_line;
}

int serial_getc(void)
{
	const struct uart *uart = &uarts[SERIAL_COM1];
	u8 status = uart->present ? inb(uart->base + UART_LSR) : 0;

	if (!(status & LSR_RECEIVED) || status == 0xff) /* all ones: it is there no more */
		return -1;
	return inb(uart->base + UART_DATA);
}

bool serial_irq_enable(void)
{
	const struct uart *uart = &uarts[SERIAL_COM1];

	if (!uart->present || !ioapic_route_isa(COM1_IRQ, VECTOR_SERIAL))
		return false;
	outb(uart->base + UART_MCR, MCR_DTR_RTS | MCR_OUT2);
	outb(uart->base + UART_IER, IER_RECEIVED);
	return true;
}
