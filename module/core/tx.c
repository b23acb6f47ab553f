// SPDX-License-Identifier: GPL-2.0
/*
 * What to send now: lost data, a window probe, new data, FIN, or a bare ACK, under
 * the peer's window, the congestion window, Nagle, silly-window avoidance and cork.
 * Owns SND.NXT, the start of the REXMIT timer and the PERSIST deadline.  Never
 * declares a loss and never touches bytes.  Called by module/output.c only.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "loss.h"
#include "cc.h"

/* How long a tail waits at most: RFC 9293 3.8.6.2.1 wants 0.1 to 1 s (its rule 4) */
#define OVERRIDE_AFTER	(200 * XTCP_NSEC_PER_MSEC)

/* No burst is saved up for that is longer than this at the connection's own rate */
#define TRAIN_NS	XTCP_NSEC_PER_MSEC

/* Bytes of text in [seq, end_seq): without SYN and FIN. */
static u32 text_len(const struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	u32 len = end_seq - seq;

	if (tcb->syn_out && seq == tcb->iss)
		len--;
	if (tcb->fin_queued && after(end_seq, tcb->write_seq))
		len--;
	return len;
}

/* May text and FIN leave in this state (RFC 9293 3.10.2)? */
static bool sends_text(const struct xtcp_tcb *tcb)
{
	switch (tcb->state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return true;
	default:
		return false;
	}
}

/* Bytes that SND.WND still allows from @seq on. */
static u32 window_room(const struct xtcp_tcb *tcb, u32 seq)
{
	u32 edge = tcb->snd_una + tcb->snd_wnd;

	return after(edge, seq) ? edge - seq : 0;
}

static u32 round_down_to(u32 len, u32 mss)
{
	return len - len % mss;
}

/* The longest text of one answer: whole segments. */
static u32 burst_limit(const struct xtcp_tcb *tcb, u32 mss)
{
	u32 most = tcb->gso_max;

	if (tcb->pacing_rate)
		most = xtcp_pace_burst(tcb, most, mss);
	return most > mss ? round_down_to(most, mss) : mss;
}

static u8 text_flags(const struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	u32 text_end = seq + text_len(tcb, seq, end_seq);
	u8 flags = XTCP_ACK;

	/* RFC 9293 3.9.1.2: PSH on the last buffered segment (MUST-61) */
	if (text_end != seq && (text_end == tcb->write_seq ||
				between(tcb->push_seq, seq + 1, text_end)))
		flags |= XTCP_PSH;
	if (text_end != end_seq)
		flags |= XTCP_FIN;
	return flags;
}

static bool answer(struct xtcp_tx *what, u8 kind, u8 flags, u32 seq, u32 end_seq)
{
	what->kind = kind;
	what->flags = flags;
	what->seq = seq;
	what->end_seq = end_seq;
	return true;
}

/* ---- SYN ---- */

static bool next_syn(const struct xtcp_tcb *tcb, u8 kind, struct xtcp_tx *what)
{
	u8 flags = XTCP_SYN;

	if (tcb->state != TCP_SYN_SENT)
		flags |= XTCP_ACK;
	return answer(what, kind, flags, tcb->iss, tcb->iss + 1);
}

/* ---- congestion window ---- */

/*
 * Bytes that cwnd still allows.  With SACK, what the peer reported has left the
 * pipe (RFC 6675 4); without, the first two duplicate ACKs stand for one segment
 * each (RFC 3042 2), and recovery inflates cwnd instead (RFC 6582 3.2).
 */
static u32 cwnd_room(const struct xtcp_tcb *tcb, u32 mss)
{
	u32 pipe = xtcp_pipe(tcb), cwnd = max(tcb->cwnd, mss);

	if (tcb->recovery == XTCP_OPEN && !tcb->sack_ok)
		cwnd += min_t(u32, tcb->dupacks, XTCP_DUPTHRESH - 1) * mss;
	if (tcb->tlp_due)	/* one more, whatever cwnd says: RFC 8985 7.3 */
		return mss;
	if (tcb->frto == XTCP_FRTO_NEW)
		return tcb->frto_left;
	return cwnd > pipe ? cwnd - pipe : 0;
}

