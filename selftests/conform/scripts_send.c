// SPDX-License-Identifier: GPL-2.0
/*
 * How written bytes become segments: MSS (RFC 9293 3.7.1, RFC 6691), Nagle
 * (RFC 9293 3.7.4), TCP_CORK and MSG_MORE, PSH, initial window (RFC 6928), slow
 * start and congestion avoidance (RFC 5681), sequence numbers over the wrap.
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

/* ---- segment size ---- */

SCRIPT(mss_of_peer, "RFC 9293 3.7.1, MUST-16: SendMSS")
{
	establish_with(.mss = 700);
	stack_write(1500);
	expect(ACK, .seq = 1, .ack = 1, .len = 700);
	expect(ACK, .seq = 701, .ack = 1, .len = 700);
}

SCRIPT(mss_absent, "RFC 9293 3.7.1, MUST-15: 536 for IPv4, 1220 for IPv6")
{
	int mss = family == AF_INET ? 536 : 1220;

	stack_connect();
	expect(SYN, .seq = 0);
	inject(SYN | ACK, .seq = 0, .ack = 1);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(3000);
	expect(ACK, .seq = 1, .ack = 1, .len = mss);
	expect(ACK, .seq = 1 + mss, .ack = 1, .len = mss);
}

SCRIPT(mss_absent_passive, "RFC 9293 3.7.1, MUST-15: 536 for IPv4, 1220 for IPv6")
{
	int mss = family == AF_INET ? 536 : 1220;

	stack_listen(5);
	inject(SYN, .seq = 0);
	expect(SYN | ACK, .seq = 0, .ack = 1, .mss = MSS);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	stack_write(3000);
	expect(ACK, .seq = 1, .ack = 1, .len = mss);
}

SCRIPT(mss_larger_than_mtu, "RFC 9293 3.7.1: never more than the path takes")
{
	establish_with(.mss = 9000);
	stack_write(4000);
	expect(ACK, .seq = 1, .ack = 1, .len = MSS);
	expect(ACK, .seq = 1 + MSS, .ack = 1, .len = MSS);
}

SCRIPT(mss_minus_options, "RFC 6691 2: options shorten the text, not the MSS")
{
	establish_with(.mss = 1000, .ts = 1, .tsval = 1000);
	stack_write(3000);
	expect(ACK, .seq = 1, .ack = 1, .len = 988, .ts = 1);
	expect(ACK, .seq = 989, .ack = 1, .len = 988, .ts = 1);
}

SCRIPT(mss_tiny, "RFC 9293 3.7.1; an MSS of 1 must not melt the host (CVE-2019-11479)")
{
	struct seg *s;

	establish_with(.mss = 1);
	stack_write(200);
	s = expect(ACK, .seq = 1, .ack = 1, .len = ANY);
	check(s->len >= 8);
}

SCRIPT(maxseg_option, "tcp(7): TCP_MAXSEG before connect() is announced")
{
	c->fd = stack_socket();
	stack_opt(SOL_TCP, TCP_MAXSEG, 600);
	stack_connect();
	expect(SYN, .seq = 0, .mss = 600);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(1500);
	expect(ACK, .seq = 1, .ack = 1, .len = 600);
}

/* ---- small segments ---- */

SCRIPT(nagle_holds, "RFC 9293 3.7.4, SHLD-7")
{
	establish();
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);	/* nothing outstanding */
	stack_write(10);
	stack_write(10);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 11);
	expect(ACK, .seq = 11, .ack = 1, .len = 20);	/* both, as one */
}

SCRIPT(nagle_full_segments_pass, "RFC 9293 3.7.4: what fills a segment goes")
{
	establish_with(.mss = 1000);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	stack_write(1010);
	expect(ACK, .seq = 11, .ack = 1, .len = 1000);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1011);
	expect(ACK, .seq = 1011, .ack = 1, .len = 10);
}

SCRIPT(nagle_tail_of_write, "RFC 9293 3.7.4: the rest of a large write")
{
	establish_with(.mss = 1000);
	stack_write(1010);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	if (known("Nagle looks at small segments only")) {
		expect(ACK, .seq = 1001, .ack = 1, .len = 10);
		return;
	}
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 10);
}

SCRIPT(nodelay, "RFC 9293 3.7.4, MUST-17: Nagle can be switched off")
{
	establish();
	stack_opt(SOL_TCP, TCP_NODELAY, 1);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	stack_write(10);
	expect(ACK, .seq = 11, .ack = 1, .len = 10);
}

SCRIPT(nodelay_flushes, "tcp(7): setting TCP_NODELAY sends what Nagle holds")
{
	establish();
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	stack_write(10);
	expect_nothing();
	stack_opt(SOL_TCP, TCP_NODELAY, 1);
	expect(ACK, .seq = 11, .ack = 1, .len = 10);
}

