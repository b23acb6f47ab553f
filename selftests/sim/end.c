// SPDX-License-Identifier: GPL-2.0
/*
 * One end of a connection: what the module's glue (input.c, output.c, timer.c,
 * listen.c) does around struct xtcp_tcb, in the same order, without skbs.  Also the
 * core's memory, and the checks that hold after every event.
 */
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

char sim_fault[400];

/* ---- memory of the core ---- */

static union xtcp_seg *seg_pool;

void *xtcp_seg_alloc(void)
{
	union xtcp_seg *s = seg_pool;

	if (!s)
		return malloc(sizeof(*s));
	seg_pool = *(union xtcp_seg **)s;
	return s;
}

void xtcp_seg_free(void *seg)
{
	*(union xtcp_seg **)seg = seg_pool;
	seg_pool = seg;
}

/* ---- what must hold after every event ---- */

static void fault(const struct end *e, const char *what)
{
	const struct xtcp_tcb *t = &e->tcb;

	if (sim_fault[0])
		return;
	snprintf(sim_fault, sizeof(sim_fault),
		 "%.3f ms, end %d, %s: %s (una %u nxt +%u write +%u cwnd %u sacked %u lost %u recovery %u)",
		 sim_now / 1e6, e == &e->conn->e[1], xtcp_state_info[t->state].name, what,
		 t->snd_una - t->iss, t->snd_nxt - t->snd_una, t->write_seq - t->snd_una,
		 t->cwnd, t->sacked_bytes, t->lost_bytes, t->recovery);
}

static bool any_deadline(const struct xtcp_tcb *t)
{
	int i;

	for (i = 0; i < XTCP_NR_TIMERS; i++)
		if (t->deadline[i] && i != XTCP_T_DELACK && i != XTCP_T_KEEPALIVE)
			return true;
	return false;
}

static void check(const struct end *e)
{
	const struct xtcp_tcb *t = &e->tcb;
	u32 flight = t->snd_nxt - t->snd_una;

	if (t->state == TCP_CLOSE || t->state == TCP_TIME_WAIT || t->state == TCP_SYN_SENT ||
	    t->state == TCP_SYN_RECV)
		return;
	if (t->sacked_bytes > flight || t->lost_bytes > flight - t->sacked_bytes)
		fault(e, "negative pipe");
	if (t->cwnd < xtcp_smss(t))
		fault(e, "cwnd below one SMSS");
	if (after(t->snd_nxt, t->write_seq + t->fin_queued))
		fault(e, "sent what was never written");
	if ((flight || before(t->snd_nxt, t->write_seq + t->fin_queued)) && !any_deadline(t))
		fault(e, "something to send and nothing to wait for");
}

/* ---- timer, as timer.c: one for all deadlines, later ones cost nothing ---- */

static void timer_fire(void *obj, u64 gen);

static void timer_arm(struct end *e)
{
	u64 at = 0;
	int i;

	for (i = 0; i < XTCP_NR_TIMERS; i++)
		if (e->tcb.deadline[i] && (!at || e->tcb.deadline[i] < at))
			at = e->tcb.deadline[i];
	if (!at || (e->timer_at && e->timer_at <= at))
		return;
	e->timer_at = at;
	if (e->opts.slack)
		at += sim_below64(e->opts.slack + 1);
	sim_at(at, timer_fire, e, ++e->timer_gen);
}

/* ---- flush, as output.c ---- */

static void set_space(struct end *e)
{
	struct xtcp_tcb *t = &e->tcb;

	t->rcv_buf = e->opts.rcv_buf;
	t->rcv_space = t->rcv_buf - min(t->rcv_buf, t->rcv_nxt - e->read_seq);
}

/* Puts window and acknowledgment into a segment that leaves */
static void stamp(struct end *e, struct xtcp_segment *seg)
{
	struct xtcp_tcb *t = &e->tcb;
	u32 wnd = e->wnd_sent;

	seg->ack = seg->flags & XTCP_ACK ? t->rcv_nxt : 0;
	if (seg->flags & XTCP_SYN) {
		seg->wnd = wnd;
	} else {
		set_space(e);
		wnd = xtcp_rx_window(t);
		seg->wnd = wnd >> t->rcv_wscale;
	}
	if (seg->flags & XTCP_ACK)
		xtcp_rx_sent_ack(t, wnd);
}