/*
 * All that is in flight now was sent into a network that held a whole cwnd: each ACK of
 * it may open cwnd (RFC 5681 3.1, RFC 9438 4.2), also when the user has had nothing more
 * to send since.
 */
static void limited_by_cwnd(struct xtcp_tcb *tcb)
{
	tcb->cwnd_limited = 1;
	tcb->limited_end = tcb->snd_nxt;
}

/* Cut @len to @room, in whole segments; 0 where that leaves nothing. */
static u32 cut_to_cwnd(struct xtcp_tcb *tcb, u32 len, u32 room, u32 mss)
{
	if (len <= room)
		return len;
	limited_by_cwnd(tcb);
	return round_down_to(room, mss);
}

/* ---- retransmission ---- */

/*
 * RFC 9293 3.8.6 (SHLD-16): old data up to SND.UNA + SND.WND is sent again; of a
 * shrunken window the rest waits.
 */
static bool next_rexmit(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	struct xtcp_range *r = xtcp_map_first_lost(tcb);
	u32 mss = xtcp_smss(tcb), room = cwnd_room(tcb, mss), text, len;

	if (tcb->syn_out && r->seq == tcb->iss)
		return next_syn(tcb, XTCP_TX_REXMIT, what);
	if (tcb->force_rexmit)
		room = max(room, mss);
	text = text_len(tcb, r->seq, r->end_seq);
	len = min(min(text, burst_limit(tcb, mss)), window_room(tcb, r->seq));
	len = cut_to_cwnd(tcb, len, room, mss);
	if (len == text && window_room(tcb, r->seq) >= r->end_seq - r->seq)
		len = r->end_seq - r->seq;	/* with its FIN */
	if (!len || xtcp_pace_hold(tcb, now))
		return false;
	return answer(what, XTCP_TX_REXMIT, text_flags(tcb, r->seq, r->seq + len),
		      r->seq, r->seq + len);
}

/* ---- new data ---- */

/*
 * May a segment shorter than SMSS that ends the queue leave now?
 * Nagle (RFC 9293 3.7.4) as Minshall has it: only an unacknowledged short segment
 * holds another one back.  Deviation: RFC 9293 waits for any unacknowledged data.
 */
static bool tail_allowed(const struct xtcp_tcb *tcb)
{
	u32 flight = tcb->snd_nxt - tcb->snd_una;

	if (tcb->fin_queued || tcb->urg_out || tcb->todo & XTCP_PROBE_NOW)
		return true;
	if (tcb->cork || tcb->more)
		return false;
	return tcb->nodelay || tcb->tlp_due || tcb->snd_sml - tcb->snd_una - 1 >= flight;
}

/* Is a segment that the window cuts below SMSS worth sending?  RFC 9293 3.8.6.2.1 (3), (4) */
static bool sliver_allowed(const struct xtcp_tcb *tcb, u32 len)
{
	if (tcb->todo & XTCP_PROBE_NOW)
		return true;
	if (!tcb->nodelay && tcb->snd_nxt != tcb->snd_una)
		return false;
	return len >= tcb->max_snd_wnd / 2;
}

/* @len bytes of text fit all windows; how much of it should leave? */
static u32 without_silly_end(const struct xtcp_tcb *tcb, u32 len, u32 queued, u32 mss)
{
	u32 tail = len < mss ? len : len % mss;

	if (!tail)
		return len;
	if (len == queued)
		return tail_allowed(tcb) ? len : len - tail;
	if (len > tail)
		return len - tail;
	return sliver_allowed(tcb, len) ? len : 0;
}

/*
 * Something waits, and no ACK will come to set it free: the window is closed
 * (RFC 9293 3.8.6.1), or the rest is too small (3.8.6.2.1 (4), or a cork).
 */
