// SPDX-License-Identifier: GPL-2.0
/*
 * One acceptable ACK: SND.UNA, SND.WND, SACK blocks, the RTT sample, then loss
 * detection and congestion control, and the timers that follow from it.  Owns
 * SND.UNA and the window variables.  Never sends, never decides about loss itself.
 * Called by module/input.c after xtcp_segment_check().
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "loss.h"
#include "cc.h"

/* ---- SND.WND ---- */

static bool window_is_newer(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
			    bool advanced)
{
	if (seg->flags & XTCP_SYN || before(tcb->snd_wl1, seg->seq))
		return true;
	if (tcb->snd_wl1 == seg->seq && !before(seg->ack, tcb->snd_wl2))
		return true;
	/* Deviation: RFC 9293 3.10.7.4 keeps the window of an older SEG.SEQ although
	 * SND.UNA moves, which would move the right edge further than was granted.
	 */
	return advanced;
}

/* The window opened: PERSIST has done its work (RFC 9293 3.8.6.1). */
static void leave_persist(struct xtcp_tcb *tcb)
{
	if (!tcb->deadline[XTCP_T_PERSIST])
		return;
	tcb->deadline[XTCP_T_PERSIST] = 0;
	tcb->backoff = 0;
	tcb->stalled_at = 0;
}

static u8 update_window(struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
			bool advanced)
{
	u32 wnd = seg->wnd, old = tcb->snd_wnd;
	bool was_shut = !after(tcb->snd_una + old, tcb->snd_nxt);

	if (!window_is_newer(tcb, seg, advanced))
		return 0;
	if (!(seg->flags & XTCP_SYN))	/* RFC 7323 2.2 */
		wnd <<= tcb->snd_wscale;
	tcb->snd_wnd = wnd;
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	tcb->max_snd_wnd = max(tcb->max_snd_wnd, wnd);
	if (was_shut && after(tcb->snd_una + wnd, tcb->snd_nxt))
		leave_persist(tcb);
	return wnd != old ? XTCP_A_WND_UPDATE : 0;
}

/* ---- SND.UNA ---- */

/* Sequence numbers that trail SND.UNA, so that none is ever 2^31 behind. */
static void pull_trailing(struct xtcp_tcb *tcb)
{
	tcb->high_sacked = seq_max(tcb->high_sacked, tcb->snd_una);
	if (!before(tcb->snd_una, tcb->dsack_round))
		tcb->dsack_round_on = 0;
	if (tcb->recovery == XTCP_OPEN && after(tcb->snd_una, tcb->recovery_point))
		tcb->recovery_point = tcb->snd_una - 1;
	tcb->ecn_point = seq_max(tcb->ecn_point, tcb->snd_una);
	if (tcb->urg_out && !before(tcb->snd_una, tcb->snd_up))
		tcb->urg_out = 0;
}

static void advance_una(struct xtcp_tcb *tcb, u32 ack, struct xtcp_map_acked *m,
			struct xtcp_ack_result *res)
{
	xtcp_map_ack(tcb, ack, m);
	res->acked = ack - tcb->snd_una;
	res->flags |= XTCP_A_DATA_ACKED;
	tcb->bytes_acked += res->acked;
	if (tcb->syn_out) {
		tcb->syn_out = 0;
		tcb->bytes_acked--;
		res->flags |= XTCP_A_SYN_ACKED;
	}
	if (tcb->fin_queued && ack == tcb->write_seq + 1) {
		tcb->bytes_acked--;
		res->flags |= XTCP_A_FIN_ACKED;
	}
	tcb->snd_una = ack;
	pull_trailing(tcb);
	tcb->rexmits = 0;
	tcb->stalled_at = 0;
	tcb->todo |= XTCP_WAKE_WRITER;
}

/* ---- SACK ---- */

/*
 * RFC 2018: blocks inside (SND.UNA, SND.NXT].  Those below report duplicates
 * (RFC 2883) or are old; a reversed one or one of unsent data says nothing.
 */
