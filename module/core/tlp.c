// SPDX-License-Identifier: GPL-2.0
/*
 * Tail loss probe, RFC 8985 section 7: when the end of a flight is not answered, one
 * segment more makes the peer speak before the timeout does.  Owns the tlp fields
 * and the TLP deadline.  Which segment it is decides tx.c.  Called by ack.c, tx.c
 * and the timer, with SACK only.
 */
#include <linux/minmax.h>

#include "loss.h"
#include "cc.h"

/* RFC 8985 7.2, TLP.max_ack_delay of a peer that has promised nothing */
#define WORST_ACK_DELAY	(200 * XTCP_NSEC_PER_MSEC)

/*
 * RFC 8985 7.2: with SACK, nothing SACKed, not in recovery.  And 7.3: one probe at a
 * time, and a sample of the RTT between two: asked for here already, so that a timer
 * without a probe never puts off the timeout.
 */
static bool wanted(const struct xtcp_tcb *tcb)
{
	return !tcb->no_tlp && tcb->sack_ok && tcb->recovery == XTCP_OPEN &&
	       !tcb->sacked_bytes && !tcb->lost_bytes && !tcb->tlp_out &&
	       !tcb->tlp_unsampled && tcb->srtt && !tcb->syn_out &&
	       tcb->snd_una != tcb->snd_nxt;
}

/*
 * RFC 8985 7.2: 2 * SRTT from now.  No timer is better than XTCP_TIMER_ERROR.
 *
 * Deviation: RFC 8985 7.2 adds the delay for a flight of one segment; a receiver may
 * keep its ACK until two full-sized ones are there (RFC 9293 3.8.6.3), however
 * many short ones make them up.  And the delay is not added to now, but to when the last
 * segment was sent, since at its arrival the peer's clock began to run (as RFC 7765 4 counts
 * for the timeout): the delayed ACK of all that came before a lost tail has waited that
 * long already.
 */
static u64 probe_at(const struct xtcp_tcb *tcb, u64 now)
{
	u64 pto = tcb->srtt + max_t(u64, tcb->srtt, XTCP_TIMER_ERROR), delay;
	const struct xtcp_range *last = tcb->map_last;

	if (tcb->snd_nxt - tcb->snd_una >= 2 * xtcp_smss(tcb) || !last)
		return now + pto;
	delay = tcb->peer_delack ? tcb->peer_delack : WORST_ACK_DELAY;
	return max(now, last->sent_at + delay) + pto;
}

void xtcp_tlp_schedule(struct xtcp_tcb *tcb, u64 now)
{
	u64 rto = tcb->deadline[XTCP_T_REXMT];

	tcb->deadline[XTCP_T_TLP] = 0;
	if (rto && wanted(tcb))
		tcb->deadline[XTCP_T_TLP] = min(probe_at(tcb, now), rto);
}

void xtcp_loss_on_tlp(struct xtcp_tcb *tcb, u64 now)
{
	tcb->deadline[XTCP_T_TLP] = 0;
	if (!wanted(tcb))
		return;
	tcb->tlp_due = 1;
	tcb->deadline[XTCP_T_REXMT] = now + xtcp_rto(tcb);	/* 7.3 */
}

void xtcp_tlp_sent(struct xtcp_tcb *tcb, bool again)
{
	tcb->tlp_due = 0;
	tcb->tlp_out = 1;
	tcb->tlp_again = again;
	tcb->tlp_unsampled = 1;
	tcb->tlp_end_seq = tcb->snd_nxt;
	tcb->deadline[XTCP_T_TLP] = 0;
}

void xtcp_tlp_forget(struct xtcp_tcb *tcb)
{
	tcb->tlp_out = 0;
	tcb->tlp_due = 0;
	tcb->deadline[XTCP_T_TLP] = 0;
}

/* The peer had the segment already.  A FIN is in no block (RFC 2883). */
static bool is_duplicate(const struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	return m->dsack && (m->dsack_end == tcb->tlp_end_seq ||
			    (tcb->fin_queued && m->dsack_end + 1 == tcb->tlp_end_seq));
}

/* The probe has repaired a loss that nothing else has shown: 7.4.2, last case */
static void repaired(struct xtcp_tcb *tcb, u64 now)
{
	tcb->notes |= XTCP_N_TLP_REPAIRED;
	if (tcb->recovery != XTCP_OPEN)
		return;
	xtcp_cc_congestion(tcb, XTCP_CC_LOSS, now);
	tcb->cwnd = min(tcb->cwnd, tcb->ssthresh);
}

void xtcp_tlp_on_ack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
		     struct xtcp_map_acked *m, u8 ack_flags)
{
	if (before(seg->ack, tcb->tlp_end_seq))
		return;
	if (!tcb->tlp_again) {
		tcb->tlp_out = 0;
	} else if (is_duplicate(tcb, m)) {
		tcb->tlp_out = 0;
		m->dsack = false;	/* no mistake of RACK, nor of a recovery */
	} else if (after(seg->ack, tcb->tlp_end_seq)) {
		tcb->tlp_out = 0;
		repaired(tcb, m->now);
	} else if (!ack_flags && !seg->opt.nr_sack && !seg->len) {
		tcb->tlp_out = 0;	/* a duplicate ACK that says no more */
	}
}
