// SPDX-License-Identifier: GPL-2.0
/*
 * What one connection tells the next one to the same destination (RFC 9040): the RTT,
 * ssthresh, what the peer has promised, and how far the floor of the timeout had to be
 * raised.  Knows how these are merged and what a new connection makes of them, not
 * where they are kept.  Called by module/metrics.c and where connections begin.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "tcb.h"

/*
 * A SYN is answered by a soft interrupt at the other end, which on a busy or virtual
 * host may be a tick late; 4 ms are one at 250 Hz.  A SYN that was sent twice without
 * need costs more than that: the first window is one segment (RFC 5681 3.1).
 */
#define SYN_RTO_MIN	(4 * XTCP_NSEC_PER_MSEC)

/* Rises at once and falls by half, since too long a time costs less than too short a one. */
static u64 follow(u64 old, u64 new)
{
	return new >= old ? new : old - (old - new) / 2;
}

void xtcp_share_merge(struct xtcp_metrics *m, const struct xtcp_tcb *tcb)
{
	bool known = m->srtt != 0;

	m->srtt = known ? follow(m->srtt, tcb->srtt) : tcb->srtt;
	m->rttvar = known ? follow(m->rttvar, tcb->rttvar) : tcb->rttvar;
	m->peer_delack = tcb->peer_delack;
	if (tcb->ssthresh >= XTCP_SSTHRESH_INIT)
		return;		/* no loss was seen */
	m->ssthresh = m->ssthresh ? m->ssthresh / 2 + tcb->ssthresh / 2 : tcb->ssthresh;
}

/*
 * Never above the 3 s that RFC 6298 5.7 falls back to: one host behind an address that
 * answers late, or says so by its timestamps, must not make the others wait for minutes.
 */
u64 xtcp_share_rto(const struct xtcp_metrics *m, const struct xtcp_tcb *by)
{
	struct xtcp_tcb tcb = {
		.rto_min = by->rto_min, .rto_max = by->rto_max, .rto_floor = by->rto_floor,
		.srtt = m->srtt, .rttvar = m->rttvar, .floor_shift = m->floor_shift,
		.nego_ok = m->peer_delack != 0, .peer_delack = m->peer_delack,
	};

	xtcp_rto_update(&tcb);
	return min3(max(tcb.rto, SYN_RTO_MIN), XTCP_RTO_INIT_FALLBACK, tcb.rto_max);
}

void xtcp_share_start(struct xtcp_tcb *tcb, const struct xtcp_metrics *m)
{
	struct xtcp_metrics with = *m;

	tcb->floor_shift = m->floor_shift;
	tcb->known_ssthresh = m->ssthresh;
	if (!m->srtt)
		return;
	if (!tcb->nego_ok)	/* then the peer will not keep its promise */
		with.peer_delack = 0;
	tcb->rto = xtcp_share_rto(&with, tcb);
	tcb->rto_known = 1;
}