static void start_persist(struct xtcp_tcb *tcb, u64 now)
{
	u64 *at = &tcb->deadline[XTCP_T_PERSIST];

	if (tcb->snd_una != tcb->snd_nxt || *at)
		return;
	if (window_room(tcb, tcb->snd_nxt)) {
		*at = now + OVERRIDE_AFTER;
		return;
	}
	*at = now + xtcp_rto(tcb);
	if (!tcb->stalled_at)
		tcb->stalled_at = now;
}

/*
 * Room worth waiting for.  An eighth of the window keeps the ACK clock running.  More than
 * what leaves in TRAIN_NS saves a slow connection no work, but its packets then meet a
 * full queue together, and more of them are lost there than of a smoother sender's.
 * Still fewer are lost of one that sends each segment by itself, as the prompt ACKs of our
 * peer would let us: beside a sender whose peer acknowledges every second one (RFC 9293
 * 3.8.6.3) that takes more than half of a link.  So a part of a second one must fit too.
 */
static u32 worthy(const struct xtcp_tcb *tcb)
{
	u32 wnd = min(tcb->cwnd, tcb->max_snd_wnd), mss = xtcp_smss(tcb), train;

	if (tcb->srtt <= 8 * TRAIN_NS)
		return round_down_to(wnd / 8, mss);
	train = round_down_to(div64_u64((u64)wnd * TRAIN_NS, tcb->srtt), mss);
	return train <= mss && wnd / 8 >= 2 * mss ? mss + mss / 4 : train;
}

/*
 * While ACKs are on their way, a window that has opened by a sliver will soon be open
 * further: a longer burst then costs less than two short ones now.  In whole segments:
 * of a window of ten none waits for a second one.  With nothing in flight all goes.
 */
static bool worth_waiting(const struct xtcp_tcb *tcb, u32 room, u32 most)
{
	if (room >= most || tcb->snd_nxt == tcb->snd_una || tcb->recovery != XTCP_OPEN ||
	    tcb->tlp_due)
		return false;
	return room < worthy(tcb);
}

static u32 new_text(struct xtcp_tcb *tcb, u32 queued, u32 mss)
{
	u32 most = min(queued, tcb->tlp_due ? mss : burst_limit(tcb, mss)), len, room;

	len = min(most, window_room(tcb, tcb->snd_nxt));
	room = min(len, cwnd_room(tcb, mss));
	len = cut_to_cwnd(tcb, len, room, mss);
	if (worth_waiting(tcb, room, most))
		return 0;
	return without_silly_end(tcb, len, queued, mss);
}

static void restart_after_idle(struct xtcp_tcb *tcb, u64 now)
{
	u64 idle = now - tcb->last_send_at;

	/* RFC 5681 4.1: nothing sent for more than an RTO.  Deviation: one below the
	 * classic minimum does not count; a pause of some ms is no idle time.
	 */
	if (tcb->snd_una == tcb->snd_nxt && tcb->last_send_at &&
	    !tcb->no_idle_restart && idle > max(tcb->rto, tcb->rto_min) && tcb->cc)
		tcb->cc->on_idle(tcb, idle, now);
}

/* Is @len, which ends at the FIN, followed by a FIN that the window takes? */
static bool fin_fits(const struct xtcp_tcb *tcb, u32 queued, u32 len)
{
	return tcb->fin_queued && len == queued &&
	       window_room(tcb, tcb->snd_nxt) > len;
}

/* RFC 3168 6.1.2: on the first new segment after a reduction, never on an old one */
static u8 cwr_flag(const struct xtcp_tcb *tcb)
{
	return tcb->ecn_cwr ? XTCP_CWR : 0;
}

