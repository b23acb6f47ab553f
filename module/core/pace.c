// SPDX-License-Identifier: GPL-2.0
/*
 * Pacing: at which rate text may leave, when the next may, and how much of it in one
 * piece.  Owns pacing_rate, pace_next and the PACE deadline.  Never decides what is
 * sent.  Called by tx.c, which asks before text leaves and tells what has left, by
 * ack.c, and by output.c for the user's limit.
 *
 * Either the core holds text back and the PACE timer lets it go, or (pace_fq) a
 * queueing discipline does: then each segment carries the time at which it shall
 * leave, and the core only takes care that not too much waits there.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "tcb.h"
#include "cc.h"

#define BURST_NS	XTCP_NSEC_PER_MSEC	/* text of so much time in one piece */
#define LATE_NS		XTCP_NSEC_PER_MSEC	/* a timer that was late: made up for */

/* The initial window leaves at once (RFC 6928): so early there is one RTT sample, of
 * a SYN at that.  A limit that the user has set holds nevertheless.
 */
static bool is_young(const struct xtcp_tcb *tcb)
{
	return tcb->data_segs_out < XTCP_INIT_WND_SEGS;
}

/* More than a window per round trip: a rate that were just that would leave no room for
 * cwnd to grow, and let cwnd limit it again.
 */
static u64 rate_from_window(const struct xtcp_tcb *tcb)
{
	u64 wnd = min_t(u32, max(tcb->cwnd, xtcp_pipe(tcb)), XTCP_CWND_MAX);
	u64 gain = tcb->cwnd < tcb->ssthresh ? 2 * XTCP_NSEC_PER_SEC :
					       12 * (XTCP_NSEC_PER_SEC / 10);

	return tcb->srtt ? max_t(u64, div64_u64(wnd * gain, tcb->srtt), 1) : 0;
}

u64 xtcp_pace_rate(const struct xtcp_tcb *tcb)
{
	u64 rate = tcb->cc_rate ? tcb->cc_rate : rate_from_window(tcb);

	if (tcb->pacing_max && (!rate || rate > tcb->pacing_max))
		return tcb->pacing_max;
	return rate;
}

void xtcp_pace_set(struct xtcp_tcb *tcb, u64 most, bool fq)
{
	if (!most || most > tcb->pacing_max)
		tcb->pace_next = 0;	/* the last segment may have bought years */
	tcb->pacing = 1;
	tcb->pace_fq = fq;
	tcb->pacing_max = most;
	tcb->pacing_rate = xtcp_pace_rate(tcb);
}

void xtcp_pace_off(struct xtcp_tcb *tcb)
{
	tcb->pacing = 0;
	tcb->pace_fq = 0;
	tcb->pacing_max = 0;
	tcb->pacing_rate = 0;
	tcb->pace_next = 0;
	tcb->deadline[XTCP_T_PACE] = 0;
}

/* ---- for tx.c ---- */

/*
 * About one BURST_NS of text, so that a fast connection is not cut to small pieces;
 * two segments at least, or a peer that delays ACKs would delay each.
 */
u32 xtcp_pace_burst(const struct xtcp_tcb *tcb, u32 most, u32 mss)
{
	u64 bytes;

	if (!tcb->pacing_rate)
		return most;
	bytes = div_u64(tcb->pacing_rate, XTCP_NSEC_PER_SEC / BURST_NS);
	return min_t(u64, most, max_t(u64, bytes, 2 * mss));
}

void xtcp_pace_sent(struct xtcp_tcb *tcb, u32 bytes, u64 now)
{
	u64 rate = is_young(tcb) ? tcb->pacing_max : tcb->pacing_rate;
	u64 from = now > LATE_NS ? now - LATE_NS : 0;

	tcb->deadline[XTCP_T_PACE] = 0;
	if (rate)
		tcb->pace_next = max(tcb->pace_next, from) +
				 div64_u64(bytes * XTCP_NSEC_PER_SEC, rate);
}
