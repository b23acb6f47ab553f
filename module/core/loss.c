// SPDX-License-Identifier: GPL-2.0
/*
 * What is lost: fast retransmit (RFC 5681), NewReno (RFC 6582) without SACK, RFC
 * 6675 with it, and the timeout (RFC 6298).  Owns the recovery phase and the LOST
 * marks; sets cwnd and ssthresh where a controller is not asked.  Never sends.
 * Called by ack.c and by the timer.
 *
 * Deviation: NextSeg (3) and (4) of RFC 6675 4 (what is merely perhaps lost) are
 * not applied; such segments wait for more SACKs or the timeout.
 */
#include <linux/minmax.h>

#include "tcb.h"
#include "cc.h"

/*
 * RFC 6675 4, IsLost(): everything unSACKed left of the result has DupThresh
 * discontiguous SACKed sequences above it, or more than (DupThresh - 1) * SMSS
 * SACKed bytes.  tcb->sacked holds the sequences merged, so at most three steps.
 */
static u32 is_lost_below(const struct xtcp_tcb *tcb)
{
	u32 bytes = 0, limit = (XTCP_DUPTHRESH - 1) * xtcp_smss(tcb), sequences = 0;
	struct rb_node *n;

	for (n = rb_last(&tcb->sacked); n; n = rb_prev(n)) {
		const struct xtcp_range *r = rb_entry(n, struct xtcp_range, node);

		bytes += r->end_seq - r->seq;
		if (++sequences >= XTCP_DUPTHRESH || bytes > limit)
			return r->seq;
	}
	return tcb->snd_una;
}

/* Mark what newly is lost by SACK; below lost_edge it is decided. */
static u32 mark_by_sack(struct xtcp_tcb *tcb)
{
	u32 edge = is_lost_below(tcb), marked;

	if (!after(edge, tcb->lost_edge))
		return 0;
	marked = xtcp_map_mark_lost(tcb, tcb->lost_edge, edge);
	tcb->lost_edge = edge;
	return marked;
}

static struct xtcp_range *leftmost_sacked(const struct xtcp_tcb *tcb)
{
	return rb_entry_safe(rb_first(&tcb->sacked), struct xtcp_range, node);
}

/* The segment at SND.UNA is lost, and leaves whatever cwnd says (RFC 5681 3.2 step 3). */
static void mark_first(struct xtcp_tcb *tcb)
{
	u32 end_seq = seq_min(tcb->snd_una + xtcp_smss(tcb), tcb->snd_nxt);
	const struct xtcp_range *sacked = leftmost_sacked(tcb);

	if (sacked)	/* what lies beyond may still be under way */
		end_seq = seq_min(end_seq, sacked->seq);
	xtcp_map_mark_lost(tcb, tcb->snd_una, end_seq);
	tcb->lost_edge = seq_max(tcb->lost_edge, end_seq);
	tcb->force_rexmit = 1;
}

static void enter_recovery(struct xtcp_tcb *tcb, u64 now)
{
	tcb->recovery = XTCP_RECOVERY;
	tcb->recovery_point = tcb->snd_nxt;
	tcb->partial_ack = 0;
	tcb->force_rexmit = 1;
	tcb->prior_cwnd = tcb->cwnd;
	if (tcb->cc)
		tcb->cc->on_congestion(tcb, XTCP_CC_LOSS, now);
	tcb->cwnd = tcb->ssthresh;
	if (!tcb->sack_ok)	/* RFC 5681 3.2 step 3: the three that have left */
		tcb->cwnd += XTCP_DUPTHRESH * xtcp_smss(tcb);
}

static void leave_recovery(struct xtcp_tcb *tcb)
{
	tcb->recovery = XTCP_OPEN;
	tcb->dupacks = 0;
	tcb->force_rexmit = 0;
	tcb->partial_ack = 0;
}

/* ---- with SACK: RFC 6675 5 ---- */

static bool first_was_resent(const struct xtcp_tcb *tcb)
{
	const struct xtcp_range *r = xtcp_map_first(tcb);

	return r && r->flags & XTCP_R_REXMIT;
}

/* RFC 6675 5 (1) to (4): DupThresh duplicates, or IsLost (HighACK + 1) */
static void sack_open(struct xtcp_tcb *tcb, u64 now)
{
	if (mark_by_sack(tcb)) {
		enter_recovery(tcb, now);
	} else if (tcb->dupacks >= XTCP_DUPTHRESH && !first_was_resent(tcb)) {
		enter_recovery(tcb, now);
		mark_first(tcb);
	}
}

static void sack_on_ack(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->recovery == XTCP_RECOVERY)
		mark_by_sack(tcb);
	else if (tcb->recovery == XTCP_OPEN)
		sack_open(tcb, now);
}

/* ---- without: RFC 6582 3.2 ---- */