static bool next_new(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	u32 mss = xtcp_smss(tcb), seq = tcb->snd_nxt, queued, end_seq;

	if (after(seq, tcb->write_seq) || (seq == tcb->write_seq && !tcb->fin_queued))
		return false;
	restart_after_idle(tcb, now);
	queued = tcb->write_seq - seq;
	end_seq = seq;
	if (queued)
		end_seq += new_text(tcb, queued, mss);
	if (fin_fits(tcb, queued, end_seq - seq))
		end_seq++;
	if (end_seq == seq) {
		start_persist(tcb, now);
		return false;
	}
	if (!tcb->tlp_due && xtcp_pace_hold(tcb, now))
		return false;
	return answer(what, XTCP_TX_NEW, text_flags(tcb, seq, end_seq) | cwr_flag(tcb),
		      seq, end_seq);
}

/* ---- tail loss probe ---- */

/* The last segment in flight, FIN included; not what a shrunken window excludes. */
static bool last_again(struct xtcp_tcb *tcb, struct xtcp_tx *what)
{
	const struct xtcp_range *r = tcb->map_last;
	u32 mss = xtcp_smss(tcb), text, tail;

	if (!r || after(r->end_seq, tcb->snd_una + tcb->snd_wnd))
		return false;
	text = text_len(tcb, r->seq, r->end_seq);
	tail = text % mss ? text % mss : min(text, mss);
	return answer(what, XTCP_TX_TLP, text_flags(tcb, r->seq + text - tail, r->end_seq),
		      r->seq + text - tail, r->end_seq);
}

/* RFC 8985 7.3: new data if there is some, else the last segment again */
static bool next_tlp(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	if (next_new(tcb, now, what) || last_again(tcb, what))
		return true;
	tcb->tlp_due = 0;
	return false;
}

/* ---- F-RTO ---- */

/*
 * RFC 5682: after a timeout the first segment again and nothing else, and then new
 * data, before anything more is believed to be lost.  Without new data, or with a
 * window that has no room for it, recovery goes the usual way (step 2b).
 */
static bool next_frto(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	if (tcb->frto == XTCP_FRTO_FIRST)
		return tcb->force_rexmit && next_rexmit(tcb, now, what);
	if (tcb->frto_left && next_new(tcb, now, what))
		return true;
	if (tcb->frto_left < 2 * xtcp_smss(tcb) || xtcp_pace_full(tcb, now))
		return false;
	tcb->frto = XTCP_FRTO_OFF;
	return next_rexmit(tcb, now, what);
}

/* ---- no text ---- */

static bool next_probe(const struct xtcp_tcb *tcb, struct xtcp_tx *what)
{
	/* Deviation: RFC 9293 3.8.6.1 sends an octet of new data.  A number below
	 * the window without text makes the peer answer just the same (3.10.7.4).
	 */
	return answer(what, XTCP_TX_PROBE, XTCP_ACK, tcb->snd_una - 1, tcb->snd_una - 1);
}

/*
 * SEQ=SND.NXT (RFC 9293 3.10.7.4), but never beyond the window: the peer would not
 * take an ACK there after it has shrunk its window.
 */
static bool next_ack(const struct xtcp_tcb *tcb, struct xtcp_tx *what)
{
	u32 seq = seq_min(tcb->snd_nxt, tcb->snd_una + tcb->snd_wnd);

	if (!(tcb->todo & XTCP_ACK_NOW) || tcb->state == TCP_CLOSE ||
	    tcb->state == TCP_LISTEN || tcb->state == TCP_SYN_SENT)
		return false;
	return answer(what, XTCP_TX_ACK, XTCP_ACK, seq, seq);
}

/*
 * RFC 7661 4.3: cwnd may grow while it is the limit.  In slow start half of it in
 * use is enough, or bursts would never open it.
 */
static inline void note_cwnd(struct xtcp_tcb *tcb, u64 now)
{
	u32 pipe = xtcp_pipe(tcb);

	if (xtcp_pace_full(tcb, now))	/* cwnd is not what holds us back right now */
		return;
	if (pipe + xtcp_smss(tcb) > tcb->cwnd ||
	    (tcb->cwnd < tcb->ssthresh && pipe > tcb->cwnd / 2))
		limited_by_cwnd(tcb);
	else if (!before(tcb->snd_una, tcb->limited_end))
		tcb->cwnd_limited = 0;
}

