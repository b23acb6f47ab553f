// SPDX-License-Identifier: GPL-2.0
/*
 * What two XTCPs agree on beyond TCP: how long each holds back an ACK at most, so that
 * the other need not wait for more, and the unit of the timestamps.  The option is
 * in wire.h; who does not answer it is an ordinary TCP.  Called where SYNs are made
 * and read: tcb.c, tx.c, and request.c for connections that are no tcb yet.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "tcb.h"

void xtcp_nego_fill(u64 ack_delay, u8 ts_unit, struct xtcp_options *o)
{
	/* rounded up: what is promised must hold */
	u64 us = div_u64(ack_delay + XTCP_NSEC_PER_USEC - 1, XTCP_NSEC_PER_USEC);

	o->present |= XTCP_HAS_NEGO;
	o->ts_unit = ts_unit;
	o->ack_delay = min_t(u64, us, XTCP_ACK_DELAY_MAX);
}

u64 xtcp_nego_delay(u32 us)
{
	return max(us * XTCP_NSEC_PER_USEC, XTCP_TIMER_ERROR);
}

/* From us to ms.  If several SYNs have left, one before the last may be the one that is
 * answered: its echo can be read by the old clock only, here and now.
 */
static void go_on_in_ms(struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now)
{
	const struct xtcp_range *syn = xtcp_map_first(tcb);
	u64 at = syn ? syn->sent_at : now, rtt;

	if (tcb->syn_rexmit) {
		rtt = xtcp_ts_rtt(tcb, o, now);
		if (rtt)
			xtcp_rtt_sample(tcb, rtt, now);
		tcb->ts_mixed = 1;
	}
	tcb->ts_offset += xtcp_ts_ticks(at, XTCP_UNIT_US) - xtcp_ts_ticks(at, XTCP_UNIT_MS);
	tcb->ts_us = 0;
}

void xtcp_nego_take(struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now)
{
	tcb->nego_ok = tcb->nego_ok && o->present & XTCP_HAS_NEGO;
	if (tcb->ts_us && !(tcb->nego_ok && o->ts_unit == XTCP_UNIT_US))
		go_on_in_ms(tcb, o, now);
	tcb->peer_delack = tcb->nego_ok ? xtcp_nego_delay(o->ack_delay) : 0;
}

/* A promise covers the error of the timer too, so that is started earlier; a short
 * one would leave no time to wait at all, and is kept to half of it.
 */
u64 xtcp_delack(const struct xtcp_tcb *tcb)
{
	u64 promised = tcb->ack_delay;

	if (!tcb->nego_ok || !tcb->delack_max)
		return tcb->delack_max;
	if (promised > 2 * XTCP_TIMER_ERROR)
		promised -= XTCP_TIMER_ERROR;
	else
		promised /= 2;
	return min(promised, tcb->delack_max);
}
