// SPDX-License-Identifier: GPL-2.0
/*
 * Round-trip time and the retransmission timeout of RFC 6298, in ns.  Owns srtt,
 * rttvar, rto, floor_shift and min_rtt; resets the back-off.  Never arms a timer.  Called by
 * ack.c with samples that Karn's rule allows, and by listen.c for the handshake.
 */
#include <linux/minmax.h>

#include "tcb.h"

#define MIN_RTT_WINDOW	(300 * XTCP_NSEC_PER_SEC)
#define RIGHT_IN_A_ROW	4	/* timeouts that lower a raised floor by a step */

static void update_min_rtt(struct xtcp_tcb *tcb, u64 rtt, u64 now)
{
	if (tcb->min_rtt && rtt > tcb->min_rtt &&
	    now - tcb->min_rtt_at < MIN_RTT_WINDOW)
		return;
	tcb->min_rtt = rtt;
	tcb->min_rtt_at = now;
}

u64 xtcp_rto_floor(const struct xtcp_tcb *tcb)
{
	u64 floor = max(tcb->rto_floor, XTCP_TIMER_ERROR);

	return min(floor << tcb->floor_shift, max(floor, tcb->rto_min));
}

/*
 * RFC 6298 2.3: RTO = SRTT + max (G, K*RTTVAR).
 *
 * Between two TCPs the lower bound stands in the place of G: with a bound below the
 * second of 2.4, a delayed ACK on a steady path must not be a timeout.  Deviation: a
 * peer that has promised how long it delays an ACK gets just that on top, and the
 * rest can be as short as the timers of both ends are good.
 */
void xtcp_rto_update(struct xtcp_tcb *tcb)
{
	u64 bound = tcb->nego_ok ? xtcp_rto_floor(tcb) : tcb->rto_min;

	if (!tcb->srtt)
		return;
	tcb->rto = tcb->srtt + max(bound, tcb->rttvar << 2) + tcb->peer_delack;
	tcb->rto = min(tcb->rto, tcb->rto_max);	/* 2.5 */
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
	xtcp_rto_update(tcb);
	tcb->backoff = 0;
	update_min_rtt(tcb, rtt, now);
}

/*
 * One step of the back-off, RFC 6298 5.5.
 *
 * Deviation: between two XTCPs, and where any other TCP would not yet have sent again at
 * all, a step is by a quarter instead of twice.  Where senders share a full queue, those
 * whose ACKs clock them fill each place in it as soon as it is free, and a segment that a timer
 * sends comes too late most times (Floyd, Jacobson, "Traffic Phase Effects in
 * Packet-Switched Gateways", 1991).  The link waits in the end for those that lost ten in a
 * row, and with a step of a half as long as for a third of all the time before.  RFC 8961 4 (4)
 * asks for an exponential back-off with a longer interval each time; that it still is.
 */
static u64 back_off(const struct xtcp_tcb *tcb, u64 rto)
{
	if (!tcb->nego_ok || tcb->syn_out || rto >= tcb->rto_min)
		return rto << 1;
	return rto + ((rto + 3) >> 2);
}

u64 xtcp_rto(const struct xtcp_tcb *tcb)
{
	u64 rto = tcb->rto;
	unsigned int i;

	for (i = 0; i < tcb->backoff && rto < tcb->rto_max; i++)
		rto = back_off(tcb, rto);
	return min(rto, tcb->rto_max);
}

/*
 * Many senders that met in one full queue lose their segments at the same time, and with
 * equal timeouts they meet there again, every time.  RFC 6298 allows any longer timer;
 * so it is up to a quarter longer, by chance (Vasudevan et al., "Safe and Effective
 * Fine-grained TCP Retransmissions", 2009, section 6): never as long as the next one.
 */
u64 xtcp_rto_again(const struct xtcp_tcb *tcb, u64 now)
{
	u64 rto = xtcp_rto(tcb);
	u32 chance = (tcb->iss ^ (u32)now) * 0x9e3779b1u >> 16;

	if (!tcb->nego_ok || tcb->syn_out)
		return rto;
	return min(rto + ((rto >> 2) * chance >> 16), tcb->rto_max);
}

/* A path whose delay has jumped once does so again: what came too soon waits twice as
 * long from now on, at most as long as any TCP.
 */
void xtcp_rto_undone(struct xtcp_tcb *tcb)
{
	if (!tcb->nego_ok || xtcp_rto_floor(tcb) >= tcb->rto_min)
		return;
	tcb->floor_shift++;
	tcb->rto_right = 0;
	tcb->todo |= XTCP_SAVE_METRICS;
	xtcp_rto_update(tcb);
}

/* But what comes late where every timeout is right waits for nothing, and on a connection
 * that lasts, some mistakes come together in the end.
 */
void xtcp_rto_confirmed(struct xtcp_tcb *tcb)
{
	if (!tcb->floor_shift || ++tcb->rto_right < RIGHT_IN_A_ROW)
		return;
	tcb->rto_right = 0;
	tcb->floor_shift--;
	xtcp_rto_update(tcb);
}

unsigned int xtcp_rto_early(const struct xtcp_tcb *tcb, u64 classic)
{
	u64 rto = max_t(u64, tcb->rto, 1);
	unsigned int n;

	for (n = 0; rto < classic; n++)
		rto = back_off(tcb, rto);
	return n;
}