SCRIPT(cork, "tcp(7): TCP_CORK sends full segments only")
{
	establish_with(.mss = 1000);
	stack_opt(SOL_TCP, TCP_CORK, 1);
	stack_write(600);
	expect_nothing();
	stack_write(600);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	expect_nothing();
	stack_opt(SOL_TCP, TCP_CORK, 0);
	expect(ACK, .seq = 1001, .ack = 1, .len = 200);
}

SCRIPT(cork_lasts_200ms, "tcp(7): a ceiling of 200 milliseconds")
{
	establish();
	stack_opt(SOL_TCP, TCP_CORK, 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 200);
}

SCRIPT(msg_more, "send(2): MSG_MORE")
{
	char buf[100];
	int i;

	establish();
	for (i = 0; i < 100; i++)
		buf[i] = seg_pattern(1 + i);
	check_eq(send(c->fd, buf, 100, MSG_MORE), 100);
	expect_nothing();
	c->write_pos = 101;
	stack_write(50);
	expect(ACK, .seq = 1, .ack = 1, .len = 150);
}

SCRIPT(push_at_end_of_write, "RFC 9293 3.9.1.2, MUST-61: PSH on the last segment")
{
	establish_with(.mss = 1000);
	stack_write(2000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .psh = NO);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .psh = 1);
}

/* ---- how many at once ---- */

static void expect_segments(int first, int n)
{
	int i;

	for (i = first; i < first + n; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(initial_window, "RFC 6928 2: ten segments")
{
	c->win = 60000;
	establish_with(.mss = 1000);
	stack_write(30000);
	expect_segments(0, 10);
}

SCRIPT(initial_window_passive, "RFC 6928 2: ten segments")
{
	c->win = 60000;
	establish_passive_with(.mss = 1000);
	stack_write(30000);
	expect_segments(0, 10);
}

SCRIPT(slow_start, "RFC 5681 3.1: one SMSS more for each that is acknowledged")
{
	int acked, next = 10;

	c->win = 65000;
	establish_with(.mss = 1000);
	stack_write(50000);
	expect_segments(0, 10);
	for (acked = 2; acked <= 10; acked += 2) {
		inject(ACK, .seq = 1, .ack = 1 + 1000 * acked);
		expect_segments(next, 4);	/* two left, two more allowed */
		next += 4;
	}
}

SCRIPT(congestion_avoidance, "RFC 5681 3.1 (3): about one SMSS per round trip")
{
	int acked, sent, una, cwnd, i;

	c->win = 65000;
	establish_with(.mss = 1000);
	stack_opt(SOL_SOCKET, SO_SNDBUF, 200000);
	stack_write(80000);
	expect_segments(0, 10);
	/* a timeout: ssthresh = FlightSize / 2 = 5, cwnd = 1 */
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 400);
	inject(ACK, .seq = 1, .ack = 10001);
	una = sent = 10;
	peer_fence();
	while (peer_queued()) {
		expect(ACK, .seq = 1 + 1000 * sent, .ack = 1, .len = 1000);
		sent++;
	}
	/* up to ssthresh by slow start, then one more in each round, not twice */
	for (i = 0; i < 6; i++) {
		cwnd = sent - una;
		for (acked = una + 1; acked <= una + cwnd; acked++)
			inject(ACK, .seq = 1, .ack = 1 + 1000 * acked);
		una += cwnd;
		peer_fence();
		while (peer_queued()) {
			expect(ACK, .seq = 1 + 1000 * sent, .ack = 1, .len = 1000);
			sent++;
		}
		check(sent - una <= cwnd + 3);
	}
	/* an early segment or two may wait for company (TSO) */
	check_range(sent - una, 8, 14);
}

/* ---- the wrap ---- */

SCRIPT(peer_isn_wraps, "RFC 9293 3.4: arithmetic modulo 2^32, of the peer's numbers")
{
	int i;

	c->iss = 0xffffff00;
	establish();
	for (i = 0; i < 5; i++) {
		inject(ACK, .seq = 1 + 100 * i, .ack = 1, .len = 100);
		while (c->rcv_nxt < 101 + 100 * i)
			expect(ACK, .seq = 1, .ack = ANY);
	}
	stack_read(500);
	/* out of order over the wrap is scripts_sack.c's wrap script */
	inject(RST, .seq = 502);
	expect(ACK, .seq = 1, .ack = 501);
	inject(FIN | ACK, .seq = 501, .ack = 1);
	expect(ACK, .seq = 1, .ack = 502);
	state_is(CLOSE_WAIT);
}

SCRIPT(peer_isn_is_last_number, "RFC 9293 3.4: the SYN is 2^32 - 1, text begins at 0")
{
	c->iss = 0xffffffff;
	establish_passive();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	stack_read(100);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 101, .len = 10);
	inject(ACK, .seq = -10, .ack = 11, .len = 10);	/* before the ISN: old */
	expect(ACK, .seq = 11, .ack = 101);
}

SCRIPT_MAIN
