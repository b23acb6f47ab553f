// SPDX-License-Identifier: GPL-2.0
/*
 * Was a recovery needless?  Then its reduction is taken back: Eifel detection by
 * timestamps (RFC 3522), F-RTO (RFC 5682), and duplicates reported by DSACK (RFC 2883)
 * for all that was retransmitted; the response is that of RFC 4015.  Owns the undo
 * fields.  Never marks a loss, never sends.  Called by loss.c and tx.c.
 */
#include <linux/minmax.h>

#include "loss.h"
#include "cc.h"

enum { EIFEL_OFF, EIFEL_WAITS, EIFEL_STAMPED };

/* ---- what is kept ---- */

void xtcp_undo_begin(struct xtcp_tcb *tcb, enum xtcp_undo kind)
{
	tcb->undo = kind;
	tcb->prior_ssthresh = tcb->ssthresh;
	tcb->prior_cwnd = tcb->cwnd;
	if (tcb->recovery == XTCP_RECOVERY)	/* what it was on its way to */
		tcb->prior_cwnd = max(tcb->cwnd, tcb->ssthresh);
	tcb->undo_una = tcb->snd_una;
	tcb->undo_bytes = 0;
	tcb->undo_resent = 0;
	tcb->eifel = tcb->ts_ok ? EIFEL_WAITS : EIFEL_OFF;
}

void xtcp_undo_resent(struct xtcp_tcb *tcb, u32 bytes, u64 now)
{
	if (!tcb->undo)
		return;
	tcb->undo_resent = 1;
	tcb->undo_bytes += bytes;
	/* RFC 3522 3.2 step 2: of the first retransmission */
	if (tcb->eifel == EIFEL_WAITS) {
		tcb->eifel = EIFEL_STAMPED;
		tcb->eifel_ts = xtcp_ts_now(tcb, now);
	}
}

/* ---- the response ---- */

/*
 * Deviation: RFC 4015 3 gives cwnd FlightSize + min(bytes_acked, IW) and lets slow start
 * find the rest.  Nothing was lost, so what was in flight still counts in pipe, and the
 * old cwnd lets out no more than has been acknowledged.
 */
static void take_back(struct xtcp_tcb *tcb, u16 how, u64 now)
{
	bool rto = tcb->undo == XTCP_UNDO_RTO;

	tcb->undo = XTCP_UNDO_NONE;
	tcb->notes |= how;
	tcb->cwnd = max(tcb->cwnd, tcb->prior_cwnd);
	tcb->ssthresh = max(tcb->ssthresh, tcb->prior_ssthresh);
	xtcp_cc_undo(tcb, now);
	if (rto) {
		tcb->notes |= XTCP_N_SPURIOUS_RTO;
		xtcp_rto_undone(tcb);
	} else {
		tcb->reord_seen = 1;	/* it was late, not lost */
	}
	if (tcb->recovery == XTCP_OPEN)
		return;
	xtcp_map_unmark(tcb);
	tcb->recovery = XTCP_OPEN;
	tcb->recovery_point = tcb->snd_una - 1;
	tcb->dupacks = 0;
	tcb->force_rexmit = 0;
	tcb->partial_ack = 0;
}

/* ---- detection ---- */

/* RFC 3522 3.2 steps 3, 4: the first ACK that advances tells */
static bool eifel(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	if (tcb->eifel != EIFEL_STAMPED)
		return false;
	tcb->eifel = EIFEL_OFF;
	return m->has_tsecr && before(m->tsecr, tcb->eifel_ts);
}

static bool all_were_duplicates(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m)
{
	u32 len = m->dsack_end - m->dsack_seq;

	if (!tcb->undo_bytes || before(m->dsack_seq, tcb->undo_una))
		return false;
	tcb->undo_bytes -= min(len, tcb->undo_bytes);
	return !tcb->undo_bytes;
}

/* RFC 5682 3.1, steps 2 and 3; without SACK 2.1 says the same. */
static bool frto(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u8 ack_flags)
{
	bool advanced = ack_flags & XTCP_A_DATA_ACKED, beyond;

	if (!advanced && !(ack_flags & XTCP_A_DUP))
		return false;
	if (tcb->frto == XTCP_FRTO_FIRST) {
		if (!advanced)
			tcb->frto = tcb->sack_ok ? XTCP_FRTO_FIRST : XTCP_FRTO_OFF;
		else if (!before(tcb->snd_una, tcb->recovery_point))
			tcb->frto = XTCP_FRTO_OFF;
		else
			tcb->frto = XTCP_FRTO_NEW;
		tcb->frto_left = 2 * xtcp_smss(tcb);
		return false;
	}
	tcb->frto = XTCP_FRTO_OFF;
	beyond = after(tcb->snd_una, tcb->recovery_point) ||
		 (m->newly_sacked && after(tcb->high_sacked, tcb->recovery_point));
	if (m->original && !beyond)
		return true;
	/* step 3a; without SACK the duplicate's segment is not seen to have left pipe */
	tcb->cwnd = 3 * xtcp_smss(tcb);
	if (tcb->sack_ok)
		tcb->cwnd -= xtcp_smss(tcb);
	return false;
}

bool xtcp_undo_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u8 ack_flags)
{
	u16 how = 0;

	if (tcb->frto && frto(tcb, m, ack_flags))
		how = XTCP_N_UNDO_FRTO;
	if (!tcb->undo)
		return false;
	if (ack_flags & XTCP_A_DATA_ACKED && eifel(tcb, m))
		how = XTCP_N_UNDO_EIFEL;
	if (m->dsack && all_were_duplicates(tcb, m))
		how = XTCP_N_UNDO_DSACK;
	/* all of it arrived before any of it was sent again */
	if (tcb->recovery != XTCP_OPEN && !tcb->undo_resent &&
	    !before(tcb->snd_una, tcb->recovery_point))
		how = XTCP_N_UNDO_EARLY;
	if (how) {
		tcb->frto = XTCP_FRTO_OFF;
		take_back(tcb, how, m->now);
		return true;
	}
	/* duplicates are reported a round trip later, or never */
	if (tcb->recovery == XTCP_OPEN && after(tcb->snd_una, tcb->undo_end))
		tcb->undo = XTCP_UNDO_NONE;
	return false;
}