void xtcp_tx_rests(struct xtcp_tcb *tcb, u64 now)
{
	note_cwnd(tcb, now);
}

static bool next_text(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	note_cwnd(tcb, now);
	if (tcb->frto && tcb->lost_bytes)
		return next_frto(tcb, now, what);
	if (tcb->lost_bytes)	/* new data would not fit either window */
		return next_rexmit(tcb, now, what);
	if (tcb->tlp_due)
		return next_tlp(tcb, now, what);
	return next_new(tcb, now, what);
}

bool xtcp_tx_next(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	what->at = now;
	if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECV) {
		if (tcb->syn_out && (tcb->snd_nxt == tcb->iss || tcb->lost_bytes))
			return next_syn(tcb, tcb->lost_bytes ? XTCP_TX_REXMIT :
					XTCP_TX_NEW, what);
	} else if (sends_text(tcb)) {
		if (next_text(tcb, now, what)) {
			what->at = xtcp_pace_leaves(tcb, now);
			return true;
		}
		if (tcb->todo & XTCP_PROBE_NOW)
			return next_probe(tcb, what);
	}
	return next_ack(tcb, what);
}

/* ---- booking ---- */

static void count_text(struct xtcp_tcb *tcb, u32 text, u64 now)
{
	u32 mss = xtcp_smss(tcb), segs = 1;

	if (text > mss)
		segs = (text + mss - 1) / mss;
	tcb->segs_out += segs;
	if (text)
		tcb->data_segs_out += segs;
	tcb->bytes_sent += text;
	if (tcb->pacing && text)
		xtcp_pace_sent(tcb, text, now);
}

/* RFC 6298 5.1 */
static void start_rexmt(struct xtcp_tcb *tcb, u64 now)
{
	tcb->deadline[XTCP_T_PERSIST] = 0;
	if (!tcb->deadline[XTCP_T_REXMT])
		tcb->deadline[XTCP_T_REXMT] = now + xtcp_rto(tcb);
}

static int book_new(struct xtcp_tcb *tcb, const struct xtcp_tx *what, u64 now)
{
	u32 text = text_len(tcb, what->seq, what->end_seq);

	start_rexmt(tcb, now);
	if (xtcp_map_add(tcb, what->seq, what->end_seq, what->at))
		return -1;
	xtcp_prr_sent(tcb, what->end_seq - what->seq);
	xtcp_stats_sent(tcb, what);
	tcb->snd_nxt = what->end_seq;
	if (text && text % xtcp_smss(tcb))
		tcb->snd_sml = what->seq + text;
	if (text)
		tcb->last_send_at = now;
	if (what->flags & XTCP_CWR)
		tcb->ecn_cwr = 0;
	tcb->todo &= ~XTCP_PROBE_NOW;
	count_text(tcb, text, now);
	if (tcb->frto)
		tcb->frto_left -= min(tcb->frto_left, what->end_seq - what->seq);
	if (tcb->tlp_due)
		xtcp_tlp_sent(tcb, false);
	else
		xtcp_tlp_schedule(tcb, now);
	note_cwnd(tcb, now);
	return 0;
}

/* RFC 6298 5: a segment is never sent again sooner than one RTO after the last time, so
 * what fast recovery sends at SND.UNA gets a whole one
 */
static void restart_rexmt(struct xtcp_tcb *tcb, u32 seq, u64 now)
{
	if (seq == tcb->snd_una && tcb->recovery == XTCP_RECOVERY)
		tcb->deadline[XTCP_T_REXMT] = 0;
	start_rexmt(tcb, now);
}

