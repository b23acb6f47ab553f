// SPDX-License-Identifier: GPL-2.0
/*
 * RACK, RFC 8985 section 6: a segment is lost when one that was sent later has
 * arrived, and a reordering window more than its round trip has passed.  Owns the
 * rack fields and the REO deadline.  Sets no cwnd, enters no recovery, never sends.
 * Called by ack.c and loss.c, with SACK only.
 *
 * It stands in the place of the marking of RFC 6675 4: by time alone it finds lost
 * retransmissions and losses at the end of a flight, and it adapts to paths that
 * reorder.  Where no reordering was seen, DupThresh of RFC 6675 decides as before.
 */
#include <linux/list.h>
#include <linux/minmax.h>

#include "loss.h"

#define REO_PERSIST	16	/* recoveries without DSACK, RFC 8985 6.2 step 4 */

void xtcp_rack_update(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	if (m->reordered) {
		tcb->notes |= XTCP_N_REORDERED;
		tcb->reorderings++;
		tcb->reord_seen = 1;
	}
	if (!m->last_sent_at)
		return;
	tcb->rack_rtt = xtcp_age(m->last_sent_at, m->now);
	if (!xtcp_sent_after(m->last_sent_at, m->last_end_seq, tcb->rack_xmit_ts,
			     tcb->rack_end_seq))
		return;
	tcb->rack_xmit_ts = m->last_sent_at;
	tcb->rack_end_seq = m->last_end_seq;
}

/* ---- step 4: the reordering window ---- */

void xtcp_rack_dsack(struct xtcp_tcb *tcb)
{
	if (tcb->dsack_round_on)	/* once a round */
		return;
	tcb->dsack_round_on = 1;
	tcb->dsack_round = tcb->snd_nxt;
	if (tcb->reo_steps < 254)
		tcb->reo_steps++;
	tcb->reo_persist = REO_PERSIST;
}

void xtcp_rack_recovered(struct xtcp_tcb *tcb)
{
	if (tcb->reo_persist && !--tcb->reo_persist)
		tcb->reo_steps = 0;
}

/*
 * RFC 6675 4, IsLost(): DupThresh discontiguous SACKed sequences, or more than
 * (DupThresh - 1) * SMSS SACKed bytes; tcb->sacked holds the sequences merged, so
 * at most three steps.  And RFC 6675 5 (1): DupThresh duplicate ACKs.
 */
static bool dup_thresh(const struct xtcp_tcb *tcb)
{
	u32 sequences = 0;
	struct rb_node *n;

	if (tcb->dupacks >= XTCP_DUPTHRESH ||
	    tcb->sacked_bytes > (XTCP_DUPTHRESH - 1) * xtcp_smss(tcb))
		return true;
	for (n = rb_last(&tcb->sacked); n; n = rb_prev(n))
		if (++sequences >= XTCP_DUPTHRESH)
			return true;
	return false;
}

/*
 * Deviation: RFC 8985 bounds the window by SRTT.  Jitter larger than the round trip
 * needs RTTVAR on top, which is nothing on a steady path.
 */
static u64 reo_wnd(const struct xtcp_tcb *tcb)
{
	if (!tcb->reord_seen && (tcb->recovery != XTCP_OPEN || dup_thresh(tcb)))
		return 0;
	return min((tcb->reo_steps + 1) * tcb->min_rtt / 4, tcb->srtt + tcb->rttvar);
}

/* ---- step 5 ---- */

/*
 * Deviation: RFC 8985 sets the timer for the last segment that may be lost, we for
 * the first: by_time is in order, so looking again costs nothing.
 */
u32 xtcp_rack_detect(struct xtcp_tcb *tcb, u64 now)
{
	u64 wait = tcb->rack_rtt + reo_wnd(tcb);
	struct xtcp_range *r, *next;
	u32 lost = tcb->lost_bytes;

	tcb->deadline[XTCP_T_REO] = 0;
	list_for_each_entry_safe(r, next, &tcb->by_time, by_time) {
		if (!xtcp_sent_after(tcb->rack_xmit_ts, tcb->rack_end_seq, r->sent_at,
				     r->end_seq))
			break;
		if (r->sent_at + wait > now) {
			tcb->deadline[XTCP_T_REO] = r->sent_at + wait;
			break;
		}
		if (r->flags & XTCP_R_REXMIT)
			tcb->notes |= XTCP_N_LOST_REXMIT;
		xtcp_map_mark(tcb, r);
	}
	return tcb->lost_bytes - lost;
}

void xtcp_rack_mark_on_rto(struct xtcp_tcb *tcb, u64 now)
{
	u64 wait = tcb->rack_rtt + reo_wnd(tcb);
	struct xtcp_range *r, *next;

	list_for_each_entry_safe(r, next, &tcb->by_time, by_time) {
		if (r->sent_at + wait > now)
			break;
		xtcp_map_mark(tcb, r);
	}
}