/* [seq, end) of text and what flags add leave as one packet */
static void emit_packet(struct end *e, const struct xtcp_tx *what, u8 flags, u32 seq,
			u32 text, u32 mss)
{
	struct packet *p = packet_new();
	struct xtcp_segment *seg = &p->seg;
	u32 optlen;

	memset(seg, 0, sizeof(*seg));
	seg->flags = flags;
	seg->seq = seq;
	seg->len = text;
	seg->end_seq = seq + text + !!(flags & XTCP_SYN) + !!(flags & XTCP_FIN);
	xtcp_tx_options(&e->tcb, flags, e->opts.mss, sim_now, &seg->opt);
	optlen = xtcp_options_len(&seg->opt);
	stamp(e, seg);
	p->ecn = xtcp_ecn_codepoint(&e->tcb, what);
	p->to = e->peer;
	p->again = what->kind == XTCP_TX_REXMIT ||
		   (what->kind == XTCP_TX_TLP && e->tcb.tlp_again);
	p->segs = text > mss ? (text + mss - 1) / mss : 1;
	p->wire = text + p->segs * (IP_HDR + optlen);
	if (traced(e->conn))
		printf("# %14.3f us send from %d%s seq %u:%u cwnd %u pipe %u srtt %.3f rto %.3f\n", sim_now / 1e3,
		       e == &e->conn->e[1], p->again ? " again" : "", seg->seq - e->tcb.iss,
		       seg->end_seq - e->tcb.iss, e->tcb.cwnd, xtcp_pipe(&e->tcb),
		       e->tcb.srtt / 1e6, xtcp_rto(&e->tcb) / 1e6);
	link_send(p);
}

/* One answer of xtcp_tx_next(), cut into segments as the wire has them */
static void emit(struct end *e, const struct xtcp_tx *what)
{
	u32 first = !!(what->flags & XTCP_SYN), seq = what->seq;
	u32 text_end = what->end_seq - !!(what->flags & XTCP_FIN);
	u32 mss = e->tcb.snd_mss;

	do {
		u32 end = e->opts.train ? text_end : seq_min(text_end, seq + first + mss);
		u8 flags = what->flags | xtcp_ecn_flags(&e->tcb, what);

		if (e->ecn_agreed && e->tcb.state == TCP_SYN_RECV)
			flags |= XTCP_ECE;
		if (seq != what->seq)
			flags &= ~XTCP_CWR;
		if (end != text_end)
			flags &= ~(XTCP_FIN | XTCP_PSH);
		emit_packet(e, what, flags, seq, end - seq - first, mss);
		seq = end;
		first = 0;
	} while (seq != text_end);
}

/* As output.c note_answer(): text soon after text is an answer */
static void note_answer(struct end *e, const struct xtcp_tx *what)
{
	struct xtcp_tcb *t = &e->tcb;

	if (what->seq != what->end_seq && !(what->flags & XTCP_SYN) &&
	    sim_now - t->rcv_at < xtcp_delack(t))
		t->pingpong = 1;
}

/* As output.c follow_pacing() */
static void follow_pacing(struct end *e)
{
	struct xtcp_tcb *t = &e->tcb;

	if (!t->pacing && (e->opts.pace || t->cc->flags & XTCP_CC_PACE))
		xtcp_pace_set(t, e->opts.pace, false);
}

static void note_recovery(struct end *e)
{
	static const char * const name[] = { "open", "recovery", "timeout recovery" };
	const struct xtcp_tcb *t = &e->tcb;

	if (t->recovery != XTCP_OPEN && e->last_recovery == XTCP_OPEN)
		e->recoveries++;
	if (t->recovery != e->last_recovery && traced(e->conn))
		printf("# %14.3f us %s of %d: cwnd %u ssthresh %u flight %u sacked %u lost %u srtt %.3f\n",
		       sim_now / 1e3, name[t->recovery], e == &e->conn->e[1], t->cwnd,
		       t->ssthresh, t->snd_nxt - t->snd_una, t->sacked_bytes, t->lost_bytes,
		       t->srtt / 1e6);
	e->last_recovery = t->recovery;
}

static void made_room(struct end *e)
{
	set_space(e);
	if (xtcp_rx_window_update_due(&e->tcb))
		e->tcb.todo |= XTCP_ACK_NOW;
}

