// SPDX-License-Identifier: GPL-2.0
/*
 * HyStart++ (RFC 9406), see hystart.h.  Owns nothing but the struct that the caller
 * keeps.  Never reacts to loss: a loss sets ssthresh, and slow start is over by that.
 * Called by controllers.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "hystart.h"

void xtcp_hystart_init(struct xtcp_hystart *h, const struct xtcp_tcb *tcb)
{
	memset(h, 0, sizeof(*h));
	h->window_end = tcb->snd_nxt;
}

bool xtcp_hystart_due(const struct xtcp_tcb *tcb)
{
	return tcb->ssthresh >= XTCP_SSTHRESH_INIT && tcb->recovery == XTCP_OPEN;
}

static bool in_css(const struct xtcp_hystart *h)
{
	return h->css_base;
}

/*
 * RFC 9406 4.2, 4.3: N, at most L * SMSS for each ACK unless paced, a quarter in CSS.
 * Deviation: L is as many segments as one super-packet carries, where that is more:
 * the peer answers one with one ACK, and what that releases is one super-packet.
 */
static u32 growth(const struct xtcp_hystart *h, const struct xtcp_tcb *tcb, u32 acked)
{
	u32 n = acked;

	if (!tcb->pacing_rate)
		n = min(acked, max(XTCP_HS_L * xtcp_smss(tcb), tcb->gso_max));
	return in_css(h) ? n / XTCP_HS_GROWTH_DIVISOR : n;
}

static void take_sample(struct xtcp_hystart *h, u64 rtt)
{
	if (!rtt)
		return;
	h->cur_min = h->cur_min ? min(h->cur_min, rtt) : rtt;
	if (h->samples < XTCP_HS_N_RTT_SAMPLE)
		h->samples++;
}

static u64 rtt_thresh(const struct xtcp_hystart *h)
{
	return max_t(u64, XTCP_HS_MIN_RTT_THRESH,
		     min_t(u64, h->last_min / XTCP_HS_MIN_RTT_DIVISOR,
			   XTCP_HS_MAX_RTT_THRESH));
}

/* Into CSS when the round trip has grown; out of it when that was nothing. */
static void change_phase(struct xtcp_hystart *h)
{
	if (h->samples < XTCP_HS_N_RTT_SAMPLE)
		return;
	if (in_css(h)) {
		if (h->cur_min < h->css_base)
			h->css_base = 0;
	} else if (h->last_min && h->cur_min >= h->last_min + rtt_thresh(h)) {
		h->css_base = h->cur_min;
		h->css_rounds = 1;	/* a partial round counts */
	}
}

/* Return: slow start is over. */
static bool next_round(struct xtcp_hystart *h, const struct xtcp_tcb *tcb)
{
	if (before(tcb->snd_una, h->window_end))
		return false;
	h->window_end = tcb->snd_nxt;
	h->last_min = h->cur_min;
	h->cur_min = 0;
	h->samples = 0;
	return in_css(h) && h->css_rounds++ >= XTCP_HS_CSS_ROUNDS;
}

void xtcp_hystart_on_ack(struct xtcp_hystart *h, struct xtcp_tcb *tcb,
			 const struct xtcp_cc_ack *a)
{
	if (a->limited)
		tcb->cwnd = min_t(u32, tcb->cwnd + growth(h, tcb, a->acked), XTCP_CWND_MAX);
	take_sample(h, a->rtt);
	change_phase(h);
	if (next_round(h, tcb))
		tcb->ssthresh = tcb->cwnd;
}
