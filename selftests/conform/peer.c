// SPDX-License-Identifier: GPL-2.0
/*
 * The scripted peer, see peer.h: the conversations, inject() and expect().  The
 * device below is tun.c, the socket side sock.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <kselftest.h>
#include "peer.h"
#include "tun.h"

struct packet {
	struct packet *next;
	struct seg seg;
};

struct conv *c;

static struct conv *convs;
static uint64_t marked, began;
static uint16_t next_port = 1024, next_peer_port = 1024;
static uint32_t next_iss = 0x10203040;

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void mark(void)
{
	marked = now_ns();
}

double since_mark(void)
{
	return (now_ns() - marked) / 1e6;
}

struct conv *conv_new(void)
{
	struct conv *conv = calloc(1, sizeof(*conv));

	conv->port = next_port++;
	conv->peer_port = next_peer_port++;
	if (next_port == 30000)
		next_port = 1024;
	if (next_peer_port == 60000)
		next_peer_port = 1024;
	conv->fd = conv->lfd = -1;
	conv->iss = next_iss += 0x00345679;
	conv->win = PEER_WIN;
	conv->ts_offset = 1000;
	conv->read_pos = conv->write_pos = 1;
	conv->tail = &conv->queue;
	conv->next = convs;
	convs = conv;
	return conv;
}

void peer_init(void)
{
	tun_init();
}

void peer_begin(void)
{
	began = now_ns();
	mark();
	use(conv_new());
}

/* ---- out ---- */

static void fill_flow(struct flow *f, const struct conv *conv)
{
	*f = (struct flow){
		.family = family, .proto = stack_proto,
		.src = *tun_peer_ip(), .dst = *tun_stack_ip(),
		.sport = conv->peer_port, .dport = conv->port,
		.iss = conv->iss, .irs = conv->irs,
	};
}

static uint32_t peer_clock(void)
{
	return c->ts_offset + (uint32_t)(now_ns() / (c->ts_us ? 1000 : 1000000));
}

static void log_seg(uint64_t time, char dir, const struct conv *conv, const struct seg *s)
{
	note("%10.3f %c %u %s\n", (time - began) / 1e6, dir, conv->peer_port, seg_print(s));
}

void peer_inject(const struct seg *in)
{
	static uint8_t pkt[65536];
	struct seg s = *in;
	struct flow f;

	if (!s.win)
		s.win = c->win;
	if (!s.ts && c->ts)
		s.ts = 1;
	if (s.ts > 0 && !s.tsval)
		s.tsval = peer_clock();
	if (s.ts > 0 && !s.tsecr && s.flags & ACK)
		s.tsecr = c->ts_last;
	fill_flow(&f, c);
	marked = now_ns();
	log_seg(marked, '<', c, &s);
	tun_write(pkt, seg_build(pkt, sizeof(pkt), &f, &s));
}

void inject_raw(const void *data, int len)
{
	uint8_t pkt[2048];
	struct seg empty = {};
	struct flow f;
	int iphl = family == AF_INET ? 20 : 40;

	fill_flow(&f, c);
	seg_build(pkt, sizeof(pkt), &f, &empty);
	memcpy(pkt + iphl, data, len);
	if (family == AF_INET) {
		pkt[2] = (20 + len) >> 8;
		pkt[3] = 20 + len;
		pkt[10] = pkt[11] = 0;
		uint16_t sum = ip_checksum(pkt, 20, 0);

		pkt[10] = sum >> 8;
		pkt[11] = sum;
	} else {
		pkt[4] = len >> 8;
		pkt[5] = len;
	}
	note("           < %u raw, %d bytes\n", c->peer_port, len);
	tun_write(pkt, iphl + len);
}

void inject_icmp(int type, int code, uint32_t info, int seq)
{
	uint8_t quoted[256];
	struct seg s = { .flags = ACK, .seq = seq };
	struct flow f;
	size_t len;

	fill_flow(&f, c);
	f = (struct flow){
		.family = family, .proto = stack_proto, .src = f.dst, .dst = f.src,
		.sport = c->port, .dport = c->peer_port, .iss = c->irs, .irs = c->iss,
	};
	len = seg_build(quoted, sizeof(quoted), &f, &s);
	marked = now_ns();
	note("%10.3f < %u ICMP type %d code %d info %u about seq %d\n",
	     (marked - began) / 1e6, c->peer_port, type, code, info, seq);
	tun_icmp(type, code, info, quoted, len);
}

