// SPDX-License-Identifier: GPL-2.0
/*
 * Explicit Congestion Notification, RFC 3168: what the SYNs agree on (6.1.1), which
 * segments are ECN-capable (6.1.4 to 6.1.6), the echo (6.1.3) and the answer to it
 * (6.1.2).  In all other programs every segment of the stack must be Not-ECT.
 */
#include <sys/socket.h>
#include "known.h"
#include "states.h"

static void open_passive(int syn, int syn_ack)
{
	stack_listen(8);
	inject(syn, .seq = 0, .mss = 1000);
	expect(syn_ack, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	peer_fence();
	stack_accept();
}

static void with_ecn(void)
{
	open_passive(SYN | ECE | CWR, SYN | ACK | ECE);
}

SCRIPT(passive, "RFC 3168 6.1.1: an ECN-setup SYN gets an ECN-setup SYN,ACK; sysctl ecn = 2")
{
	with_ecn();
	stack_write(1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .ecn = ECT_0);
	inject(ACK, .seq = 1, .ack = 1001);
}

SCRIPT(passive_without, "RFC 3168 6.1.1: a SYN without both bits is no ECN-setup SYN")
{
	static const int syn[] = { SYN, SYN | ECE, SYN | CWR };
	int i;

	for (i = 0; i < 3; i++) {
		if (i)
			use(conv_new());
		open_passive(syn[i], SYN | ACK);
		stack_write(1000);
		expect(ACK, .seq = 1, .ack = 1, .len = 1000);
		inject(ACK, .seq = 1, .ack = 1001);
	}
}

SCRIPT(passive_off, "tcp(7), tcp_ecn = 0: neither offered nor accepted")
{
	sysctl_set("ecn", 0);
	open_passive(SYN | ECE | CWR, SYN | ACK);
	stack_write(1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	inject(ACK, .seq = 1, .ack = 1001);
}

SCRIPT(passive_capable_syn, "RFC 3168 6.1.1: a SYN must not be ECN-capable itself")
{
	stack_listen(8);
	inject(SYN | ECE | CWR, .seq = 0, .mss = 1000, .ecn = ECT_0);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(RST, .seq = 1);
}

SCRIPT(passive_cookie, "without timestamps a SYN cookie has no room for ECN")
{
	sysctl_set("syncookies", 2);
	open_passive(SYN | ECE | CWR, SYN | ACK);
	stack_write(400);
	expect(ACK, .seq = 1, .ack = 1, .len = 400);
	inject(ACK, .seq = 1, .ack = 401);
}

/* The peer's SYN,ACK has these bits; is the text that follows ECN-capable? */
static void open_active(int syn_ack, int ecn)
{
	sysctl_set("ecn", 1);
	stack_connect();
	expect(SYN | ECE | CWR, .seq = 0);
	inject(syn_ack, .seq = 0, .ack = 1, .mss = 1000);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .ecn = ecn);
	inject(ACK, .seq = 1, .ack = 1001);
}

SCRIPT(active, "RFC 3168 6.1.1; tcp(7), tcp_ecn = 1: offered, and taken")
{
	open_active(SYN | ACK | ECE, ECT_0);
}

SCRIPT(active_refused, "RFC 3168 6.1.1: a SYN,ACK without ECE")
{
	open_active(SYN | ACK, NOT_ECT);
}

SCRIPT(active_echoed, "RFC 3168 6.1.1: ECE and CWR in a SYN,ACK are an echo, no agreement")
{
	open_active(SYN | ACK | ECE | CWR, NOT_ECT);
}

SCRIPT(active_by_default, "tcp(7), tcp_ecn = 2: not offered")
{
	stack_connect();
	expect(SYN, .seq = 0);
	inject(SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	inject(ACK, .seq = 1, .ack = 1001);
}

SCRIPT(active_fallback, "RFC 3168 6.1.1.1: a SYN sent again does not offer ECN")
{
	sysctl_set("ecn", 1);
	stack_connect();
	expect(SYN | ECE | CWR, .seq = 0);
	expect(SYN, .seq = 0, .within = 3000);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
	expect(ACK, .seq = 1, .ack = 1);
}

SCRIPT(not_sent_again, "RFC 3168 6.1.5: retransmitted text is not ECN-capable")
{
	with_ecn();
	stack_write(1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .ecn = ECT_0);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 3000);
	inject(ACK, .seq = 1, .ack = 1001);
}

SCRIPT(echo, "RFC 3168 6.1.3: ECE from a mark until CWR; pure ACKs are not ECN-capable (6.1.4)")
{
	int i, seq = 1;

	with_ecn();
	for (i = 0; i < 3; i++, seq += 1000) {
		inject(ACK, .seq = seq, .ack = 1, .len = 1000, .ecn = ECT_0);
		expect(ACK, .seq = 1, .ack = seq + 1000);
	}
	for (i = 0; i < 3; i++, seq += 1000) {
		inject(ACK, .seq = seq, .ack = 1, .len = 1000, .ecn = i ? ECT_0 : CE);
		expect(ACK | ECE, .seq = 1, .ack = seq + 1000);
	}
	inject(ACK | CWR, .seq = seq, .ack = 1, .len = 1000, .ecn = ECT_0);
	expect(ACK, .seq = 1, .ack = seq + 1000);
	seq += 1000;
	inject(ACK | CWR, .seq = seq, .ack = 1, .len = 1000, .ecn = CE);
	expect(ACK | ECE, .seq = 1, .ack = seq + 1000);
}

SCRIPT(no_echo_without, "RFC 3168 6.1.1: without agreement a mark is not echoed, nor an echo answered")
{
	int i;

	open_passive(SYN, SYN | ACK);
	inject(ACK, .seq = 1, .ack = 1, .len = 1000, .ecn = CE);
	expect(ACK, .seq = 1, .ack = 1001);
	stack_write(12000);
	for (i = 0; i < 10; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1001, .len = 1000);
	inject(ACK | ECE, .seq = 1001, .ack = 10001);
	for (i = 10; i < 12; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1001, .len = 1000);
	inject(ACK, .seq = 1001, .ack = 12001);
}

SCRIPT(answer, "RFC 3168 6.1.2: half of cwnd, and CWR on the first new segment")
{
	int i;

	with_ecn();
	stack_write(30000);
	for (i = 0; i < 10; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000, .ecn = ECT_0);
	inject(ACK | ECE, .seq = 1, .ack = 10001);
	expect(ACK | CWR, .seq = 10001, .ack = 1, .len = 1000, .ecn = ECT_0);
	for (i = 11; i < 15; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000, .ecn = ECT_0);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 15001);
	expect(ACK, .seq = 15001, .ack = 1, .len = 1000, .ecn = ECT_0);
}

SCRIPT(answer_once, "RFC 3168 6.1.2: once for each window of data")
{
	int i, cwr = 0;
	struct seg *s;

	with_ecn();
	stack_write(30000);
	for (i = 0; i < 10; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000, .ecn = ECT_0);
	for (i = 1; i <= 9; i++)
		inject(ACK | ECE, .seq = 1, .ack = 1 + 1000 * i);
	peer_fence();
	for (i = 0; peer_queued(); i++) {
		s = peer_next(0);
		check_eq(s->seq, 10001 + 1000 * i);
		check_eq(s->ecn, ECT_0);
		cwr += !!(s->flags & CWR);
		check_eq(!!(s->flags & CWR), !i);
	}
	check_eq(cwr, 1);
	check_range(i, 1, 4);	/* one is in flight, of a cwnd of five */
}

SCRIPT_MAIN
