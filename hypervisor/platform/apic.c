/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * This CPU's local APIC (Intel SDM 3A, chapter 11), in x2APIC mode where there is one, and the
 * 8259 pair that must not disturb it.
 */
#include "apic.h"
#include "cpu.h"
#include "layout.h"
#include "log.h"

/* Registers, as offsets in the xAPIC page; the x2APIC MSR number is offset / 16. */
enum {
	APIC_ID = 0x020,
	APIC_TPR = 0x080,
	APIC_EOI = 0x0b0,
	APIC_SPURIOUS = 0x0f0,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360, /* NMI on every PC (MP specification 1.4, 3.6.2.1) */
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0
};

#define SPURIOUS_ENABLE		0x100
#define ICR_INIT		0x0500
#define ICR_STARTUP		0x0600
#define ICR_PENDING		0x1000
#define ICR_ASSERT		0x4000
#define TIMER_DIVIDE_BY_1	0xb

#define PIC1			0x20
#define PIC2			0xa0

static bool x2apic;
static volatile u32 *apic_page;

static u32 apic_read(u32 reg)
{
	if (x2apic)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return apic_page[reg / 4];
}

static void apic_write(u32 reg, u32 value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		apic_page[reg / 4] = value;
}

void pic_silence(void)
{
	/* ICW1..ICW4: cascaded, edge triggered, 8086 mode; then every input masked. */
	static const u8 steps[][2] = {
		{ PIC1, 0x11 }, { PIC1 + 1, VECTOR_PIC }, { PIC1 + 1, 4 }, { PIC1 + 1, 1 },
		{ PIC2, 0x11 }, { PIC2 + 1, VECTOR_PIC + 8 }, { PIC2 + 1, 2 }, { PIC2 + 1, 1 },
		{ PIC1 + 1, 0xff }, { PIC2 + 1, 0xff },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++)
		outb(steps[i][0], steps[i][1]);
}

void apic_enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_DELIVER_NMI);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
	apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	apic_eoi();	/* firmware may have left one in service */
}

void apic_init(void)
{
	paddr_t page = rdmsr(MSR_APIC_BASE) & PTE_ADDRESS;

	pic_silence();
	x2apic = cpuid(1).ecx & CPUID_X2APIC;
	log("apic: %s mode", x2apic ? "x2APIC" : "xAPIC");
	if (!x2apic && page >= GIB(4))
		panic("apic: at %lx, above 4 GiB", page);
	apic_page = phys_to_virt(page);
	apic_enable();
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

u32 apic_id(void)
{
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

static void send(u32 target, u32 command)
{
	if (x2apic) {
		/* A WRMSR to the ICR is not ordered after earlier stores (SDM 3A 11.12.3). */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)target << 32 | command);
		return;
	}
	while (apic_read(APIC_ICR) & ICR_PENDING)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, target << 24);
	apic_write(APIC_ICR, command);
}

void apic_send_ipi(u32 target, u8 vector)
{
	send(target, vector);
}

void apic_send_nmi(u32 target)
{
	send(target, APIC_DELIVER_NMI | ICR_ASSERT);
}

void apic_send_init(u32 target)
{
	send(target, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(u32 target, paddr_t page)
{
	send(target, ICR_STARTUP | ICR_ASSERT | (u32)(page >> PAGE_SHIFT));
}

void apic_timer_mode(u32 lvt)
{
	apic_write(APIC_LVT_TIMER, lvt | VECTOR_TIMER);
	/* In xAPIC mode the store must be seen before a deadline is written (SDM 3A 11.5.4.1). */
	__asm__ volatile("mfence" ::: "memory");
}

void apic_timer_start(u32 count)
{
	apic_write(APIC_TIMER_INITIAL, count);
}

u32 apic_timer_count(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}