/* ---- in ---- */

static struct conv *find_conv(const struct flow *f)
{
	struct conv *conv;

	for (conv = convs; conv; conv = conv->next)
		if (conv->peer_port == f->dport && (!conv->have_irs || conv->port == f->sport))
			return conv;
	return NULL;
}

/* Absolute to relative, and what the segment tells of the stack's variables. */
static void account(struct conv *conv, struct seg *s, uint32_t seq, uint32_t ack)
{
	int i, edge;

	if (s->flags & SYN && !conv->have_irs) {
		conv->irs = seq;
		conv->have_irs = true;
	}
	s->seq = seq - conv->irs;
	s->ack = s->flags & ACK ? ack - conv->iss : 0;
	for (i = 0; i < s->nsack; i++) {
		s->sack[i].start -= conv->iss;
		s->sack[i].end -= conv->iss;
	}
	if (s->flags & RST)
		return;
	if (s->ts)
		conv->ts_last = s->tsval;
	if (s->seq + s->len + !!(s->flags & FIN) + !!(s->flags & SYN) > conv->snd_nxt)
		conv->snd_nxt = s->seq + s->len + !!(s->flags & FIN) + !!(s->flags & SYN);
	if (!(s->flags & ACK))
		return;
	conv->rcv_nxt = s->ack;
	edge = s->ack + (s->flags & SYN ? s->win : s->win << conv->ws);
	if (edge > conv->edge)
		conv->edge = edge;
}

/* Called by tun.c for each packet that isn't an echo reply. */
void peer_receive(const uint8_t *pkt, size_t len, uint64_t time)
{
	struct packet *p = calloc(1, sizeof(*p));
	const char *wrong;
	struct conv *conv;
	struct flow f = {};
	uint32_t seq, ack;

	wrong = seg_parse(pkt, len, &f, &p->seg, &seq, &ack);
	if (f.proto != IPPROTO_TCP && f.proto != 253) {
		free(p);
		return;
	}
	if (f.proto != stack_proto)
		fail("the wrong stack answered: protocol %d, expected %d", f.proto, stack_proto);
	if (wrong)
		fail("the stack sent a bad segment: %s", wrong);
	conv = find_conv(&f);
	if (!conv || f.family != family) {
		free(p);	/* of an earlier script's connection */
		return;
	}
	if (!conv->have_irs)
		conv->port = f.sport;
	p->seg.time = time;
	account(conv, &p->seg, seq, ack);
	log_seg(time, '>', conv, &p->seg);
	*conv->tail = p;
	conv->tail = &p->next;
}

struct seg *peer_next(double ms)
{
	static struct seg got;
	uint64_t deadline = now_ns() + ms * 1e6;
	struct packet *p;

	while (!c->queue)
		if (!tun_read(deadline))
			return NULL;
	p = c->queue;
	c->queue = p->next;
	if (!c->queue)
		c->tail = &c->queue;
	got = p->seg;
	free(p);
	return &got;
}

void peer_fence(void)
{
	tun_fence();
}

bool peer_queued(void)
{
	return c->queue;
}

/* ---- expect() ---- */

static const char *number(int value)
{
	static char buf[4][16];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(buf[turn], sizeof(buf[0]), value == ANY ? "any" : "%d", value);
	return buf[turn];
}

static bool same_sack(const struct seg *want, const struct seg *got)
{
	int i;

	if (want->nsack == NO)
		return !got->nsack;
	if (want->nsack && want->nsack != got->nsack)
		return false;
	for (i = 0; i < want->nsack; i++)
		if (want->sack[i].start != got->sack[i].start ||
		    want->sack[i].end != got->sack[i].end)
			return false;
	return true;
}

static bool same_option(int want, int got)
{
	return !want || (want == NO ? !got : want == got);
}

static bool same_text(const struct seg *want, const struct seg *got)
{
	int i;

	if (want->data)
		return !memcmp(got->text, want->data, got->len);
	for (i = 0; i < got->len; i++)
		if (got->text[i] != seg_pattern(got->seq + i))
			return false;
	return true;
}