static void flush(struct end *e)
{
	struct xtcp_tcb *t = &e->tcb;
	struct xtcp_tx what;
	u32 loops = 0;

	if (t->state == TCP_CLOSE)
		return;
	follow_pacing(e);
	while (xtcp_tx_want(t, sim_now, &what)) {
		if (xtcp_tx_prepare(t, &what, sim_now))
			break;
		note_answer(e, &what);
		emit(e, &what);
		if (++loops > 2000000) {
			fault(e, "endless flush");
			sim_stop();
			break;
		}
	}
	t->todo &= ~(XTCP_WAKE_READER | XTCP_WAKE_WRITER | XTCP_SAVE_METRICS);
	t->notes = 0;
	note_recovery(e);
	check(e);
	timer_arm(e);
}

/* ---- segment in, as input.c ---- */

static void event(struct end *e, enum xtcp_event ev)
{
	u8 next = xtcp_fsm_next(e->tcb.state, ev);

	if (next == XTCP_NO_ARROW) {
		fault(e, xtcp_event_name[ev]);
		return;
	}
	e->tcb.state = next;
	if (next == TCP_ESTABLISHED) {
		xtcp_tcb_established(&e->tcb, sim_now);
		if (e->app && e->app->opened)
			e->app->opened(e);
	}
}

static void set_window(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_tcb *t = &e->tcb;

	t->snd_wl1 = seg->seq;
	t->snd_wl2 = seg->ack;
	t->snd_wnd = seg->wnd;
	if (!(seg->flags & XTCP_SYN))
		t->snd_wnd <<= t->snd_wscale;
	t->max_snd_wnd = t->snd_wnd;
}

static void sync_mss(struct end *e)
{
	struct xtcp_tcb *t = &e->tcb;

	t->snd_mss = min_t(u32, e->opts.mss, t->peer_mss ? t->peer_mss : XTCP_MSS_DEFAULT);
	if (t->ts_ok)
		t->snd_mss -= XTCP_OLEN_TS_PADDED;
	t->gso_max = e->opts.gso_max;
}

static void take_ack(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_ack_result res;

	xtcp_ack(&e->tcb, seg, sim_now, &res);
	if (res.flags & XTCP_A_SYN_ACKED && e->tcb.state == TCP_FIN_WAIT1)
		xtcp_tcb_established(&e->tcb, sim_now);
	if (res.flags & XTCP_A_DATA_ACKED && e->app && e->app->acked)
		e->app->acked(e);
	if (res.flags & XTCP_A_FIN_ACKED && e->tcb.state != TCP_ESTABLISHED)
		event(e, EV_FIN_ACKED);
}

static void offer_taken(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_tcb *t = &e->tcb;

	t->rcv_wnd = e->wnd_sent;
	xtcp_tcb_set_irs(t, seg->seq);
	xtcp_tcb_negotiate(t, &seg->opt, sim_now);
	e->read_seq = t->rcv_nxt;
	set_window(e, seg);
	t->snd_wl1 = seg->seq;
}

/* The passive end waits in LISTEN and answers with a block of its own */
static void in_listen(struct end *e, const struct xtcp_segment *seg)
{
	if ((seg->flags & (XTCP_SYN | XTCP_ACK)) != XTCP_SYN)
		return;
	offer_taken(e, seg);
	sync_mss(e);
	e->ecn_agreed = e->opts.ecn && xtcp_ecn_setup_syn(seg->flags);
	e->tcb.state = TCP_SYN_RECV;
}

static void in_syn_sent(struct end *e, const struct xtcp_segment *seg)
{
	if ((seg->flags & (XTCP_SYN | XTCP_ACK)) != (XTCP_SYN | XTCP_ACK))
		return;
	offer_taken(e, seg);
	take_ack(e, seg);
	sync_mss(e);
	if (e->tcb.ecn_offer && xtcp_ecn_setup_syn_ack(seg->flags))
		xtcp_ecn_start(&e->tcb);
	event(e, EV_RCV_SYN_ACK);
	e->tcb.todo |= XTCP_ACK_NOW;
}

static void take_text(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_tcb *t = &e->tcb;
	u32 old = t->rcv_nxt, end_seq;
	enum xtcp_rx_verdict v;

	v = xtcp_rx_data(t, seg->seq, seg->seq + seg->len, sim_now, &end_seq);
	if (v == XTCP_RX_DUP)
		e->dup_bytes += seg->len;
	if (v != XTCP_RX_IN_ORDER)
		return;
	xtcp_rx_ack_policy(t, end_seq - seg->seq, sim_now);
	xtcp_rx_rtt(t, seg, sim_now);
	if (!e->opts.manual_read) {
		e->read_seq = t->rcv_nxt;
		made_room(e);
	}
	if (e->app && e->app->received)
		e->app->received(e, t->rcv_nxt - old);
}

