// SPDX-License-Identifier: GPL-2.0
/*
 * DCTCP (RFC 8257): cwnd shrinks by how much of a window was marked.  Owns alpha; growth
 * and the answer to loss are Reno's (3.4, 3.5), so that without ECN it is Reno.  The
 * receiver's half is in ecn.c.  Called through struct xtcp_cc_ops.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "cc.h"

#define ALPHA_SHIFT	20
#define ALPHA_ONE	(1u << ALPHA_SHIFT)
#define G_SHIFT		4		/* g = 1/16 */

struct dctcp {
	u64 acked;			/* tcb->bytes_acked as the window of observation began */
	u64 marked;			/* tcb->ce_bytes, the same */
	u32 window_end;			/* DCTCP.WindowEnd */
	u32 alpha;			/* DCTCP.Alpha << ALPHA_SHIFT */
};

static struct dctcp *priv(struct xtcp_tcb *tcb)
{
	return (struct dctcp *)tcb->cc_priv;
}

static void next_window(struct xtcp_tcb *tcb, struct dctcp *d)
{
	d->acked = tcb->bytes_acked;
	d->marked = tcb->ce_bytes;
	d->window_end = tcb->snd_nxt;
}

static void dctcp_init(struct xtcp_tcb *tcb, u64 now)
{
	priv(tcb)->alpha = ALPHA_ONE;	/* 4.2: careful as long as nothing is known */
	next_window(tcb, priv(tcb));
}

/* 3.3, steps 6 and 7: alpha = alpha * (1 - g) + g * M; what g rounds away still decays */
static void take_window(struct xtcp_tcb *tcb, struct dctcp *d)
{
	u64 acked = tcb->bytes_acked - d->acked;
	u64 marked = min(tcb->ce_bytes - d->marked, acked);
	u32 down = max(d->alpha >> G_SHIFT, min(d->alpha, 1u)), m = 0;

	if (acked)
		m = div64_u64(marked << ALPHA_SHIFT, acked);
	d->alpha = min(d->alpha - down + (m >> G_SHIFT), ALPHA_ONE);
	next_window(tcb, d);
}

static void dctcp_on_ack(struct xtcp_tcb *tcb, const struct xtcp_cc_ack *a, u64 now)
{
	struct dctcp *d = priv(tcb);

	if (!before(tcb->snd_una, d->window_end))
		take_window(tcb, d);
	xtcp_cc_reno.on_ack(tcb, a, now);
}

static void dctcp_on_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now)
{
	u64 cut = (u64)tcb->cwnd * priv(tcb)->alpha >> (ALPHA_SHIFT + 1);

	if (why != XTCP_CC_ECN_MARK) {
		xtcp_cc_reno.on_congestion(tcb, why, now);
		return;
	}
	/* 3.3, step 9: cwnd * (1 - alpha / 2) */
	tcb->ssthresh = max_t(u32, tcb->cwnd - cut, 2 * xtcp_smss(tcb));
	tcb->cwnd_acked = 0;
}

static void dctcp_on_idle(struct xtcp_tcb *tcb, u64 idle, u64 now)
{
	xtcp_cc_restart_window(tcb);
}

const struct xtcp_cc_ops xtcp_cc_dctcp = {
	.name		= "dctcp",
	.flags		= XTCP_CC_ECN,
	.init		= dctcp_init,
	.on_ack		= dctcp_on_ack,
	.on_congestion	= dctcp_on_congestion,
	.on_idle	= dctcp_on_idle,
};