static bool block_valid(const struct xtcp_tcb *tcb, const struct xtcp_sack_block *b)
{
	return before(b->seq, b->end_seq) && after(b->seq, tcb->snd_una) &&
	       before(b->seq, tcb->snd_nxt) && !after(b->end_seq, tcb->snd_nxt);
}

/*
 * RFC 2883 4: the first block reports a duplicate where it lies below SEG.ACK or
 * inside of the second.  One of what we cannot have sent says nothing.
 */
static bool is_dsack(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	const struct xtcp_sack_block *b = seg->opt.sack;

	if (!before(b->seq, b->end_seq) || after(b->end_seq, tcb->snd_nxt) ||
	    before(b->seq, tcb->snd_una - tcb->max_snd_wnd))
		return false;
	if (!after(b->end_seq, seg->ack))
		return true;
	return seg->opt.nr_sack > 1 && !before(b->seq, b[1].seq) &&
	       !after(b->end_seq, b[1].end_seq);
}

static void apply_sack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
		       struct xtcp_map_acked *m)
{
	const struct xtcp_options *o = &seg->opt;
	bool dsack = is_dsack(tcb, seg);
	u8 i;

	for (i = 0; i < o->nr_sack && i < XTCP_MAX_SACK; i++)
		if (block_valid(tcb, &o->sack[i]))
			xtcp_map_sack(tcb, o->sack[i].seq, o->sack[i].end_seq, m);
		else if (!before(o->sack[i].seq, o->sack[i].end_seq) ||
			 after(o->sack[i].end_seq, tcb->snd_nxt))
			tcb->notes |= XTCP_N_BAD_SACK;
	if (!dsack)
		return;
	tcb->notes |= XTCP_N_DSACK;
	tcb->dsacks++;
	m->dsack = true;
	m->dsack_seq = o->sack[0].seq;
	m->dsack_end = o->sack[0].end_seq;
}

/* ---- RTT ---- */

/* Return: the sample in ns, 0 where this ACK gives none. */
static u64 take_rtt_sample(struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
			   const struct xtcp_map_acked *m, u64 now)
{
	u64 rtt = 0;

	if (m->sent_at && !m->rexmit && now >= m->sent_at)
		rtt = max_t(u64, now - m->sent_at, 1);
	else if (m->acked && !m->old_echo)	/* RFC 7323 4.1: SND.UNA must advance */
		rtt = xtcp_ts_rtt(tcb, &seg->opt, now);
	if (rtt)
		xtcp_rtt_sample(tcb, rtt, now);
	return rtt;
}

/* ---- duplicate ACK ---- */

/*
 * With SACK: a block names octets not known to have arrived (RFC 6675 2), also
 * when the segment carries data.  Without: RFC 5681 2 (a) to (e).
 */
static bool is_duplicate(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
			 const struct xtcp_map_acked *m, u8 flags)
{
	if (flags & XTCP_A_DATA_ACKED || tcb->snd_una == tcb->snd_nxt)
		return false;
	if (tcb->sack_ok)
		return m->newly_sacked != 0;
	return seg->ack == tcb->snd_una && !seg->len &&
	       !(seg->flags & (XTCP_SYN | XTCP_FIN)) && !(flags & XTCP_A_WND_UPDATE);
}

/* ---- timers ---- */

/*
 * RFC 6298 5.2, 5.3.  RFC 6582 4, the impatient variant: without SACK only the
 * first partial ACK of a recovery restarts the timer.
 */
static void restart_rexmt(struct xtcp_tcb *tcb, bool partial_before, u64 now)
{
	if (tcb->snd_una == tcb->snd_nxt)
		tcb->deadline[XTCP_T_REXMT] = 0;
	else if (!partial_before || tcb->recovery != XTCP_RECOVERY || tcb->sack_ok)
		tcb->deadline[XTCP_T_REXMT] = now + xtcp_rto(tcb);
}

/*
 * RFC 9293 3.8.6.1: a connection is not timed out while the peer answers with a
 * closed window (MUST-37), also where it shut it over data in flight (SHLD-17).
 */
