/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HyStart++ (RFC 9406): leave the first slow start when the round trip grows, by way
 * of Conservative Slow Start.  A helper for controllers: they keep the struct in
 * their private memory and ask it for the growth of cwnd.
 */
#ifndef _XTCP_HYSTART_H
#define _XTCP_HYSTART_H

#include "cc.h"

/* RFC 9406 4.3 */
#define XTCP_HS_MIN_RTT_THRESH	(4 * XTCP_NSEC_PER_MSEC)
#define XTCP_HS_MAX_RTT_THRESH	(16 * XTCP_NSEC_PER_MSEC)
#define XTCP_HS_MIN_RTT_DIVISOR	8
#define XTCP_HS_N_RTT_SAMPLE	8
#define XTCP_HS_GROWTH_DIVISOR	4
#define XTCP_HS_CSS_ROUNDS	5
#define XTCP_HS_L		8	/* SMSS an ACK, where sending is not paced */

/**
 * struct xtcp_hystart - one slow start; times in ns, 0 = infinity, not known
 * @last_min: lastRoundMinRTT
 * @cur_min: currentRoundMinRTT
 * @css_base: cssBaselineMinRtt; known: the phase is CSS
 * @window_end: windowEnd
 * @samples: rttSampleCount, counted to XTCP_HS_N_RTT_SAMPLE
 * @css_rounds: rounds of CSS, the running one included
 */
struct xtcp_hystart {
	u64 last_min;
	u64 cur_min;
	u64 css_base;
	u32 window_end;
	u8 samples;
	u8 css_rounds;
};

/** xtcp_hystart_init() - slow start begins, or goes on after an idle time */
void xtcp_hystart_init(struct xtcp_hystart *h, const struct xtcp_tcb *tcb);

/**
 * xtcp_hystart_due() - does this slow start want HyStart++?
 * RFC 9406 4.3: the initial one only, while ssthresh is arbitrarily high.
 */
bool xtcp_hystart_due(const struct xtcp_tcb *tcb);

/**
 * xtcp_hystart_on_ack() - one ACK in the initial slow start
 * Raises tcb->cwnd if @a->limited, and sets ssthresh to it where slow start is over.
 */
void xtcp_hystart_on_ack(struct xtcp_hystart *h, struct xtcp_tcb *tcb,
			 const struct xtcp_cc_ack *a);

#endif
