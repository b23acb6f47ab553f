// SPDX-License-Identifier: GPL-2.0
/*
 * Loss found by time: tail loss probes and the reordering window of RFC 8985, and what
 * is taken back when nothing was lost (RFC 3522, 5682).  The round trip is that
 * of the handshake: 100 ms, so SRTT = 100, RTO = 300 ms.
 */
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

#define BLOCKS(n, ...)	.nsack = (n), .sack = { __VA_ARGS__ }
#define RTT	100
#define RTO	300

static void modern(void)
{
	sysctl_set("early_retrans", 3);
	if (stack == STACK_TCP)		/* XTCP has nothing else */
		sysctl_set("recovery", 1);
}

static void connected(int ts)
{
	modern();
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(RTT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sackok = 1);
	expect(ACK, .seq = 1, .ack = 1);
}

/* The window is as large as the script likes, and no update comes later */
static void write_segments(int n)
{
	int i;

	inject(ACK, .seq = 1, .ack = 1);
	stack_write(1000 * n);
	for (i = 0; i < n; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(probe_is_the_last_segment, "RFC 8985 7.2, 7.3: after 2 SRTT; the timeout starts anew")
{
	connected(0);
	write_segments(4);
	expect(ACK, .seq = 3001, .ack = 1, .len = 1000, .after = 2 * RTT);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
}

SCRIPT(probe_is_new_data, "RFC 8985 7.3: an unsent segment first, in spite of cwnd")
{
	connected(0);
	write_segments(10);
	stack_write(2000);
	expect_nothing();
	expect(ACK, .seq = 10001, .ack = 1, .len = 1000, .after = 2 * RTT);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
}

SCRIPT(probe_off_by_sysctl, "ip-sysctl: tcp_early_retrans = 0")
{
	connected(0);
	sysctl_set("early_retrans", 0);
	/* the sysctl is read when a socket is made, or when it sends */
	use(conv_new());
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(RTT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sackok = 1);
	expect(ACK, .seq = 1, .ack = 1);
	write_segments(4);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
}

SCRIPT(no_probe_without_sack, "RFC 8985 7.2: with SACK only")
{
	modern();
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(RTT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
	expect(ACK, .seq = 1, .ack = 1);
	write_segments(4);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO);
}

SCRIPT(probe_shows_a_lost_tail, "RFC 8985 3.4, 6.2: the SACK of the probe marks the rest")
{
	connected(0);
	write_segments(4);
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 3001, .ack = 1, .len = 1000, .within = 3 * RTT);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1001, BLOCKS(1, { 3001, 4001 }));
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 60);
	/* one for one: RFC 9937 */
	inject(ACK, .seq = 1, .ack = 2001, BLOCKS(1, { 3001, 4001 }));
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000, .within = 60);
	inject(ACK, .seq = 1, .ack = 4001);
	expect_nothing_for(1000);
}

SCRIPT(one_sack_is_enough, "RFC 8985 6.2: a quarter of the round trip later, by the timer")
{
	connected(0);
	write_segments(3);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 2001, 3001 }));
	expect_nothing_for(20);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 80);
	inject(ACK, .seq = 1, .ack = 3001);
	expect_nothing_for(1000);
}

SCRIPT(late_within_the_window, "RFC 8985 6.2: reordering costs nothing")
{
	connected(0);
	write_segments(3);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 2001 }));
	expect_nothing_for(10);
	inject(ACK, .seq = 1, .ack = 2001);
	expect_nothing_for(100);
	inject(ACK, .seq = 1, .ack = 3001);
	expect_nothing_for(1000);
}

SCRIPT(lost_retransmission, "RFC 8985 3.3: what was sent after it has arrived")
{
	connected(0);
	write_segments(10);
	stack_write(5000);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 10001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	expect(ACK, .seq = 10001, .ack = 1, .len = 1000);
	peer_fence();
	while (peer_queued())
		peer_next(1);
	expect_nothing_for(RTT);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 11001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 60);
}

SCRIPT_MAIN
