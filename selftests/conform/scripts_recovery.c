// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever phase a recovery is in, a reset ends it, a shut window stops it, a smaller
 * path MTU cuts it, and a peer that drops what it has SACKed gets that again.  The
 * round trip is that of the handshake, 100 ms: RTO = 300 ms.  The path MTU stays in
 * the routes of the namespace, so its scripts come last.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

#define BLOCKS(n, ...)	.nsack = (n), .sack = { __VA_ARGS__ }
#define RTT	100
#define RTO	300
#define FLIGHT	10		/* RFC 6928 2 */
#define TOTAL	(12 * seg)

enum phase { REORDERING, PROBED, FAST, TIMEOUT, FRTO, NR_PHASES };

static int seg;			/* size of a segment */
static int una;			/* what the peer has acknowledged */
static bool have[40000];	/* what the peer has received, by number */

static void connected(enum phase p)
{
	sysctl_set("early_retrans", p == PROBED ? 3 : 0);
	sysctl_set("frto", p == FRTO ? 2 : 0);
	if (stack == STACK_TCP)		/* XTCP has nothing else */
		sysctl_set("recovery", 1);
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(RTT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = seg, .sackok = 1);
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
}

static void received(int from, int to)
{
	for (; from < to; from++)
		have[from] = true;
}

static void write_flight(void)
{
	int i;

	stack_write(FLIGHT * seg);
	for (i = 0; i < FLIGHT; i++)
		expect(ACK, .seq = 1 + i * seg, .ack = 1, .len = seg);
	expect_nothing();
}

/* Ten segments are out; two more are written where the phase wants new data. */
static void bring_to(enum phase p)
{
	memset(have, 0, sizeof(have));
	una = 1;
	connected(p);
	write_flight();
	switch (p) {
	case REORDERING:	/* RFC 8985 6.2 step 5: a quarter of the RTT, and it is lost */
		expect_nothing_for(RTT);
		inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 2 * seg + 1, 3 * seg + 1 }));
		received(2 * seg + 1, 3 * seg + 1);
		expect_nothing();
		break;
	case PROBED:		/* RFC 8985 7.2 */
		expect(ACK, .seq = 9 * seg + 1, .ack = 1, .len = seg, .after = 2 * RTT);
		break;
	case FAST:		/* RFC 6675 5 */
		expect_nothing_for(RTT);
		inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { seg + 1, 10 * seg + 1 }));
		received(seg + 1, 10 * seg + 1);
		expect(ACK, .seq = 1, .ack = 1, .len = seg, .within = 50);
		break;
	case TIMEOUT:		/* RFC 6298 5.4 */
		expect(ACK, .seq = 1, .ack = 1, .len = seg, .after = RTO);
		break;
	default:		/* RFC 5682 3.1 step 2b */
		stack_write(2 * seg);
		expect(ACK, .seq = 1, .ack = 1, .len = seg, .after = RTO);
		una = seg + 1;
		received(1, una);
		inject(ACK, .seq = 1, .ack = una);
		expect(ACK, .seq = 10 * seg + 1, .ack = 1, .len = seg);
		expect(ACK, .seq = 11 * seg + 1, .ack = 1, .len = seg);
		expect_nothing();
	}
	if (p != FRTO)
		stack_write(2 * seg);	/* leaves when there is room */
}

/* The peer takes whatever comes and acknowledges it, until all is there. */
static void finish(void)
{
	uint64_t acked_at = now_ns();
	struct seg *s;

	while (una < 1 + TOTAL) {
		s = peer_next(20000);	/* a timeout that has doubled with each probe */
		check(s);
		check(!(s->flags & RST));
		if (!s->len)
			continue;
		/* nothing that was acknowledged, but for what the ACK met on its way */
		check(s->seq + s->len > una || s->time <= acked_at);
		received(s->seq, s->seq + s->len);
		while (have[una])
			una++;
		inject(ACK, .seq = 1, .ack = una);
		peer_fence();
		acked_at = now_ns();
	}
	while (peer_queued())
		check(peer_next(1)->time <= acked_at);
	expect_nothing_for(2000);
	state_is(ESTABLISHED);
}

static void each_phase_finishes(void (*event)(enum phase p))
{
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		if (p)
			use(conv_new());
		note("           | phase %d\n", p);
		seg = 1000;
		bring_to(p);
		event(p);
		finish();
	}
}

static void undisturbed(enum phase p)
{
}

SCRIPT(all_arrives_in_the_end, "RFC 9293 3.8.1: in every phase, without an event")
{
	each_phase_finishes(undisturbed);
}

/* ---- reset ---- */

SCRIPT(reset_in_each_phase, "RFC 9293 3.10.7.4: the text is flushed, nothing is sent again")
{
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		if (p)
			use(conv_new());
		seg = 1000;
		bring_to(p);
		peer_fence();
		while (peer_queued())	/* what the two last segments had room for */
			peer_next(1);
		inject(RST, .seq = 1);
		expect_nothing_for(5000);
		state_is(CLOSED);
		check_eq(stack_error(), ECONNRESET);
	}
}

/* ---- zero window ---- */

/* RFC 9293 3.8.6: old data may come again (MAY-7), new data not; 3.8.6.1: and not for long */
static void window_shuts(enum phase p)
{
	struct seg *s;
	int i;

	peer_fence();
	while (peer_queued()) {
		s = peer_next(1);
		received(s->seq, s->seq + s->len);
	}
	inject(ACK, .seq = 1, .ack = una, .win = ZERO);
	for (i = 0; i < 4; i++) {
		s = peer_next(6000);
		check(s);		/* MUST-36: probes */
		check(s->seq == una - 1 || s->seq == una);
		check(s->len <= seg);
		inject(ACK, .seq = 1, .ack = una, .win = ZERO);
	}
	state_is(ESTABLISHED);
	while (have[una])
		una++;
	inject(ACK, .seq = 1, .ack = una);
}

SCRIPT(window_shuts_in_each_phase, "RFC 9293 3.8.6, 3.8.6.1: probes, and then the rest")
{
	each_phase_finishes(window_shuts);
}

/* ---- reneging ---- */

/* What was SACKed is dropped; the ACK stops where it began */
static void peer_forgets(enum phase p)
{
	peer_fence();
	while (peer_queued())
		peer_next(1);
	memset(have, 0, sizeof(have));
	inject(ACK, .seq = 1, .ack = una, BLOCKS(1, { 4 * seg + 1, 7 * seg + 1 }));
	una = 4 * seg + 1;
	inject(ACK, .seq = 1, .ack = una);
	peer_fence();
}

SCRIPT(reneging_in_each_phase, "RFC 2018 8: kept until acknowledged, sent again after a timeout")
{
	each_phase_finishes(peer_forgets);
}

/* ---- path MTU ---- */

static void too_big_in(enum phase p, int mtu)
{
	int mss = mtu - (family == AF_INET ? 40 : 60);

	/* of the connection before the path has learnt this */
	seg = MSS - (1500 - mtu - 20);
	bring_to(p);
	peer_fence();
	while (peer_queued())
		peer_next(1);
	if (family == AF_INET)
		inject_icmp(3, 4, mtu, una);
	else
		inject_icmp(2, 0, mtu, una);
	expect(ACK, .seq = una, .ack = 1, .len = mss, .within = 50);
	finish();
}

SCRIPT(too_big_in_each_phase, "RFC 1191 6.5, RFC 8201 5.4: sent again at once, smaller")
{
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		if (p)
			use(conv_new());
		note("           | phase %d\n", p);
		too_big_in(p, 1480 - 20 * p);
	}
}

SCRIPT_MAIN