static void note_answer(struct xtcp_tcb *tcb)
{
	tcb->probes = 0;
	if (!tcb->snd_wnd)
		tcb->rexmits = 0;
}

static void open_cwnd(struct xtcp_tcb *tcb, struct xtcp_cc_ack *a,
		      const struct xtcp_ack_result *res, u64 now)
{
	a->acked = res->acked - !!(res->flags & XTCP_A_SYN_ACKED) -
		   !!(res->flags & XTCP_A_FIN_ACKED);
	/* RFC 3168 6.1.2: cwnd does not grow on an ACK with ECE */
	a->limited = tcb->cwnd_limited && !a->ece;
	a->ce_bytes = a->ece ? a->acked : 0;
	if (a->acked && tcb->cc)
		tcb->cc->on_ack(tcb, a, now);
}

/* SEG.ACK is in [SND.UNA, SND.NXT]. */
static void current_ack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now,
			struct xtcp_map_acked *m, struct xtcp_ack_result *res)
{
	bool advanced = after(seg->ack, tcb->snd_una);

	if (advanced)
		advance_una(tcb, seg->ack, m, res);
	res->flags |= update_window(tcb, seg, advanced);
	note_answer(tcb);
}

void xtcp_ack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now,
	      struct xtcp_ack_result *res)
{
	struct xtcp_map_acked m = { .now = now, .fack = tcb->high_sacked };
	struct xtcp_cc_ack a = { 0 };
	u8 recovery = tcb->recovery;
	bool partial_before = tcb->partial_ack;

	res->acked = 0;
	res->flags = 0;
	if (after(seg->ack, tcb->snd_nxt))
		return;
	m.has_tsecr = tcb->ts_ok && seg->opt.present & XTCP_HAS_TS && seg->opt.tsecr;
	m.tsecr = seg->opt.tsecr;
	if (!before(seg->ack, tcb->snd_una))
		current_ack(tcb, seg, now, &m, res);
	if (tcb->sack_ok && seg->opt.nr_sack)
		apply_sack(tcb, seg, &m);
	if (m.dsack)
		xtcp_stats_duplicate(tcb, m.dsack_end - m.dsack_seq);
	if (m.delivered)
		a.rtt = take_rtt_sample(tcb, seg, &m, now);
	if (a.rtt)
		tcb->tlp_unsampled = 0;
	a.delivered = m.delivered;
	if (tcb->sack_ok)
		xtcp_rack_update(tcb, &m);
	a.ece = tcb->ecn_ok && seg->flags & XTCP_ECE;
	if (a.ece)
		tcb->ce_bytes += res->acked;
	if (is_duplicate(tcb, seg, &m, res->flags))
		res->flags |= XTCP_A_DUP;
	if (tcb->tlp_out)
		xtcp_tlp_on_ack(tcb, seg, &m, res->flags);
	if (recovery == XTCP_RTO_RECOVERY)	/* also for its last ACK: RFC 3465 2.3 */
		open_cwnd(tcb, &a, res, now);
	if (recovery != XTCP_OPEN || res->flags & XTCP_A_DUP || tcb->dupacks ||
	    tcb->sacked_bytes || tcb->deadline[XTCP_T_REO] || m.dsack || tcb->undo)
		xtcp_loss_on_ack(tcb, &m, res->flags, now);
	if (recovery == XTCP_OPEN && tcb->recovery == XTCP_OPEN)
		open_cwnd(tcb, &a, res, now);
	if (a.ece && xtcp_ecn_on_echo(tcb, now))
		res->flags |= XTCP_A_ECN_CUT;
	if (res->flags & XTCP_A_DATA_ACKED)
		restart_rexmt(tcb, partial_before, now);
	if (res->flags & XTCP_A_DATA_ACKED || tcb->sacked_bytes)
		xtcp_tlp_schedule(tcb, now);
	xtcp_stats_acked(tcb, &m, now);
	if (unlikely(tcb->rto_since) && tcb->recovery != XTCP_RTO_RECOVERY)
		xtcp_stats_rto_over(tcb, now);
	xtcp_pace_update(tcb);
}