/* The first thing in which they differ, NULL if none does. */
static const char *difference(const struct seg *want, const struct seg *got)
{
	if ((want->flags ^ got->flags) & ~PSH)
		return "flags";
	if (want->ecn != got->ecn)
		return "ECN codepoint";
	if (want->psh && (want->psh > 0) != !!(got->flags & PSH))
		return "PSH";
	if (want->seq != ANY && want->seq != got->seq)
		return "seq";
	if (want->flags & ACK && want->ack != ANY && want->ack != got->ack)
		return "ack";
	if (want->len != ANY && want->len != got->len)
		return "length";
	if (!same_text(want, got))
		return "text";
	if (want->win && want->win != ANY && (want->win == ZERO ? 0 : want->win) != got->win)
		return "window";
	if (want->flags & URG && want->urg != ANY && want->urg != got->urg)
		return "urgent pointer";
	if (!same_option(want->mss, got->mss))
		return "MSS option";
	if (!same_option(want->ws, got->ws))
		return "window scale option";
	if (!same_option(want->sackok, got->sackok))
		return "SACK-permitted option";
	if (!same_option(want->ts, got->ts))
		return "timestamps option";
	if (want->ts > 0 && want->tsecr && want->tsecr != got->tsecr)
		return "TSecr";
	if (!same_option(want->nego, got->nego))
		return "XTCP option";
	if (want->nego > 0 && want->unit && want->unit != got->unit)
		return "unit of the XTCP option";
	if (want->nego > 0 && want->delay && want->delay != got->delay)
		return "ACK delay of the XTCP option";
	if (!same_sack(want, got))
		return "SACK blocks";
	return NULL;
}

/* A timer must not fire early, by more than the clock tick of a coarse one. */
static void check_time(const struct seg *want, double ms)
{
	double early = stack == STACK_TCP ? 11 : 2;

	if (ms < want->after - early || ms > want->after + timer_slack(want->after))
		fail("%s: %s came after %.3f ms, expected %d", want->where,
		     flags_print(want->flags), ms, want->after);
}

struct seg *peer_expect(const struct seg *want)
{
	double within = want->within ? want->within : 1000;
	const char *diff;
	struct seg *got;

	if (want->after)
		within = want->after + timer_slack(want->after) + 1000;
	got = peer_next(within);
	if (!got)
		fail("%s: nothing came within %.0f ms, expected %s seq %s ack %s len %s",
		     want->where, within, flags_print(want->flags), number(want->seq),
		     number(want->ack), number(want->len));
	diff = difference(want, got);
	if (diff)
		fail("%s: %s differ: expected %s seq %s ack %s len %s, got %s", want->where,
		     diff, flags_print(want->flags), number(want->seq), number(want->ack),
		     number(want->len), seg_print(got));
	if (want->after)
		check_time(want, (got->time - (double)marked) / 1e6);
	marked = got->time;
	return got;
}

void peer_expect_nothing(const char *where)
{
	tun_fence();
	if (c->queue)
		fail("%s: expected nothing, got %s", where, seg_print(&c->queue->seg));
}

void peer_expect_nothing_for(double ms, const char *where)
{
	struct seg *s = peer_next(ms);

	if (s)
		fail("%s: expected nothing for %.0f ms, got %s", where, ms, seg_print(s));
}

/* ---- the end ---- */

static void drop_queue(struct conv *conv)
{
	struct packet *p;

	while ((p = conv->queue)) {
		conv->queue = p->next;
		free(p);
	}
	conv->tail = &conv->queue;
}

/* What the sockets left behind (requests, orphans) is reset from outside. */
static void bury(void)
{
	for (c = convs; c; c = c->next)
		if (c->have_irs)
			inject(RST, .seq = c->rcv_nxt, .ts = NO);
	tun_fence();
}

void peer_end(void)
{
	struct conv *conv;

	stack_close_all();
	tun_fence();
	bury();
	bury();			/* a challenge ACK has told the right number */
	while ((conv = convs)) {
		convs = conv->next;
		drop_queue(conv);
		free(conv);
	}
	c = NULL;
}
