// SPDX-License-Identifier: GPL-2.0
/*
 * RFC 7323: timestamps (3), which one is echoed (4.3), and PAWS (5).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

static void establish_ts(uint32_t tsval)
{
	establish_with(.mss = 1460, .ts = 1, .tsval = tsval);
	check(c->ts);
}

SCRIPT(syn_offers, "RFC 7323 3.2: TSopt in the SYN, TSecr 0")
{
	struct seg *s;

	stack_connect();
	s = expect(SYN, .seq = 0, .ts = 1);
	check_eq(s->tsecr, 0);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1, .ts = NO);	/* the other has none */
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10, .ts = NO);
}

SCRIPT(synack_answers, "RFC 7323 3.2: TSopt in the SYN+ACK if the SYN has it")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .tsval = 5000);
	expect(SYN | ACK, .seq = 0, .ack = 1, .ts = 1, .tsecr = 5000);
}

SCRIPT(off_by_sysctl, "tcp(7): tcp_timestamps = 0")
{
	sysctl_set("timestamps", 0);
	stack_connect();
	expect(SYN, .seq = 0, .ts = NO);
	use(conv_new());
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .tsval = 5000);
	expect(SYN | ACK, .seq = 0, .ack = 1, .ts = NO);
}

SCRIPT(every_segment_has_it, "RFC 7323 3.2: in every segment but RST")
{
	establish_ts(1000);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10, .ts = 1, .tsecr = 1000);
	inject(ACK, .seq = 1, .ack = 11, .len = 10, .tsval = 1001);
	expect(ACK, .seq = 11, .ack = 11, .ts = 1, .tsecr = 1001);
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 11, .ack = 11, .ts = 1, .tsecr = 1001);
	inject(FIN | ACK, .seq = 11, .ack = 12, .tsval = 1002);
	expect(ACK, .seq = 12, .ack = 12, .ts = 1, .tsecr = 1002);
	state_is(TIME_WAIT);
	inject(FIN | ACK, .seq = 11, .ack = 12, .tsval = 1003);
	expect(ACK, .seq = 12, .ack = 12, .ts = 1);	/* TIME-WAIT too */
}

SCRIPT(clock_ticks, "RFC 7323 5.4: between 1 ms and 1 s a tick")
{
	uint32_t first;

	establish_ts(1000);
	stack_write(10);
	first = expect(ACK, .seq = 1, .ack = 1, .len = 10)->tsval;
	inject(ACK, .seq = 1, .ack = 11);
	expect_nothing_for(2000);
	stack_write(10);
	expect(ACK, .seq = 11, .ack = 1, .len = 10);
	check_range(c->ts_last - first, 2, 2100);
}

SCRIPT(clock_tells_no_uptime, "RFC 7323 7.1: an offset hides the clock behind TSval")
{
	uint32_t first, ms;

	stack_connect();
	first = expect(SYN, .seq = 0)->tsval;
	ms = now_ns() / 1000000;
	check(first - ms + 5000 > 10000);	/* by chance once in 430,000 */
}

/* ---- TS.Recent ---- */

SCRIPT(echo_of_delayed_ack, "RFC 7323 4.3 (B): the earliest unacknowledged segment")
{
	establish_ts(1000);
	stack_opt(SOL_TCP, TCP_QUICKACK, 0);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 1010);
	inject(ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 1020);
	expect(ACK, .seq = 1, .ack = 201, .tsecr = 1010, .within = 500);
	inject(ACK, .seq = 201, .ack = 1, .len = 100, .tsval = 1030);
	expect(ACK, .seq = 1, .ack = 301, .tsecr = 1030, .within = 500);
}

SCRIPT(echo_with_a_gap, "RFC 7323 4.3 (C): the segment that last advanced the window")
{
	establish_ts(1000);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 1010);
	expect(ACK, .seq = 1, .ack = 101, .tsecr = 1010);
	inject(ACK, .seq = 201, .ack = 1, .len = 100, .tsval = 1020);
	expect(ACK, .seq = 1, .ack = 101, .tsecr = 1010);
	inject(ACK, .seq = 301, .ack = 1, .len = 100, .tsval = 1030);
	expect(ACK, .seq = 1, .ack = 101, .tsecr = 1010);
}

SCRIPT(echo_of_filled_gap, "RFC 7323 4.3: the segment that fills the gap")
{
	establish_ts(1000);
	inject(ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 1020);
	expect(ACK, .seq = 1, .ack = 1, .tsecr = 1000);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 1030);
	expect(ACK, .seq = 1, .ack = 201, .tsecr = 1030);
}

/* ---- PAWS ---- */

SCRIPT(paws_drops_old, "RFC 7323 5.3, R1: answer and drop")
{
	establish_ts(1000);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 1010);
	expect(ACK, .seq = 1, .ack = 101);
	inject(ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 900);
	expect(ACK, .seq = 1, .ack = 101, .tsecr = 1010);
	stack_read(100);
	stack_read_errno(EAGAIN);
	inject(ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 1010);
	expect(ACK, .seq = 1, .ack = 201);		/* equal is good */
	stack_read(100);
}

SCRIPT(paws_spares_rst, "RFC 7323 5.2: RST is not subject to PAWS")
{
	establish_ts(1000);
	inject(RST, .seq = 1, .ts = 1, .tsval = 500);
	state_is(CLOSED);
	check_eq(stack_error(), ECONNRESET);
}

SCRIPT(paws_over_the_wrap, "RFC 7323 5.2: timestamps are compared modulo 2^32")
{
	establish_ts(0xfffffff0);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 0x00000010);
	expect(ACK, .seq = 1, .ack = 101, .tsecr = 0x10);
	inject(ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 0xfffffff8);
	expect(ACK, .seq = 1, .ack = 101);
	stack_read(100);
	stack_read_errno(EAGAIN);
}

SCRIPT(paws_in_syn_received, "RFC 7323 5.3 in SYN-RECEIVED")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .tsval = 5000);
	c->ts = true;
	expect(SYN | ACK, .seq = 0, .ack = 1, .tsecr = 5000);
	inject(ACK, .seq = 1, .ack = 1, .tsval = 4000);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(SYN_RECEIVED);
	inject(ACK, .seq = 1, .ack = 1, .tsval = 5001);
	state_is(ESTABLISHED);
}

SCRIPT(missing_timestamp, "RFC 7323 3.2: a segment without TSopt SHOULD be dropped")
{
	establish_ts(1000);
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .ts = NO);
	if (known("segment without TSopt is taken"))
		expect(ACK, .seq = 1, .ack = 101);
	else
		expect_nothing_for(300);
	state_is(ESTABLISHED);
}

SCRIPT(unasked_timestamp, "RFC 7323 3.2: ignored if not negotiated")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .ts = 1, .tsval = 77, .tsecr = 88);
	expect(ACK, .seq = 1, .ack = 101, .ts = NO);
	stack_read(100);
}

/* The RTT comes from TSecr even when the segment was sent twice. */
SCRIPT(rtt_of_retransmission, "RFC 7323 4.1: no ambiguity, a sample of the retransmission")
{
	uint32_t second;

	establish_ts(1000);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	second = expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 200)->tsval;
	inject(ACK, .seq = 1, .ack = 101, .tsecr = second);
	stack_write(100);
	expect(ACK, .seq = 101, .ack = 1, .len = 100);
	/* no back-off is left over: a fresh RTO, still the minimum */
	expect(ACK, .seq = 101, .ack = 1, .len = 100, .after = 200);
}

SCRIPT_MAIN
