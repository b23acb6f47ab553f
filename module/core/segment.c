// SPDX-License-Identifier: GPL-2.0
/*
 * Is this segment acceptable?  The first five checks of RFC 9293 3.10.7.4 as
 * RFC 5961 and RFC 7323 amended them, and the clock of the timestamps.  Judges
 * only: what the verdict costs (drop, ACK, challenge ACK, reset) is up to input.c,
 * which calls this once for a segment off the fast path.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "tcb.h"

/* RFC 9293 3.4, the four cases, with RCV.NXT + RCV.WND = rcv_adv.  What counts
 * as a deviation is wider than the RFC, never narrower:
 *
 * Deviation: with a zero window a segment at RCV.NXT with text passes, since its
 * ACK, URG and FIN are good (3.10.7.4, first, "special allowance"); its text is
 * cut to the window, that is to nothing, by xtcp_rx_data().
 *
 * Deviation: a segment without text exactly at the right edge passes.  A peer that has
 * filled our window numbers its ACKs so, and we would be deaf to them otherwise.
 */
static bool in_window(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	u32 wnd = tcb->rcv_adv - tcb->rcv_nxt;
	u32 first = seg->seq - tcb->rcv_nxt;
	u32 last = seg->end_seq - 1 - tcb->rcv_nxt;

	if (!wnd)
		return first == 0;
	if (seg->seq == seg->end_seq)
		return first <= wnd;
	return first < wnd || last < wnd;
}

/* RFC 7323 5.5: after 2^31 ticks, less a margin, TS.Recent says nothing any more, since
 * the peer's clock may have wrapped.
 */
static bool recent_is_old(const struct xtcp_tcb *tcb, u64 now)
{
	return now - tcb->ts_recent_at > (tcb->ts_us ? XTCP_PAWS_IDLE_US : XTCP_PAWS_IDLE);
}

/*
 * An ACK without text that others have overtaken; it may bring SACK blocks that none of
 * them does.  One round trip reorders no more than what came within a timeout.
 * Deviation: RFC 7323 5.3 R1 drops it.  It has no text to be mistaken for new, and an
 * old window is told by SND.WL1 and SND.WL2.
 */
static bool late_ack(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	u32 tick = tcb->ts_us ? XTCP_NSEC_PER_USEC : XTCP_NSEC_PER_MSEC;

	return seg->seq == tcb->rcv_nxt && seg->end_seq == seg->seq && seg->flags & XTCP_ACK &&
	       tcb->ts_recent - seg->opt.tsval <= div_u64(max(tcb->rto, tcb->rto_min), tick);
}

/* RFC 7323 5.3 R1.
 * Deviation: 3.2 would have us drop a segment that lacks the timestamp; like most
 * stacks we take it, since middleboxes strip options.
 */
static bool paws_reject(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now)
{
	if (!tcb->ts_ok || !(seg->opt.present & XTCP_HAS_TS))
		return false;
	if (!before(seg->opt.tsval, tcb->ts_recent))
		return false;
	return !recent_is_old(tcb, now) && !late_ack(tcb, seg);
}

/* RFC 5961 3.2 as in RFC 9293 3.10.7.4, second: only the exact number resets */
static enum xtcp_verdict check_rst(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	if (seg->seq == tcb->rcv_nxt)
		return XTCP_V_RESET;
	if (seg->seq - tcb->rcv_nxt < tcb->rcv_adv - tcb->rcv_nxt)
		return XTCP_V_CHALLENGE_RST;
	return XTCP_V_DROP_RST;
}

/* Line 6 of RFC 9293 figure 8: in a simultaneous open the peer's SYN comes a
 * second time, with the ACK that completes the handshake.  By then its number
 * lies left of the window.
 */
static bool simultaneous_syn_ack(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	return tcb->state == TCP_SYN_RECV && (seg->flags & XTCP_ACK) &&
	       seg->seq + 1 == seg->end_seq && seg->end_seq == tcb->rcv_nxt &&
	       seg->seq == tcb->irs && seg->ack == tcb->snd_nxt;
}

/* RFC 9293 3.10.7.4, fifth; for SYN-RECEIVED an ACK must cover our SYN, for the
 * rest RFC 5961 5.2 says how old one may be.
 */
static enum xtcp_verdict check_ack(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	u32 oldest = tcb->snd_una - tcb->max_snd_wnd;

	if (!(seg->flags & XTCP_ACK))
		return XTCP_V_DROP_NOACK;
	if (tcb->state == TCP_SYN_RECV)
		oldest = tcb->snd_una + 1;
	if (between(seg->ack, oldest, tcb->snd_nxt))
		return XTCP_V_OK;
	return after(seg->ack, tcb->snd_nxt) ? XTCP_V_DROP_ACK_NEW : XTCP_V_DROP_ACK_OLD;
}

enum xtcp_verdict xtcp_segment_check(const struct xtcp_tcb *tcb,
				     const struct xtcp_segment *seg, u64 now)
{
	if (seg->flags & XTCP_RST)
		return check_rst(tcb, seg);
	if (paws_reject(tcb, seg, now))
		return XTCP_V_DROP_PAWS;
	if (seg->flags & XTCP_SYN) {
		if (simultaneous_syn_ack(tcb, seg))
			return XTCP_V_OK;
		return XTCP_V_CHALLENGE_SYN;	/* wherever it lies, RFC 5961 4.2 */
	}
	if (!in_window(tcb, seg))
		return XTCP_V_DROP_SEQ;
	return check_ack(tcb, seg);
}

void xtcp_ts_update(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now)
{
	if (!tcb->ts_ok || !(seg->opt.present & XTCP_HAS_TS))
		return;
	/* the segment must cover Last.ACK.sent, so that a delayed ACK echoes the
	 * earliest one (RFC 7323 4.3)
	 */
	if (after(seg->seq, tcb->rcv_acked))
		return;
	if (before(seg->opt.tsval, tcb->ts_recent) && !recent_is_old(tcb, now))
		return;
	tcb->ts_recent = seg->opt.tsval;
	tcb->ts_recent_at = now;
}

u64 xtcp_ts_rtt(const struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now)
{
	s32 ticks = xtcp_ts_now(tcb, now) - o->tsecr;

	if (!tcb->ts_ok || !(o->present & XTCP_HAS_TS) || !o->tsecr || ticks < 0 ||
	    tcb->ts_mixed)
		return 0;
	return max(ticks, 1) * (tcb->ts_us ? XTCP_NSEC_PER_USEC : XTCP_NSEC_PER_MSEC);
}

/* Deviation: RFC 7323 5.4 wants ticks of 1 ms to 1 s.  A us tells apart what happens within
 * a short round trip, and both ends have agreed on it.
 */
u32 xtcp_ts_ticks(u64 now, u8 unit)
{
	if (unit == XTCP_UNIT_US)
		return (u32)div_u64(now, XTCP_NSEC_PER_USEC);
	return (u32)div_u64(now, XTCP_NSEC_PER_MSEC);
}

u32 xtcp_ts_now(const struct xtcp_tcb *tcb, u64 now)
{
	return xtcp_ts_ticks(now, tcb->ts_us) + tcb->ts_offset;
}
