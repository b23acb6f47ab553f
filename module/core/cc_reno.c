// SPDX-License-Identifier: GPL-2.0
/*
 * Reno: slow start and congestion avoidance of RFC 5681 with the byte counting of
 * RFC 3465.  Owns cwnd, ssthresh and cwnd_acked outside of recovery.  Never knows
 * which segment was lost.  Called through struct xtcp_cc_ops.
 */
#include <linux/minmax.h>

#include "cc.h"

static void reno_init(struct xtcp_tcb *tcb, u64 now)
{
	tcb->cwnd_acked = 0;
}

static void congestion_avoidance(struct xtcp_tcb *tcb, u32 acked, u32 mss)
{
	/* RFC 3465 2.1: one SMSS for each window of data acknowledged */
	tcb->cwnd_acked += acked;
	if (tcb->cwnd_acked < tcb->cwnd)
		return;
	tcb->cwnd_acked -= tcb->cwnd;
	tcb->cwnd += mss;
}

static void reno_on_ack(struct xtcp_tcb *tcb, const struct xtcp_cc_ack *a, u64 now)
{
	u32 mss = xtcp_smss(tcb);

	if (!a->limited || tcb->cwnd >= XTCP_CWND_MAX)
		return;
	if (tcb->cwnd < tcb->ssthresh)
		xtcp_cc_slow_start(tcb, a->acked);
	else
		congestion_avoidance(tcb, a->acked, mss);
}

/*
 * RFC 5681 (4).  FlightSize without what limited transmit added, which is what
 * lies beyond cwnd (3.2 step 2).
 */
static void reno_on_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now)
{
	u32 flight = min(tcb->snd_nxt - tcb->snd_una, tcb->cwnd);

	if (why == XTCP_CC_ECN_MARK)	/* RFC 3168 6.1.2: of cwnd */
		flight = tcb->cwnd;
	tcb->ssthresh = max(flight / 2, 2 * xtcp_smss(tcb));
	tcb->cwnd_acked = 0;
}

static void reno_on_idle(struct xtcp_tcb *tcb, u64 idle, u64 now)
{
	xtcp_cc_restart_window(tcb);
}

const struct xtcp_cc_ops xtcp_cc_reno = {
	.name		= "reno",
	.init		= reno_init,
	.on_ack		= reno_on_ack,
	.on_congestion	= reno_on_congestion,
	.on_idle	= reno_on_idle,
};