/* RFC 2883 4: text that was here before is reported */
static void note_duplicate(struct end *e, const struct xtcp_segment *seg)
{
	u32 end_seq = seg->seq + seg->len;

	e->dup_bytes += seg->len;
	if (seg->len && !after(end_seq, e->tcb.rcv_nxt))
		xtcp_rx_data(&e->tcb, seg->seq, end_seq, sim_now, &end_seq);
}

static bool acceptable(struct end *e, const struct xtcp_segment *seg)
{
	switch (xtcp_segment_check(&e->tcb, seg, sim_now)) {
	case XTCP_V_OK:
		return true;
	case XTCP_V_DROP_NOACK:
		return false;
	case XTCP_V_DROP_SEQ:
		note_duplicate(e, seg);
		e->tcb.todo |= XTCP_ACK_NOW;
		return false;
	default:
		e->tcb.todo |= XTCP_ACK_NOW;
		return false;
	}
}

/* As input.c take_ecn() */
static void take_ecn(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_tx ack = { .kind = XTCP_TX_ACK, .flags = XTCP_ACK,
			       .seq = e->tcb.snd_nxt, .end_seq = e->tcb.snd_nxt };

	if (xtcp_ecn_ack_first(&e->tcb, seg))
		emit(e, &ack);
	xtcp_ecn_rcv(&e->tcb, seg);
}

static void in_order_of_steps(struct end *e, const struct xtcp_segment *seg)
{
	struct xtcp_tcb *t = &e->tcb;

	if (!acceptable(e, seg))
		return;
	t->rcv_at = sim_now;
	xtcp_ts_update(t, seg, sim_now);
	if (t->state == TCP_SYN_RECV) {
		set_window(e, seg);
		event(e, EV_RCV_ACK);
		if (e->ecn_agreed)
			xtcp_ecn_start(t);
	}
	if (t->ecn_ok)
		take_ecn(e, seg);
	take_ack(e, seg);
	if (!xtcp_state_info[t->state].can_recv)
		return;
	if (seg->flags & XTCP_FIN)
		xtcp_rx_fin(t, seg->seq, seg->end_seq - 1);
	if (seg->len)
		take_text(e, seg);
	if (xtcp_rx_fin_due(t, sim_now))
		event(e, EV_RCV_FIN);
}

void end_segment(struct packet *p)
{
	struct end *e = p->to;

	p->seg.ecn = p->ecn;
	e->segs_in += p->segs;
	e->tcb.segs_in += p->segs;
	if (p->seg.len)
		e->tcb.data_segs_in += p->segs;
	if (e->tcb.state == TCP_CLOSE)
		return;
	if (e->tcb.state == TCP_LISTEN)
		in_listen(e, &p->seg);
	else if (e->tcb.state == TCP_SYN_SENT)
		in_syn_sent(e, &p->seg);
	else
		in_order_of_steps(e, &p->seg);
	flush(e);
}

/* ---- timers, as timer.c ---- */

static void run_deadline(struct end *e, enum xtcp_timer i)
{
	struct xtcp_tcb *t = &e->tcb;

	t->deadline[i] = 0;
	switch (i) {
	case XTCP_T_REXMT:
		if (t->snd_una == t->snd_nxt)
			return;
		e->rtos++;
		xtcp_loss_on_rto(t, sim_now);
		return;
	case XTCP_T_REO:
		xtcp_loss_on_reo(t, sim_now);
		return;
	case XTCP_T_TLP:
		xtcp_loss_on_tlp(t, sim_now);
		return;
	case XTCP_T_PERSIST:
		xtcp_tx_persist(t, sim_now);
		return;
	case XTCP_T_DELACK:
		t->pingpong = 0;
		t->todo |= XTCP_ACK_NOW;
		return;
	default:	/* PACE: the flush that follows does it */
		return;
	}
}

