// SPDX-License-Identifier: GPL-2.0
/*
 * Explicit Congestion Notification (RFC 3168) and DCTCP's exact echo (RFC 8257 3.2):
 * what the SYNs agree on, the echo to the peer, the answer to its echo.  Owns the ecn
 * fields of the tcb; moves cwnd once per window of marked data.  Never looks into an IP
 * header: the glue reads the codepoint and writes it.  Called by ack.c and the glue.
 */
#include <linux/minmax.h>

#include "tcb.h"
#include "cc.h"

#define SETUP_BITS	(XTCP_SYN | XTCP_ACK | XTCP_ECE | XTCP_CWR)

/* RFC 3168 6.1.1: ECN-setup SYN; both bits in an answer are an echo of a broken host */
bool xtcp_ecn_setup_syn(u8 flags)
{
	return (flags & SETUP_BITS) == (XTCP_SYN | XTCP_ECE | XTCP_CWR);
}

bool xtcp_ecn_setup_syn_ack(u8 flags)
{
	return (flags & SETUP_BITS) == (XTCP_SYN | XTCP_ACK | XTCP_ECE);
}

void xtcp_ecn_start(struct xtcp_tcb *tcb)
{
	tcb->ecn_ok = 1;
	tcb->ecn_point = tcb->snd_una;
}

static bool echoes_exactly(const struct xtcp_tcb *tcb)
{
	return tcb->cc && tcb->cc->flags & XTCP_CC_ECN;
}

/* ---- receiver ---- */

bool xtcp_ecn_ack_first(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	return tcb->ecn_ok && seg->len && echoes_exactly(tcb) &&
	       tcb->ecn_echo != (seg->ecn == XTCP_ECN_CE) && tcb->rcv_nxt != tcb->rcv_acked;
}

/* RFC 8257 3.2: the echo is the state of the last segment, and a change is told at once */
static void echo_exactly(struct xtcp_tcb *tcb, bool ce)
{
	if (tcb->ecn_echo != ce)
		tcb->todo |= XTCP_ACK_NOW;
	tcb->ecn_echo = ce;
}

/* RFC 3168 6.1.3: from a mark until the sender has answered it */
static void echo_until_cwr(struct xtcp_tcb *tcb, u8 flags, bool ce)
{
	if (flags & XTCP_CWR)
		tcb->ecn_echo = 0;
	if (ce && !tcb->ecn_echo) {
		tcb->ecn_echo = 1;
		tcb->todo |= XTCP_ACK_NOW;
	}
}

void xtcp_ecn_rcv(struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	bool ce = seg->ecn == XTCP_ECN_CE;

	if (seg->ecn)
		tcb->ecn_seen = 1;
	if (!tcb->ecn_ok || !seg->len)
		return;
	if (echoes_exactly(tcb))
		echo_exactly(tcb, ce);
	else
		echo_until_cwr(tcb, seg->flags, ce);
}

/* ---- sender ---- */

u8 xtcp_ecn_flags(const struct xtcp_tcb *tcb, const struct xtcp_tx *what)
{
	if ((what->flags & (XTCP_SYN | XTCP_ACK)) == XTCP_SYN) {
		/* RFC 3168 6.1.1.1: again without, where a host drops such a SYN */
		if (!tcb->ecn_offer || (what->kind != XTCP_TX_NEW && tcb->ecn_fallback))
			return 0;
		return XTCP_ECE | XTCP_CWR;
	}
	if (!tcb->ecn_ok || what->flags & (XTCP_SYN | XTCP_RST))
		return 0;
	return tcb->ecn_echo ? XTCP_ECE : 0;
}

u8 xtcp_ecn_codepoint(const struct xtcp_tcb *tcb, const struct xtcp_tx *what)
{
	/* RFC 3168 6.1.4 to 6.1.6: no pure ACK, no retransmission, no probe */
	if (!tcb->ecn_ok || what->kind != XTCP_TX_NEW || what->flags & XTCP_SYN)
		return XTCP_ECN_NOT_ECT;
	return what->seq != what->end_seq ? XTCP_ECN_ECT_0 : XTCP_ECN_NOT_ECT;
}

void xtcp_ecn_reduced(struct xtcp_tcb *tcb)
{
	if (!tcb->ecn_ok)
		return;
	tcb->ecn_cwr = 1;
	tcb->ecn_point = tcb->snd_nxt;
}

void xtcp_ecn_undone(struct xtcp_tcb *tcb)
{
	tcb->ecn_cwr = 0;
	tcb->ecn_point = tcb->snd_una;
}

/* RFC 3168 6.1.2: at most once for each window of data, and not on top of a loss */
static bool reduction_due(const struct xtcp_tcb *tcb)
{
	return tcb->recovery == XTCP_OPEN && tcb->cc && !before(tcb->snd_una, tcb->ecn_point);
}

bool xtcp_ecn_on_echo(struct xtcp_tcb *tcb, u64 now)
{
	if (!reduction_due(tcb))
		return false;
	xtcp_cc_congestion(tcb, XTCP_CC_ECN_MARK, now);
	tcb->cwnd = min(tcb->cwnd, tcb->ssthresh);
	return true;
}
