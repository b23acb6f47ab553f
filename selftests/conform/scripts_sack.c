// SPDX-License-Identifier: GPL-2.0
/*
 * Selective acknowledgments: what the receiver reports (RFC 2018 3, 4), and what
 * the sender does with it (RFC 6675), or without (RFC 6582, NewReno).  Fast
 * retransmit is that of RFC 5681 3.2: three duplicate ACKs.
 */
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

#define BLOCKS(n, ...)	.nsack = (n), .sack = { __VA_ARGS__ }

SCRIPT(offered_and_answered, "RFC 2018 2: SACK-permitted in both SYNs")
{
	stack_connect();
	expect(SYN, .seq = 0, .sackok = 1);
	use(conv_new());
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .sackok = 1);
	expect(SYN | ACK, .seq = 0, .ack = 1, .sackok = 1);
	use(conv_new());
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .sackok = NO);
}

SCRIPT(off_by_sysctl, "tcp(7): tcp_sack = 0")
{
	sysctl_set("sack", 0);
	stack_connect();
	expect(SYN, .seq = 0, .sackok = NO);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .sackok = 1);
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .nsack = NO);
}

SCRIPT(never_unless_permitted, "RFC 2018 2: MUST NOT be sent unless permitted")
{
	establish_with(.mss = 1460);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .nsack = NO);
}

/* ---- receiver ---- */

SCRIPT(one_block, "RFC 2018 4: the block with the segment that triggered the ACK")
{
	establish_with(.mss = 1460, .sackok = 1);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 101, 201 }));
	inject(ACK, .seq = 201, .ack = 1, .len = 100);		/* grows */
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 101, 301 }));
	inject(ACK, .seq = 51, .ack = 1, .len = 50);		/* to the left too */
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 51, 301 }));
	inject(ACK, .seq = 1, .ack = 1, .len = 50);
	expect(ACK, .seq = 1, .ack = 301, .nsack = NO);
	stack_read(300);
}

SCRIPT(most_recent_first, "RFC 2018 4: the first block is the latest, then the ones before")
{
	establish_with(.mss = 1460, .sackok = 1);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 101, 201 }));
	inject(ACK, .seq = 501, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 501, 601 }, { 101, 201 }));
	inject(ACK, .seq = 301, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(3, { 301, 401 }, { 501, 601 }, { 101, 201 }));
	inject(ACK, .seq = 201, .ack = 1, .len = 100);	/* joins two */
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 101, 401 }, { 501, 601 }));
}

SCRIPT(four_blocks_at_most, "RFC 2018 3: what fits, the latest first")
{
	struct seg *s = NULL;
	int i;

	establish_with(.mss = 1460, .sackok = 1);
	for (i = 1; i <= 6; i++) {
		inject(ACK, .seq = 1 + 200 * i, .ack = 1, .len = 100);
		s = expect(ACK, .seq = 1, .ack = 1);
		check_eq(s->sack[0].start, 1 + 200 * i);
		check_eq(s->sack[0].end, 101 + 200 * i);
	}
	check_eq(s->nsack, 4);
}

SCRIPT(three_with_timestamps, "RFC 2018 3: three blocks beside a timestamp")
{
	struct seg *s = NULL;
	int i;

	establish_with(.mss = 1460, .sackok = 1, .ts = 1, .tsval = 1000);
	for (i = 1; i <= 6; i++) {
		inject(ACK, .seq = 1 + 200 * i, .ack = 1, .len = 100, .tsval = 1000 + i);
		s = expect(ACK, .seq = 1, .ack = 1, .ts = 1);
	}
	check_eq(s->nsack, 3);
}

SCRIPT(blocks_over_the_wrap, "RFC 2018 3, RFC 9293 3.4: numbers modulo 2^32")
{
	c->iss = 0xffffff00;
	establish_with(.mss = 1460, .sackok = 1);
	inject(ACK, .seq = 201, .ack = 1, .len = 200);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 201, 401 }));
	inject(ACK, .seq = 1, .ack = 1, .len = 200);
	expect(ACK, .seq = 1, .ack = 401, .nsack = NO);
	stack_read(400);
}

SCRIPT(text_carries_blocks, "RFC 2018 4: in each segment while there is a gap")
{
	establish_with(.mss = 1460, .sackok = 1);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 101, 201 }));
	stack_write(50);
	expect(ACK, .seq = 1, .ack = 1, .len = 50, BLOCKS(1, { 101, 201 }));
}

/* ---- sender ---- */

