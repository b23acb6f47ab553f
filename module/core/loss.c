// SPDX-License-Identifier: GPL-2.0
/*
 * Recovery from loss: RACK (RFC 8985) with SACK, NewReno (RFC 5681, 6582) without, and
 * the timeout (RFC 6298).  Owns the recovery phase; sets cwnd where a controller is
 * not asked.  Never sends.  Called by ack.c and by the timers.
 */
#include <linux/minmax.h>

#include "loss.h"
#include "cc.h"

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
	tcb->force_rexmit = 1;
}

static void enter_recovery(struct xtcp_tcb *tcb, u32 delivered, u64 now)
{
	xtcp_undo_begin(tcb, XTCP_UNDO_LOSS);
	xtcp_cc_congestion(tcb, XTCP_CC_LOSS, now);
	tcb->recovery = XTCP_RECOVERY;
	tcb->recovery_point = tcb->snd_nxt;
	tcb->partial_ack = 0;
	tcb->force_rexmit = 1;
	tcb->notes |= XTCP_N_RECOVERY;
	xtcp_tlp_forget(tcb);
	if (tcb->sack_ok)
		xtcp_prr_enter(tcb, delivered);
	else	/* RFC 5681 3.2 step 3: and the three that have left */
		tcb->cwnd = tcb->ssthresh + XTCP_DUPTHRESH * xtcp_smss(tcb);
}

static void leave_recovery(struct xtcp_tcb *tcb)
{
	tcb->recovery = XTCP_OPEN;
	tcb->dupacks = 0;
	tcb->force_rexmit = 0;
	tcb->partial_ack = 0;
	xtcp_rack_recovered(tcb);
	xtcp_undo_left(tcb);
}

/* ---- with SACK: RFC 8985 ---- */

/* @left: this ACK has ended a recovery */
static void sack_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m,
			u8 ack_flags, bool left, u64 now)
{
	bool found = xtcp_rack_detect(tcb, now);

	if (tcb->recovery == XTCP_RECOVERY)
		xtcp_prr_on_ack(tcb, m->delivered, ack_flags & XTCP_A_DATA_ACKED && !found);
	/* what was sent in the last recovery and is lost: a new window, a new loss */
	else if (tcb->recovery == XTCP_OPEN && (found || (left && tcb->lost_bytes)))
		enter_recovery(tcb, m->delivered, now);
}

void xtcp_loss_on_reo(struct xtcp_tcb *tcb, u64 now)
{
	static const struct xtcp_map_acked nothing;
	u32 lost = tcb->lost_bytes;

	tcb->deadline[XTCP_T_REO] = 0;
	if (tcb->sack_ok)
		sack_on_ack(tcb, &nothing, 0, false, now);
	if (tcb->lost_bytes != lost)
		tcb->notes |= XTCP_N_REO;
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
	enter_recovery(tcb, 0, now);
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

/* Return: this ACK has ended a recovery. */
static bool on_advance(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	u8 was = tcb->recovery;

	tcb->dupacks = 0;
	if (was == XTCP_OPEN)
		return false;
	if (before(tcb->snd_una, tcb->recovery_point)) {
		if (was == XTCP_RECOVERY && !tcb->sack_ok)
			newreno_partial(tcb, m);
		return false;
	}
	leave_recovery(tcb);
	if (was == XTCP_RTO_RECOVERY)
		xtcp_rto_confirmed(tcb);
	if (was == XTCP_RECOVERY && tcb->sack_ok)
		tcb->cwnd = tcb->ssthresh;	/* RFC 9937 6.2 */
	else if (was == XTCP_RECOVERY)
		newreno_deflate(tcb);
	return true;
}

void xtcp_loss_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m,
		      u8 ack_flags, u64 now)
{
	bool left = false;

	if (tcb->undo && xtcp_undo_on_ack(tcb, m, ack_flags))
		xtcp_rack_recovered(tcb);
	if (ack_flags & XTCP_A_DATA_ACKED)
		left = on_advance(tcb, m);
	if (ack_flags & XTCP_A_DUP && tcb->dupacks < 255)
		tcb->dupacks++;
	if (m->dsack)
		xtcp_rack_dsack(tcb);
	if (tcb->sack_ok)
		sack_on_ack(tcb, m, ack_flags, left, now);
	else if (ack_flags & XTCP_A_DUP)
		newreno_duplicate(tcb, now);
}

