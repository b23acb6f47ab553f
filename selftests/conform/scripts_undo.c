// SPDX-License-Identifier: GPL-2.0
/*
 * A recovery that was wrong: RFC 3522 (timestamps), RFC 5682 (F-RTO without them),
 * RFC 3708 (DSACK), and what follows, RFC 4015: nothing else is sent again, and the
 * window is as it was.  Then what was not wrong: the retransmission was lost again.
 * The round trip is that of the handshake, 100 ms: RTO = 300 ms.
 */
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

#define BLOCKS(n, ...)	.nsack = (n), .sack = { __VA_ARGS__ }
#define RTT	100
#define RTO	300

static void connected(int ts)
{
	sysctl_set("frto", 2);
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(RTT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1000 + 12 * (ts > 0), .sackok = 1,
	       .ts = ts, .tsval = 1000);
	c->ts = ts > 0;
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .tsval = 1001);
}

static uint32_t write_segments(int n)
{
	uint32_t tsval = 0;
	int i;

	stack_write(1000 * n);
	for (i = 0; i < n; i++)
		tsval = expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000)->tsval;
	expect_nothing();
	return tsval;
}

/* What leaves now is new, and so much of it */
static void only_new(int from, int least, int most)
{
	struct seg *s;
	int n = 0;

	peer_fence();
	while (peer_queued() && (s = peer_next(1))) {
		check_eq(s->seq, from + 1000 * n);
		n++;
	}
	check_range(n, least, most);
}

SCRIPT(eifel_spurious, "RFC 3522 3.2, RFC 4015 3: the echo is older than what was sent again")
{
	uint32_t first;

	connected(1);
	first = write_segments(10);
	stack_write(20000);
	expect_nothing();
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	inject(ACK, .seq = 1, .ack = 1001, .tsval = 1400, .tsecr = first);
	only_new(10001, 1, 3);
	inject(ACK, .seq = 1, .ack = 10001, .tsval = 1401, .tsecr = first);
	/* not one more than slow start from one segment: the window is what it was */
	peer_fence();
	check(peer_queued());
	while (peer_queued())
		check(peer_next(1)->seq > 10001);
}

SCRIPT(eifel_true, "RFC 3522 3.2: the echo is that of what was sent again")
{
	uint32_t again;

	connected(1);
	sysctl_set("frto", 0);
	write_segments(4);
	again = expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO)->tsval;
	inject(ACK, .seq = 1, .ack = 1001, .tsval = 1400, .tsecr = again);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 50);
}

SCRIPT(frto_spurious, "RFC 5682 3.1: new data, and an ACK of what was not sent again")
{
	connected(NO);
	write_segments(10);
	stack_write(20000);
	expect_nothing();
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	inject(ACK, .seq = 1, .ack = 1001);
	only_new(10001, 2, 2);			/* step 2b */
	inject(ACK, .seq = 1, .ack = 2001);
	only_new(12001, 0, 4);			/* step 3b */
	inject(ACK, .seq = 1, .ack = 10001);
	peer_fence();
	check(peer_queued());
	while (peer_queued())
		check(peer_next(1)->seq > 10001);
}

SCRIPT(frto_true, "RFC 5682 3.1: only the new data arrives")
{
	connected(NO);
	write_segments(10);
	stack_write(20000);
	expect_nothing();
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	inject(ACK, .seq = 1, .ack = 1001);
	only_new(10001, 2, 2);
	inject(ACK, .seq = 1, .ack = 1001, .nsack = 1, .sack = { { 10001, 11001 } });
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 50);
}

SCRIPT(frto_without_new_data, "RFC 5682 3.1 step 2b: then the usual recovery")
{
	connected(NO);
	write_segments(4);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 50);
}

/* ---- duplicates that the peer reports ---- */

