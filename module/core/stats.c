// SPDX-License-Identifier: GPL-2.0
/*
 * What struct tcp_info tells of a sender beyond its counters: what was delivered and how
 * fast, what it was waiting for, its timeouts.  Owns those fields; decides nothing.
 * Called by ack.c, tx.c, output.c after each flush, and timer.c.
 *
 * The delivery rate is measured by rounds: what was delivered between an ACK and
 * the ACK of all that was in flight then.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "tcb.h"

/* ---- delivery rate ---- */

static void begin_round(struct xtcp_tcb *tcb, u32 end, u64 at)
{
	tcb->round_end = end;
	tcb->round_at = at;
	tcb->round_bytes = 0;
	tcb->round_limited = 0;
}

/* A round in which the user had nothing to send says less than the path can do: it
 * counts where it shows more than is known.
 */
static void end_round(struct xtcp_tcb *tcb, u64 now)
{
	u64 rate;

	/* a round is a little less than a round trip; much less: ACKs came in one heap */
	if (now <= tcb->round_at || now - tcb->round_at < tcb->min_rtt / 2)
		return;
	rate = div64_u64(tcb->round_bytes * XTCP_NSEC_PER_SEC, now - tcb->round_at);
	if (tcb->round_limited && rate < tcb->delivery_rate)
		return;
	tcb->delivery_rate = rate;
	tcb->delivery_limited = tcb->round_limited;
}

void xtcp_stats_sent(struct xtcp_tcb *tcb, const struct xtcp_tx *what)
{
	if (what->seq == tcb->snd_una)		/* nothing was in flight */
		begin_round(tcb, what->end_seq, what->at);
}

static u32 segments(const struct xtcp_tcb *tcb, u32 bytes)
{
	u32 mss = xtcp_smss(tcb);

	return bytes <= mss ? !!bytes : (bytes + mss - 1) / mss;
}

void xtcp_stats_duplicate(struct xtcp_tcb *tcb, u32 bytes)
{
	tcb->dsack_dups += segments(tcb, bytes);
}

void xtcp_stats_acked(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u64 now)
{
	if (m->reordered)
		tcb->reord_events++;
	if (!m->delivered)
		return;
	tcb->delivered += segments(tcb, m->delivered);
	tcb->round_bytes += m->delivered;
	if (before(tcb->snd_una, tcb->round_end))
		return;
	end_round(tcb, now);
	begin_round(tcb, tcb->snd_nxt, now);
}

/* ---- what it waits for ---- */

static u8 waits_for(const struct xtcp_tcb *tcb, bool user_waits)
{
	u32 edge = tcb->snd_una + tcb->snd_wnd, unsent = tcb->write_seq - tcb->snd_nxt;
	bool room = xtcp_pipe(tcb) + xtcp_smss(tcb) <= tcb->cwnd;

	if (tcb->syn_out || tcb->snd_una == tcb->write_seq + tcb->fin_queued)
		return XTCP_BUSY_NOT;
	if (!room || (s32)unsent < 0 || tcb->lost_bytes)
		return XTCP_BUSY;
	if (unsent && before(edge, tcb->snd_nxt + min(unsent, xtcp_smss(tcb))))
		return XTCP_BUSY_RWND;
	if (!unsent && user_waits)
		return XTCP_BUSY_SNDBUF;
	return XTCP_BUSY;
}

void xtcp_stats_flushed(struct xtcp_tcb *tcb, bool user_waits, u64 now)
{
	u8 what = waits_for(tcb, user_waits);

	if (what == XTCP_BUSY && tcb->snd_nxt == tcb->write_seq && !tcb->lost_bytes &&
	    xtcp_pipe(tcb) < tcb->cwnd)
		tcb->round_limited = 1;
	if (what == tcb->busy)
		return;
	if (tcb->busy != XTCP_BUSY_NOT)
		tcb->busy_ns[tcb->busy - 1] = xtcp_stats_busy(tcb, tcb->busy, now);
	tcb->busy = what;
	tcb->busy_at = now;
}

u64 xtcp_stats_busy(const struct xtcp_tcb *tcb, u8 what, u64 now)
{
	u64 ns = tcb->busy_ns[what - 1];

	if (what == tcb->busy && now > tcb->busy_at)
		ns += now - tcb->busy_at;
	return ns;
}

/* ---- timeouts ---- */

void xtcp_stats_rto(struct xtcp_tcb *tcb, u64 now)
{
	tcb->total_rto++;
	if (tcb->rto_since)
		return;
	tcb->total_rto_recoveries++;
	tcb->rto_since = now;
}

void xtcp_stats_rto_over(struct xtcp_tcb *tcb, u64 now)
{
	tcb->total_rto_ns += now - tcb->rto_since;
	tcb->rto_since = 0;
}
