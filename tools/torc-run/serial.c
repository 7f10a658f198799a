/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serial.h"
#include "util.h"

static void set_nonblocking(int descriptor)
{
	if (fcntl(descriptor, F_SETFL, O_NONBLOCK))
		die(STATUS_EMULATOR, "serial line: %s", strerror(errno));
}

void serial_pair(struct serial *serial)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC))
		die(STATUS_EMULATOR, "serial line: %s", strerror(errno));
	set_nonblocking(ends[0]);
	*serial = (struct serial){ .own = ends[0], .other = ends[1] };
}

void serial_pipe(struct serial *serial)
{
	int ends[2];

	if (pipe(ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC))
		die(STATUS_EMULATOR, "serial line: %s", strerror(errno));
	set_nonblocking(ends[0]);
	*serial = (struct serial){ .own = ends[0], .other = ends[1] };
}

unsigned int serial_listen(struct serial *serial)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) ||
	    listen(descriptor, 1) || getsockname(descriptor, (struct sockaddr *)&address, &length))
		die(STATUS_EMULATOR, "serial line on the loopback network: %s", strerror(errno));
	*serial = (struct serial){ .own = descriptor, .other = -1, .listening = true };
	return ntohs(address.sin_port);
}

void serial_started(struct serial *serial)
{
	if (serial->other >= 0)
		close(serial->other);
	serial->other = -1;
}

void serial_accept(struct serial *serial)
{
	int connection = accept4(serial->own, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int on = 1;

	if (connection < 0)
		return;
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(serial->own);
	serial->own = connection;
	serial->listening = false;
}

static bool is_temporary(int error)
{
	return error == EAGAIN || error == EINTR;
}

static void hang_up(struct serial *serial)
{
	close(serial->own);
	serial->own = -1;
}

size_t serial_read(struct serial *serial, char *buffer, size_t size)
{
	ssize_t got = read(serial->own, buffer, size);

	if (got > 0)
		return (size_t)got;
	if (got == 0 || !is_temporary(errno))
		hang_up(serial);
	return 0;
}

size_t serial_write(struct serial *serial, const char *bytes, size_t size)
{
	ssize_t put = write(serial->own, bytes, size);

	if (put >= 0)
		return (size_t)put;
	if (!is_temporary(errno))
		hang_up(serial);
	return 0;
}
