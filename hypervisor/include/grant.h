/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Grants, and the ring pages among them: see core/grant.c and core/ring.c. */
#ifndef TORC_HV_GRANT_H
#define TORC_HV_GRANT_H

#include <torc/grant.h>
#include "domain.h"

/** domains_lock_pair - takes the locks of both, which may be one; never holds one waiting */
void domains_lock_pair(struct domain *a, struct domain *b);
void domains_drop_pair(struct domain *a, struct domain *b);

/**
 * grant_look_up - the page that grant @number of @owner lets domain @user have
 * @access: one of TORC_GRANT_*
 * Return: 0; TORC_ENOENT for no such grant, TORC_EPERM when it is not granted so.
 * Holding the owner's lock.
 */
int grant_look_up(const struct domain *owner, u64 number, u16 user, u64 access, pfn_t *pfn);

/* ring.c */

/**
 * struct ring_slot - a page of the ring window
 * @owner: whose page it is, referenced; NULL when the slot is free or the page was taken back
 * @grant: number of the grant
 * @pfn: of the page; RING_TAKEN_BACK when it was
 */
struct ring_slot {
	struct domain *owner;
	u32 grant;
	u32 pfn;
};
#define RING_TAKEN_BACK (~0u)

/** rings_revoke - takes back @owner's ring pages, all or those whose grant is no more */
void rings_revoke(struct domain *owner, bool all);

/**
 * rings_close - @domain has ended: it sees no ring page any more, and nobody sees its own
 * Holding no lock.
 */
void rings_close(struct domain *domain);

#endif
