// SPDX-License-Identifier: GPL-2.0
/*
 * Round-trip time and the retransmission timeout of RFC 6298, in ns.  Owns srtt,
 * rttvar, rto and min_rtt; resets the back-off.  Never arms a timer.  Called by
 * ack.c with samples that Karn's rule allows, and by listen.c for the handshake.
 */
#include <linux/minmax.h>

#include "tcb.h"

#define MIN_RTT_WINDOW	(300 * XTCP_NSEC_PER_SEC)

static void update_min_rtt(struct xtcp_tcb *tcb, u64 rtt, u64 now)
{
	if (tcb->min_rtt && rtt > tcb->min_rtt &&
	    now - tcb->min_rtt_at < MIN_RTT_WINDOW)
		return;
	tcb->min_rtt = rtt;
	tcb->min_rtt_at = now;
}

void xtcp_rtt_sample(struct xtcp_tcb *tcb, u64 rtt, u64 now)
{
	u64 delta;

	rtt = max_t(u64, rtt, 1);
	if (!tcb->srtt) {
		/* RFC 6298 2.2 */
		tcb->srtt = rtt;
		tcb->rttvar = rtt >> 1;
	} else {
		/* RFC 6298 2.3: beta = 1/4 with the old SRTT, then alpha = 1/8 */
		delta = rtt > tcb->srtt ? rtt - tcb->srtt : tcb->srtt - rtt;
		tcb->rttvar = tcb->rttvar - (tcb->rttvar >> 2) + (delta >> 2);
		tcb->srtt = tcb->srtt - (tcb->srtt >> 3) + (rtt >> 3);
	}
	/* The lower bound stands in the place of G: with a bound below the second
	 * of RFC 6298 2.4, a delayed ACK on a steady path must not be a timeout.
	 */
	tcb->rto = tcb->srtt + max(tcb->rto_min, tcb->rttvar << 2);
	tcb->rto = min(tcb->rto, tcb->rto_max);	/* 2.5 */
	tcb->backoff = 0;
	update_min_rtt(tcb, rtt, now);
}

u64 xtcp_rto(const struct xtcp_tcb *tcb)
{
	u64 rto = max(tcb->rto, tcb->rto_min);
	unsigned int i;

	for (i = 0; i < tcb->backoff && rto < tcb->rto_max; i++)
		rto <<= 1;	/* RFC 6298 5.5 */
	return min(rto, tcb->rto_max);
}