/* ---- path MTU ---- */

void xtcp_loss_on_mtu(struct xtcp_tcb *tcb)
{
	xtcp_map_mark_lost(tcb, tcb->snd_una, tcb->snd_nxt);
	xtcp_tlp_forget(tcb);
	tcb->deadline[XTCP_T_REO] = 0;
	tcb->frto = XTCP_FRTO_OFF;
	tcb->undo = XTCP_UNDO_NONE;
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
	/* RFC 5681 3.1: ssthresh is held when the same segment times out again, unless the
	 * timeout before was taken back
	 */
	if (!tcb->rexmits || tcb->recovery != XTCP_RTO_RECOVERY) {
		xtcp_undo_begin(tcb, XTCP_UNDO_RTO);
		xtcp_cc_congestion(tcb, XTCP_CC_RTO, now);
	}
	tcb->cwnd = xtcp_smss(tcb);	/* LW, one full-sized segment */
	tcb->cwnd_acked = 0;
}

/*
 * RFC 8985 6.3: the first segment, and what was sent long enough ago.  Without SACK,
 * and where the peer has dropped what it held, everything.
 */
static void mark_on_rto(struct xtcp_tcb *tcb, u64 now)
{
	bool all = !tcb->sack_ok;

	if (reneged(tcb)) {
		tcb->notes |= XTCP_N_RENEGED;
		xtcp_map_renege(tcb);
		all = true;
	}
	if (all) {
		xtcp_map_mark_lost(tcb, tcb->snd_una, tcb->snd_nxt);
		return;
	}
	xtcp_rack_mark_on_rto(tcb, now);
	mark_first(tcb);
	if (!tcb->lost_bytes)	/* no memory for a split */
		xtcp_map_mark(tcb, xtcp_map_first(tcb));
}

/*
 * RFC 5682 2.1, 3.1 step 1: again for a timeout that repeats only what the last one
 * has sent; not where more was, nor where the peer cannot be believed.
 */
static void start_frto(struct xtcp_tcb *tcb)
{
	bool again = tcb->recovery == XTCP_RTO_RECOVERY && tcb->frto != XTCP_FRTO_FIRST;

	tcb->frto = XTCP_FRTO_OFF;
	if (!again && !tcb->no_frto && !tcb->syn_out && !reneged(tcb))
		tcb->frto = XTCP_FRTO_FIRST;
}

void xtcp_loss_on_rto(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->snd_una == tcb->snd_nxt) {
		tcb->deadline[XTCP_T_REXMT] = 0;
		return;
	}
	tcb->deadline[XTCP_T_REO] = 0;
	xtcp_tlp_forget(tcb);
	if (tcb->syn_out)
		tcb->syn_rexmit = 1;
	else
		collapse(tcb, now);
	note_stall(tcb, now);
	start_frto(tcb);
	mark_on_rto(tcb, now);
	tcb->recovery = XTCP_RTO_RECOVERY;
	tcb->recovery_point = tcb->snd_nxt;	/* RFC 6582 4, RFC 6675 5.1 */
	tcb->dupacks = 0;
	tcb->partial_ack = 0;
	tcb->force_rexmit = 1;
	if (!tcb->snd_wnd && !tcb->syn_out)	/* the window was shut over it: 3.8.6.1 */
		tcb->todo |= XTCP_PROBE_NOW;
	tcb->deadline[XTCP_T_REXMT] = now + xtcp_rto_again(tcb, now);	/* RFC 6298 5.6 */
}