static void newreno_duplicate(struct xtcp_tcb *tcb, u64 now)
{
	/* Step 4: each further duplicate is one segment that has left */
	if (tcb->recovery == XTCP_RECOVERY) {
		tcb->cwnd = min_t(u32, tcb->cwnd + xtcp_smss(tcb), XTCP_CWND_MAX);
		return;
	}
	/* Step 2: not again for the window of the last loss */
	if (tcb->recovery != XTCP_OPEN || tcb->dupacks != XTCP_DUPTHRESH ||
	    !after(tcb->snd_una, tcb->recovery_point))
		return;
	enter_recovery(tcb, now);
	mark_first(tcb);
}

/* Step 3, partial acknowledgment */
static void newreno_partial(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	u32 mss = xtcp_smss(tcb);

	mark_first(tcb);
	tcb->partial_ack = 1;
	tcb->cwnd -= min(m->acked, tcb->cwnd);
	if (m->acked >= mss)
		tcb->cwnd += mss;
	tcb->cwnd = max(tcb->cwnd, mss);
}

/* Step 3, full acknowledgment, option 1 */
static void newreno_deflate(struct xtcp_tcb *tcb)
{
	u32 mss = xtcp_smss(tcb), flight = tcb->snd_nxt - tcb->snd_una;

	tcb->cwnd = min(tcb->ssthresh, max(flight, mss) + mss);
}

/* ---- any ACK ---- */

static void on_advance(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u64 now)
{
	u8 was = tcb->recovery;

	tcb->dupacks = 0;
	if (was == XTCP_OPEN)
		return;
	if (before(tcb->snd_una, tcb->recovery_point)) {
		if (was == XTCP_RECOVERY && !tcb->sack_ok)
			newreno_partial(tcb, m);
		return;
	}
	leave_recovery(tcb);
	if (was == XTCP_RECOVERY && !tcb->sack_ok)
		newreno_deflate(tcb);
	if (tcb->lost_bytes)	/* of what was sent in recovery: a new window, a new loss */
		enter_recovery(tcb, now);
}

void xtcp_loss_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m,
		      u8 ack_flags, u64 now)
{
	if (ack_flags & XTCP_A_DATA_ACKED)
		on_advance(tcb, m, now);
	if (ack_flags & XTCP_A_DUP && tcb->dupacks < 255)
		tcb->dupacks++;
	if (tcb->sack_ok)
		sack_on_ack(tcb, now);
	else if (ack_flags & XTCP_A_DUP)
		newreno_duplicate(tcb, now);
}

/* ---- timeout ---- */

/* RFC 2018 8: a SACKed range at SND.UNA means that the peer has dropped what it held. */
static bool reneged(const struct xtcp_tcb *tcb)
{
	const struct xtcp_range *r = leftmost_sacked(tcb);

	return r && r->seq == tcb->snd_una;
}

static void note_stall(struct xtcp_tcb *tcb, u64 now)
{
	const struct xtcp_range *r = xtcp_map_first(tcb);

	if (!tcb->stalled_at)
		tcb->stalled_at = r ? r->sent_at : now;
	if (tcb->rexmits < 255)
		tcb->rexmits++;
	if (tcb->backoff < 255)
		tcb->backoff++;		/* RFC 6298 5.5 */
}

static void collapse(struct xtcp_tcb *tcb, u64 now)
{
	/* RFC 5681 3.1: ssthresh is held when the same segment times out again */
	if (!tcb->rexmits) {
		tcb->prior_cwnd = tcb->cwnd;
		if (tcb->cc)
			tcb->cc->on_congestion(tcb, XTCP_CC_RTO, now);
	}
	tcb->cwnd = xtcp_smss(tcb);	/* LW, one full-sized segment */
	tcb->cwnd_acked = 0;
}

void xtcp_loss_on_rto(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->snd_una == tcb->snd_nxt) {
		tcb->deadline[XTCP_T_REXMT] = 0;
		return;
	}
	if (reneged(tcb))
		xtcp_map_unsack(tcb);
	if (tcb->syn_out)
		tcb->syn_rexmit = 1;
	else
		collapse(tcb, now);
	note_stall(tcb, now);
	xtcp_map_mark_lost(tcb, tcb->snd_una, tcb->snd_nxt);
	tcb->lost_edge = tcb->snd_nxt;
	tcb->recovery = XTCP_RTO_RECOVERY;
	tcb->recovery_point = tcb->snd_nxt;	/* RFC 6582 4, RFC 6675 5.1 */
	tcb->dupacks = 0;
	tcb->partial_ack = 0;
	tcb->force_rexmit = 1;
	if (!tcb->snd_wnd && !tcb->syn_out)	/* the window was shut over it: 3.8.6.1 */
		tcb->todo |= XTCP_PROBE_NOW;
	tcb->deadline[XTCP_T_REXMT] = now + xtcp_rto(tcb);	/* RFC 6298 5.6 */
}