/*
 * The first ACK after the SYN always updates the window (SND.WL1), so it would
 * be no duplicate (RFC 5681 2): let it pass before anything is outstanding.
 */
static void write_segments(int n)
{
	int i;

	inject(ACK, .seq = 1, .ack = 1);
	stack_write(1000 * n);
	for (i = 0; i < n; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(fast_retransmit_sack, "RFC 5681 3.2, RFC 6675 5: after three, at once")
{
	establish_with(.mss = 1000, .sackok = 1);
	write_segments(8);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 2001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 3001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 4001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	inject(ACK, .seq = 1, .ack = 8001);
	expect_nothing_for(1000);
}

SCRIPT(fast_retransmit_newreno, "RFC 5681 3.2: three duplicate ACKs without SACK")
{
	establish_with(.mss = 1000);
	write_segments(8);
	inject(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	inject(ACK, .seq = 1, .ack = 8001);
	expect_nothing_for(1000);
}

SCRIPT(two_duplicates_are_reordering, "RFC 5681 3.2: not before the third")
{
	establish_with(.mss = 1000);
	write_segments(8);
	inject(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 3001);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 8001);
	expect_nothing_for(1000);
}

SCRIPT(limited_transmit, "RFC 3042: new data on the first two duplicates")
{
	establish_with(.mss = 1000);
	write_segments(10);
	stack_write(1000);
	expect_nothing();			/* the window is full */
	inject(ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 10001, .ack = 1, .len = 1000);
	stack_write(1000);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 11001, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(only_the_holes, "RFC 6675 5: what was SACKed is not sent again")
{
	establish_with(.mss = 1000, .sackok = 1);
	write_segments(10);
	/* 1 and 4001 are lost */
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 2001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 4001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 5001, 6001 }, { 1001, 4001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 5001, 7001 }, { 1001, 4001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 5001, 8001 }, { 1001, 4001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(2, { 5001, 10001 }, { 1001, 4001 }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	expect(ACK, .seq = 4001, .ack = 1, .len = 1000, .within = 50);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 4001, BLOCKS(1, { 5001, 10001 }));
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 10001);
	expect_nothing_for(1000);
}

SCRIPT(partial_ack_newreno, "RFC 6582 3.2: a partial ACK names the next hole")
{
	int i;

	establish_with(.mss = 1000);
	write_segments(10);
	/* 1 and 4001 are lost: eight duplicates */
	for (i = 0; i < 8; i++)
		inject(ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 4001);
	expect(ACK, .seq = 4001, .ack = 1, .len = 1000, .within = 50);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 10001);
	expect_nothing_for(1000);
}

SCRIPT(window_halves, "RFC 5681 3.1 (4), 3.2: ssthresh is half of what was in flight")
{
	int sent = 10, i;

	c->win = 65000;
	establish_with(.mss = 1000, .sackok = 1);
	write_segments(10);
	for (i = 2; i <= 10; i++)
		inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 1 + 1000 * i }));
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 50);
	inject(ACK, .seq = 1, .ack = 10001);
	stack_write(20000);
	peer_fence();
	while (peer_queued()) {
		expect(ACK, .seq = 1 + 1000 * sent, .ack = 1, .len = 1000);
		sent++;
	}
	/* five, and perhaps one for the ACK that ended the recovery */
	check_range(sent - 10, 4, 6);
}

SCRIPT(sack_of_unsent_is_ignored, "RFC 2018 5, RFC 6675: blocks outside [SND.UNA, SND.NXT]")
{
	establish_with(.mss = 1000, .sackok = 1);
	write_segments(4);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 90001, 91001 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { -5000, -4000 }));
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 3001, 2001 }));	/* backwards */
	inject(ACK, .seq = 1, .ack = 4001);
	expect_nothing_for(500);
	state_is(ESTABLISHED);
	stack_write(100);
	expect(ACK, .seq = 4001, .ack = 1, .len = 100);
}

/* A receiver may drop what it SACKed: only the cumulative ACK frees it. */
SCRIPT(sacked_text_is_kept, "RFC 2018 8: reneging; keep until acknowledged")
{
	establish_with(.mss = 1000, .sackok = 1);
	write_segments(3);
	inject(ACK, .seq = 1, .ack = 1, BLOCKS(1, { 1001, 3001 }));
	/* the timer sends the hole; the peer has thrown away the rest meanwhile */
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .within = 600);
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000, .within = 2000);
	inject(ACK, .seq = 1, .ack = 2001);
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000, .within = 2000);
	inject(ACK, .seq = 1, .ack = 3001);
	expect_nothing_for(1000);
}

SCRIPT_MAIN
