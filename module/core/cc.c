// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of congestion controllers: one line each.  Owns no state of a
 * connection.  Called by the glue (TCP_CONGESTION, sysctls) and by tcb.c.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "cc.h"

static const struct xtcp_cc_ops * const registry[] = {
	&xtcp_cc_cubic,
	&xtcp_cc_reno,
	&xtcp_cc_dctcp,
};

const struct xtcp_cc_ops *xtcp_cc_nth(unsigned int i)
{
	return i < ARRAY_SIZE(registry) ? registry[i] : NULL;
}

const struct xtcp_cc_ops *xtcp_cc_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registry); i++)
		if (!strcmp(registry[i]->name, name))
			return registry[i];
	return NULL;
}

void xtcp_cc_stop(struct xtcp_tcb *tcb)
{
	if (tcb->cc_on && tcb->cc->release)
		tcb->cc->release(tcb);
	tcb->cc_on = 0;
	tcb->cc_rate = 0;
}

void xtcp_cc_start(struct xtcp_tcb *tcb, u64 now)
{
	xtcp_cc_stop(tcb);
	if (!tcb->cc)
		return;
	memset(tcb->cc_priv, 0, sizeof(tcb->cc_priv));
	tcb->cwnd_acked = 0;
	tcb->cc_on = 1;
	tcb->cc->init(tcb, now);
}

void xtcp_cc_assign(struct xtcp_tcb *tcb, const struct xtcp_cc_ops *cc, u64 now)
{
	bool live = tcb->cc_on;

	xtcp_cc_stop(tcb);
	tcb->cc = cc;
	if (live)
		xtcp_cc_start(tcb, now);
}

/*
 * RFC 3168 6.1.2: a window of data that was cut for a mark is not cut again for a loss;
 * RFC 8257 3.5: but it is where a mark does not count as much as a loss.
 */
static bool cut_already(const struct xtcp_tcb *tcb)
{
	return tcb->ecn_ok && !(tcb->cc->flags & XTCP_CC_ECN) &&
	       before(tcb->snd_una, tcb->ecn_point);
}

void xtcp_cc_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now)
{
	tcb->cc_cut = 0;
	if (!tcb->cc || (why == XTCP_CC_LOSS && cut_already(tcb)))
		return;
	tcb->cc->on_congestion(tcb, why, now);
	if (why == XTCP_CC_ECN_MARK)	/* nobody takes that back */
		tcb->undo = XTCP_UNDO_NONE;
	else
		tcb->cc_cut = 1;
	xtcp_ecn_reduced(tcb);
}

/* A loss in a window that was cut for a mark has changed nothing that could go back. */
void xtcp_cc_undo(struct xtcp_tcb *tcb, u64 now)
{
	if (!tcb->cc_cut)
		return;
	tcb->cc_cut = 0;
	if (tcb->cc->on_undo)
		tcb->cc->on_undo(tcb, now);
	xtcp_ecn_undone(tcb);
}

u32 xtcp_cc_initial_window(const struct xtcp_tcb *tcb)
{
	u32 mss = xtcp_smss(tcb);

	/* RFC 5681 3.1: one segment after a lost SYN or SYN,ACK */
	if (tcb->syn_rexmit)
		return mss;
	/* RFC 6928 2: min (10*MSS, max (2*MSS, 14600)) */
	return min_t(u32, XTCP_INIT_WND_SEGS * mss, max_t(u32, 2 * mss, 14600));
}

/*
 * RFC 3465 2.2, 2.3: one ACK opens cwnd by at most L * SMSS, L = 2, or 1 after a
 * timeout.  Deviation: L is as many segments as one super-packet carries; the peer
 * answers it with one ACK, and L is there to bound the burst that one ACK releases,
 * which is a super-packet anyhow.
 */
void xtcp_cc_slow_start(struct xtcp_tcb *tcb, u32 acked)
{
	u32 mss = xtcp_smss(tcb), most = max(2 * mss, tcb->gso_max);

	if (tcb->recovery == XTCP_RTO_RECOVERY)
		most = mss;
	tcb->cwnd += min(acked, most);
}

/*
 * RFC 5681 4.1: the restart window is min(IW, cwnd).  ssthresh remembers the capacity
 * that was there (RFC 7661 4.4), so that slow start leads back to it.
 */
void xtcp_cc_restart_window(struct xtcp_tcb *tcb)
{
	tcb->ssthresh = max(tcb->ssthresh, tcb->cwnd - tcb->cwnd / 4);
	tcb->cwnd = min(tcb->cwnd, xtcp_cc_initial_window(tcb));
}
