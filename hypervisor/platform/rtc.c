/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The CMOS clock (MC146818), read once at boot.
 */
#include "cpu.h"
#include "lib.h"
#include "timer.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_NMI_OFF	0x80

enum {
	RTC_SECONDS = 0x00,
	RTC_MINUTES = 0x02,
	RTC_HOURS = 0x04,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_STATUS_A = 0x0a,
	RTC_STATUS_B = 0x0b
};

#define STATUS_A_UPDATING	0x80
#define STATUS_B_24_HOURS	0x02
#define STATUS_B_BINARY		0x04
#define HOURS_PM		0x80

#define PATIENCE		1000000	/* polls; an update takes 2 ms */

struct moment {
	unsigned int second, minute, hour, day, month, year;
};

static u8 cmos_read(u8 reg)
{
	u8 value;

	outb(CMOS_INDEX, reg | CMOS_NMI_OFF);
	value = inb(CMOS_DATA);
	outb(CMOS_INDEX, 0);
	return value;
}

static unsigned int decode(u8 value, u8 status_b)
{
	return status_b & STATUS_B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static struct moment read_once(void)
{
	u8 status_b = cmos_read(RTC_STATUS_B);
	u8 hour = cmos_read(RTC_HOURS);
	struct moment m;

	m.second = decode(cmos_read(RTC_SECONDS), status_b);
	m.minute = decode(cmos_read(RTC_MINUTES), status_b);
	m.day = decode(cmos_read(RTC_DAY), status_b);
	m.month = decode(cmos_read(RTC_MONTH), status_b);
	m.year = 2000 + decode(cmos_read(RTC_YEAR), status_b);
	m.hour = decode(hour & ~HOURS_PM, status_b);
	if (status_b & STATUS_B_24_HOURS)
		m.hour = decode(hour, status_b);
	else
		m.hour = m.hour % 12 + (hour & HOURS_PM ? 12 : 0);
	return m;
}

/* Days since 1970-01-01, for the years 2000..2099, where every fourth is a leap year. */
static u64 days_since_1970(const struct moment *m)
{
	static const u16 before_month[12] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
	};
	u64 year = m->year - 2000;
	u64 days = 10957 + year * 365 + (year + 3) / 4 + before_month[m->month - 1] + m->day - 1;

	return days + (year % 4 == 0 && m->month > 2);
}

u64 rtc_read_ns(void)
{
	struct moment m, again = read_once();
	unsigned int patience = PATIENCE;

	do {	/* an update in between would show as a difference */
		m = again;
		while ((cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING) && patience > 0)
			patience--;
		again = read_once();
	} while (memcmp(&m, &again, sizeof(m)) != 0 && patience-- > 0);
	if (m.month < 1 || m.month > 12 || m.day < 1 || m.day > 31 || m.hour > 23 ||
	    m.minute > 59 || m.second > 59 || m.year > 2099)
		return 0;
	return (((days_since_1970(&m) * 24 + m.hour) * 60 + m.minute) * 60 + m.second) *
	       1000000000ul;
}
