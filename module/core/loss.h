/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of loss recovery (ack.c, loss.c, rack.c, prr.c, tlp.c,
 * undo.c) have for each other and for tx.c.  Nobody else includes this.
 */
#ifndef _XTCP_LOSS_H
#define _XTCP_LOSS_H

#include "tcb.h"

/* ---- rack.c: RFC 8985 section 6 ---- */

/** xtcp_rack_update() - steps 1 to 3: what an ACK says about time and order */
void xtcp_rack_update(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m);

/** xtcp_rack_dsack() - a retransmission was a duplicate: a wider window (step 4) */
void xtcp_rack_dsack(struct xtcp_tcb *tcb);

/** xtcp_rack_recovered() - a recovery has ended (step 4) */
void xtcp_rack_recovered(struct xtcp_tcb *tcb);

/**
 * xtcp_rack_detect() - step 5: mark what is lost, set the REO deadline for the rest
 * O(1) and what it marks.
 * Return: bytes newly marked.
 */
u32 xtcp_rack_detect(struct xtcp_tcb *tcb, u64 now);

/** xtcp_rack_mark_on_rto() - 6.3: what was sent long enough ago is lost */
void xtcp_rack_mark_on_rto(struct xtcp_tcb *tcb, u64 now);

/* ---- prr.c: RFC 9937 ---- */

/** xtcp_prr_enter() - fast recovery begins, ssthresh is set; the ACK had news of so many bytes */
void xtcp_prr_enter(struct xtcp_tcb *tcb, u32 delivered);

/** xtcp_prr_on_ack() - sets cwnd; @safe: SND.UNA advanced and no further loss was found */
void xtcp_prr_on_ack(struct xtcp_tcb *tcb, u32 delivered, bool safe);

/** xtcp_prr_sent() - so many bytes left, new or again */
static inline void xtcp_prr_sent(struct xtcp_tcb *tcb, u32 bytes)
{
	if (tcb->recovery == XTCP_RECOVERY)
		tcb->prr_out += bytes;
}

/* ---- tlp.c: RFC 8985 section 7 ---- */

/** xtcp_tlp_schedule() - something new was sent, or SND.UNA advanced: set the TLP deadline */
void xtcp_tlp_schedule(struct xtcp_tcb *tcb, u64 now);

/** xtcp_tlp_sent() - the probe left; @again: the last segment once more, not new data */
void xtcp_tlp_sent(struct xtcp_tcb *tcb, bool again);

/** xtcp_tlp_forget() - a recovery begins: nothing more to learn from a probe */
void xtcp_tlp_forget(struct xtcp_tcb *tcb);

/** xtcp_tlp_on_ack() - 7.4.2, while tlp_out; takes a DSACK that is for the probe out of @m */
void xtcp_tlp_on_ack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg,
		     struct xtcp_map_acked *m, u8 ack_flags);

/* ---- undo.c: RFC 3522, 4015, 5682 ---- */

/** xtcp_undo_begin() - a reduction comes; called before ssthresh, cwnd and recovery change */
void xtcp_undo_begin(struct xtcp_tcb *tcb, enum xtcp_undo kind);

/** xtcp_undo_resent() - so many bytes that were lost left again */
void xtcp_undo_resent(struct xtcp_tcb *tcb, u32 bytes, u64 now);

/** xtcp_undo_on_ack() - before loss.c acts on the ACK
 * Return: the reduction was wrong; it is taken back and the recovery, if any, is over.
 */
bool xtcp_undo_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u8 ack_flags);

/** xtcp_undo_left() - the recovery has ended; duplicates may still be reported */
static inline void xtcp_undo_left(struct xtcp_tcb *tcb)
{
	tcb->undo_end = tcb->snd_nxt;
	tcb->frto = XTCP_FRTO_OFF;
}

/* ---- loss.c ---- */

/** xtcp_loss_on_ack() - an ACK that matters to recovery: enter, stay, leave, mark lost */
void xtcp_loss_on_ack(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m,
		      u8 ack_flags, u64 now);

#endif