/* The next n segments of the stream, from here on, leave at once */
static void flight(int from, int n)
{
	int i;

	stack_write(1000 * n);
	for (i = 0; i < n; i++)
		expect(ACK, .seq = from + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(dsack_after_fast_recovery, "RFC 3708 3, RFC 4015 3: all that was sent again had arrived")
{
	connected(NO);
	flight(1, 10);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 10001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	expect_nothing_for(10);
	inject(ACK, .seq = 1, .ack = 10001);		/* the original was late */
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 10001, BLOCKS(1, { 1, 1001 }));
	stack_write(20000);
	only_new(10001, 9, 11);				/* the ten of before */
}

SCRIPT(dsack_of_a_part, "RFC 3708 3: as long as one of them may have been lost, no undo")
{
	connected(NO);
	flight(1, 10);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 5001, 10001 }, { 1001, 4001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	expect(ACK, .seq = 4001, .ack = 1, .len = 1000, .within = 50);
	inject(ACK, .seq = 1, .ack = 10001);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 10001, BLOCKS(1, { 4001, 5001 }));
	stack_write(20000);
	only_new(10001, 4, 6);				/* RFC 5681 3.1: half of ten */
}

SCRIPT(dsack_after_timeout, "RFC 3708 3, RFC 4015 3: only the ACKs were late")
{
	connected(NO);
	sysctl_set("frto", 0);
	flight(1, 10);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	expect_nothing_for(10);
	inject(ACK, .seq = 1, .ack = 10001);
	inject(ACK, .seq = 1, .ack = 10001, BLOCKS(1, { 1, 1001 }));
	stack_write(20000);
	only_new(10001, 9, 12);
}

/*
 * Four times five segments, the first of each late: by 10 ms, 15, for good, and by 40.
 * min_RTT / 4 = 25 ms.
 */
SCRIPT(reordering_widens_the_window, "RFC 8985 6.2 steps 3, 4: min_RTT / 4, more after a DSACK")
{
	connected(NO);
	if (stack == STACK_TCP)
		sysctl_set("recovery", 1);
	flight(1, 5);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 2001 }));
	expect_nothing_for(10);
	inject(ACK, .seq = 1, .ack = 5001);
	/* reordering was seen: DupThresh decides no more */
	flight(5001, 5);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 5001, BLOCKS(1, { 6001, 10001 }));
	expect_nothing_for(15);
	inject(ACK, .seq = 1, .ack = 10001);
	expect_nothing_for(2 * RTO);
	/* too late for the window, but not lost */
	flight(10001, 5);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 10001, BLOCKS(1, { 11001, 15001 }));
	expect_nothing_for(20);
	expect(ACK, .seq = 10001, .ack = 1, .len = 1000, .within = 60);
	inject(ACK, .seq = 1, .ack = 15001);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 15001, BLOCKS(1, { 10001, 11001 }));
	/* five at once, the reduction is undone; twice the window */
	flight(15001, 5);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 15001, BLOCKS(1, { 16001, 20001 }));
	expect_nothing_for(40);
	inject(ACK, .seq = 1, .ack = 20001);
	expect_nothing_for(2 * RTO);
}

/* ---- lost again ---- */

SCRIPT(timeout_after_timeout, "RFC 6298 5.5, 5.6: the retransmission is lost, and its successor not")
{
	connected(NO);
	sysctl_set("frto", 0);
	flight(1, 4);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = 2 * RTO);
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 50);
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000, .within = 50);
	inject(ACK, .seq = 1, .ack = 4001);
	expect_nothing_for(2000);
}

SCRIPT(lost_again_after_timeout, "RFC 8985 3.3, 6.2: what was sent after it has arrived")
{
	connected(NO);
	sysctl_set("frto", 0);
	if (stack == STACK_TCP)
		sysctl_set("recovery", 1);
	flight(1, 6);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 50);
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000, .within = 50);
	expect_nothing_for(RTT + 10);	/* no sooner than its ACK can be there (6.2 step 2) */
	inject(ACK, .seq = 1, .ack = 1001, BLOCKS(1, { 2001, 3001 }));
	/* before the timeout, and before what follows */
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 60);
	peer_fence();
	while (peer_queued())
		check(peer_next(1)->seq >= 3001);
	inject(ACK, .seq = 1, .ack = 6001);
	expect_nothing_for(2000);
}

SCRIPT_MAIN