static void timer_fire(void *obj, u64 gen)
{
	struct end *e = obj;
	int i;

	if (gen != e->timer_gen)
		return;
	e->timer_at = 0;
	for (i = 0; i < XTCP_NR_TIMERS; i++)
		if (e->tcb.deadline[i] && e->tcb.deadline[i] <= sim_now)
			run_deadline(e, i);
	flush(e);
}

/* ---- the user ---- */

void end_write(struct end *e, u32 len)
{
	e->tcb.write_seq += len;
	e->tcb.push_seq = e->tcb.write_seq;
	flush(e);
}

/* As much as autotune.c keeps: two windows and two super-packets */
void end_top_up(struct end *e)
{
	struct xtcp_tcb *t = &e->tcb;
	u64 want = 2ULL * t->cwnd + 2 * max_t(u32, t->gso_max, 65536);
	u32 queued = t->write_seq - t->snd_una;

	want = min_t(u64, want, 1u << 30);
	if (queued < want)
		t->write_seq += want - queued;
}

u32 end_unread(const struct end *e)
{
	u32 text_end = e->tcb.rcv_nxt;

	if (e->tcb.rcv_fin_seen && after(text_end, e->tcb.rcv_fin))
		text_end = e->tcb.rcv_fin;
	return text_end - e->read_seq;
}

void end_read(struct end *e, u32 len)
{
	e->read_seq += min(len, end_unread(e));
	made_room(e);
	flush(e);
}

void end_close(struct end *e)
{
	if (e->tcb.fin_queued)
		return;
	e->tcb.fin_queued = 1;
	event(e, EV_CLOSE);
	flush(e);
}

/* ---- connections ---- */

static struct conn **conns;
static unsigned int nr_conns, room_conns;

static u8 scale_for(u32 buf)
{
	u8 shift = 0;

	while (buf >> shift > XTCP_MAX_WND && shift < XTCP_MAX_WSCALE)
		shift++;
	return shift;
}

static void end_init(struct end *e, const struct end_opts *o)
{
	struct xtcp_tcb *t = &e->tcb;

	e->opts = *o;
	t->cc = o->cc ? xtcp_cc_find(o->cc) : NULL;
	t->rto_min = o->rto_min;
	t->delack_max = o->delack_max;
	t->nodelay = o->nodelay;
	t->no_idle_restart = o->keep_idle_cwnd;
	t->gso_max = o->gso_max;
	t->ack_delay = o->ack_delay;
	t->rto_floor = o->rto_floor;
	xtcp_tcb_init(t);
	t->nego_ok = o->nego;
	t->ecn_offer = o->ecn;
	xtcp_tcb_set_iss(t, sim_rand64());
	t->sack_ok = !o->no_sack;
	t->ts_ok = !o->no_ts;
	t->ts_offset = sim_rand64();
	t->wscale_ok = 1;
	t->rcv_wscale = scale_for(o->rcv_buf);
	t->snd_mss = o->mss;
	e->wnd_sent = min_t(u32, o->rcv_buf, XTCP_MAX_WND);
	t->rcv_wnd = e->wnd_sent;
}

struct conn *conn_new(const struct end_opts *opts, const struct route *there,
		      const struct route *back)
{
	struct conn *c = calloc(1, sizeof(*c));
	int i;

	if (nr_conns == room_conns) {
		room_conns = room_conns ? 2 * room_conns : 64;
		conns = realloc(conns, room_conns * sizeof(*conns));
	}
	if (!c || !conns)
		abort();
	c->nr = nr_conns;
	conns[nr_conns++] = c;
	for (i = 0; i < 2; i++) {
		end_init(&c->e[i], opts);
		c->e[i].conn = c;
		c->e[i].peer = &c->e[!i];
	}
	c->e[1].in = *there;
	c->e[0].in = *back;
	c->e[1].tcb.state = TCP_LISTEN;
	c->e[0].tcb.state = TCP_CLOSE;
	return c;
}

static void open_now(void *obj, u64 arg)
{
	struct conn *c = obj;

	c->e[0].tcb.state = TCP_SYN_SENT;
	c->opened_at = sim_now;
	flush(&c->e[0]);
}

void conn_open(struct conn *c, u64 at)
{
	sim_at(at, open_now, c, 0);
}

void conns_free(void)
{
	while (nr_conns) {
		struct conn *c = conns[--nr_conns];

		xtcp_tcb_purge(&c->e[0].tcb);
		xtcp_tcb_purge(&c->e[1].tcb);
		free(c);
	}
}
