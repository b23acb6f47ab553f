// SPDX-License-Identifier: GPL-2.0
/*
 * Proportional Rate Reduction, RFC 9937: cwnd in fast recovery with SACK, so that what
 * is in flight glides from what it was to ssthresh, and losses beyond that do not
 * stop the ACK clock.  Owns the prr fields and, in that phase, cwnd.  Never marks,
 * never sends.  Called by loss.c; tx.c reports what left.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "loss.h"

static u32 less(u32 a, u32 b)
{
	return a > b ? a - b : 0;
}

/* RFC 9937 6.2: bytes to send for an ACK that delivered so much */
static u32 sndcnt(const struct xtcp_tcb *tcb, u32 delivered, bool safe)
{
	u32 pipe = xtcp_pipe(tcb), mss = xtcp_smss(tcb), n;
	u64 share;

	if (pipe > tcb->ssthresh) {
		share = (u64)tcb->prr_delivered * tcb->ssthresh + tcb->recover_fs - 1;
		share = div_u64(share, tcb->recover_fs);
		n = less(min_t(u64, share, XTCP_CWND_MAX), tcb->prr_out);
	} else {
		n = max(less(tcb->prr_delivered, tcb->prr_out), delivered);
		if (safe)	/* SSRB: recovery goes well */
			n += mss;
		n = min(tcb->ssthresh - pipe, n);
	}
	/* the fast retransmit leaves at once, and as a whole segment */
	if (!tcb->prr_out && n < mss)
		n = mss;
	return n;
}

static void set_cwnd(struct xtcp_tcb *tcb, u32 delivered, bool safe)
{
	u32 cwnd = xtcp_pipe(tcb) + sndcnt(tcb, delivered, safe);

	tcb->cwnd = max(cwnd, xtcp_smss(tcb));
}

void xtcp_prr_enter(struct xtcp_tcb *tcb, u32 delivered)
{
	tcb->prr_delivered = delivered;
	tcb->prr_out = 0;
	/* RecoverFS: without what was SACKed before, with what this ACK delivered */
	tcb->recover_fs = tcb->snd_nxt - tcb->snd_una - tcb->sacked_bytes + delivered;
	tcb->recover_fs = max(tcb->recover_fs, 1u);
	set_cwnd(tcb, delivered, false);
}

void xtcp_prr_on_ack(struct xtcp_tcb *tcb, u32 delivered, bool safe)
{
	if (!delivered)
		return;
	tcb->prr_delivered += delivered;
	set_cwnd(tcb, delivered, safe);
}