static void book_rexmit(struct xtcp_tcb *tcb, const struct xtcp_tx *what, u64 now)
{
	u32 text = text_len(tcb, what->seq, what->end_seq), before_it = tcb->segs_out;

	restart_rexmt(tcb, what->seq, now);
	tcb->todo &= ~XTCP_PROBE_NOW;
	if (what->kind == XTCP_TX_TLP) {
		xtcp_map_probed(tcb, what->seq, what->at);
		xtcp_tlp_sent(tcb, true);
	} else {
		xtcp_map_resent(tcb, what->seq, what->end_seq, what->at);
		xtcp_prr_sent(tcb, what->end_seq - what->seq);
		xtcp_undo_resent(tcb, text, now);
		tcb->force_rexmit = 0;
	}
	tcb->last_send_at = now;
	count_text(tcb, text, now);
	tcb->bytes_retrans += text;
	tcb->total_retrans += tcb->segs_out - before_it;
	note_cwnd(tcb, now);
}

int xtcp_tx_prepare(struct xtcp_tcb *tcb, const struct xtcp_tx *what, u64 now)
{
	switch (what->kind) {
	case XTCP_TX_NEW:
		if (book_new(tcb, what, now))
			return -1;
		break;
	case XTCP_TX_REXMIT:
	case XTCP_TX_TLP:
		book_rexmit(tcb, what, now);
		break;
	case XTCP_TX_PROBE:
		tcb->todo &= ~XTCP_PROBE_NOW;
		tcb->segs_out++;
		break;
	default:
		tcb->segs_out++;
	}
	if (what->flags & XTCP_ACK)
		tcb->todo &= ~XTCP_ACK_NOW;
	return 0;
}

/* RFC 9293 3.8.6.1: first after an RTO, then at doubling intervals (SHLD-29, SHLD-30). */
void xtcp_tx_persist(struct xtcp_tcb *tcb, u64 now)
{
	tcb->deadline[XTCP_T_PERSIST] = 0;
	if (tcb->snd_una != tcb->snd_nxt ||
	    tcb->snd_nxt == tcb->write_seq + tcb->fin_queued)
		return;
	tcb->todo |= XTCP_PROBE_NOW;
	if (window_room(tcb, tcb->snd_nxt))
		return;
	if (tcb->probes < 255)
		tcb->probes++;
	if (tcb->backoff < 255)
		tcb->backoff++;
	tcb->deadline[XTCP_T_PERSIST] = now + xtcp_rto(tcb);
}

/* ---- options ---- */

static void syn_options(const struct xtcp_tcb *tcb, u16 mss, struct xtcp_options *o)
{
	o->present |= XTCP_HAS_MSS;
	o->mss = mss;
	if (tcb->sack_ok)
		o->present |= XTCP_HAS_SACK_PERM;
	if (tcb->wscale_ok) {
		o->present |= XTCP_HAS_WSCALE;
		o->wscale = tcb->rcv_wscale;
	}
	if (tcb->nego_ok)
		xtcp_nego_fill(tcb->ack_delay, tcb->ts_us, o);
}

/* RFC 2018 3: as many blocks as the 40 bytes hold beside the timestamp. */
static void sack_options(const struct xtcp_tcb *tcb, struct xtcp_options *o)
{
	u8 fit = tcb->ts_ok ? 3 : XTCP_MAX_SACK;

	o->nr_sack = min(tcb->nr_sack, fit);
	memcpy(o->sack, tcb->sack, o->nr_sack * sizeof(o->sack[0]));
}

void xtcp_tx_options(struct xtcp_tcb *tcb, u8 flags, u16 mss, u64 now,
		     struct xtcp_options *o)
{
	o->present = 0;
	o->nr_sack = 0;
	if (flags & XTCP_SYN)
		syn_options(tcb, mss, o);
	else if (tcb->sack_ok && tcb->nr_sack)
		sack_options(tcb, o);
	if (!tcb->ts_ok)
		return;
	o->present |= XTCP_HAS_TS;
	o->tsval = xtcp_ts_now(tcb, now);
	/* RFC 7323 3.2: TSecr is valid with ACK only, else zero */
	o->tsecr = flags & XTCP_ACK ? tcb->ts_recent : 0;
}
