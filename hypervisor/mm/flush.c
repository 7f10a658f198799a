/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What other CPUs may have cached of a domain's tables.
 *
 * Without PCIDs each way into a guest loads CR3 and so empties the CPU's TLB and its caches of
 * tables: a CPU has forgotten an old entry as soon as it has been in the hypervisor once. So a
 * flush makes every CPU that is in the guest come here, and waits until it has.
 *
 * A CPU counts its passes: the count is odd from before it loads the guest's root until it is
 * back under the hypervisor's. Whoever changes an entry writes it first, with a full barrier, and
 * reads the count then. If that is even, the CPU has yet to make it odd, with a full barrier too,
 * and to load CR3 behind it, so it will walk the tables as they are now. If it is odd, an
 * interrupt is sent, which a guest cannot hold back, and any other count shows that the CPU has
 * been here. Nobody waits for a lock meanwhile that the other CPU could hold: it counts before it
 * takes any.
 */
#include "apic.h"
#include "cpu.h"
#include "observe.h"
#include "paging.h"

struct visit {
	const struct cpu *cpu;
	u32 pass;
};

void flush_vcpus(struct domain *domain, u64 vcpus)
{
	struct visit visit[VCPU_MAX];
	unsigned int visits = 0, i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < domain->vcpu_count; i++) {
		const struct cpu *cpu = READ_ONCE(domain->vcpu[i]->cpu);

		if (!(vcpus >> i & 1) || !cpu || cpu == this_cpu())
			continue;
		visit[visits].cpu = cpu;
		visit[visits].pass = __atomic_load_n(&cpu->passes, __ATOMIC_ACQUIRE);
		if (visit[visits].pass & 1) {
			apic_send_ipi(cpu->apic_id, VECTOR_IPI);
			visits++;
		}
	}
	count(domain, TORC_COUNTER_FLUSH, 1);
	count(domain, TORC_COUNTER_FLUSHED_CPU, visits);
	trace(domain->vcpu[0], TORC_TRACE_FLUSH, visits, 0);
	while (visits--)
		while (__atomic_load_n(&visit[visits].cpu->passes, __ATOMIC_ACQUIRE) ==
		       visit[visits].pass)
			cpu_relax();
}

void flush_tables(struct domain *domain)
{
	if (domain->vcpu_count > 1)
		flush_vcpus(domain, ~0ull);
	domain->unflushed = false;
}
