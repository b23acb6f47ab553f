// SPDX-License-Identifier: GPL-2.0
/*
 * Closing a connection: RFC 9293 3.6 with its figures 12 and 13, half close,
 * abort, and the state of the connection after each segment.  What comes after
 * TIME-WAIT has begun is in scripts_timewait.c.
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <unistd.h>
#include "known.h"
#include "states.h"

/* RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>; an ACK with it does no harm. */
static void expect_abort(int seq)
{
	struct seg *s = peer_next(500);

	if (!s || (s->flags & ~ACK) != RST || s->seq != seq)
		fail("expected RST seq %d, got %s", seq, s ? seg_print(s) : "nothing");
}

SCRIPT(four_way_close_active, "RFC 9293 3.6, figure 12")
{
	establish();
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 1, .ack = 1);
	state_is(FIN_WAIT_1);
	inject(ACK, .seq = 1, .ack = 2);
	expect_nothing();
	state_is(FIN_WAIT_2);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
	stack_read_eof();
}

SCRIPT(four_way_close_passive, "RFC 9293 3.6, figure 12")
{
	establish_passive();
	inject(FIN | ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 2);
	state_is(CLOSE_WAIT);
	stack_read_eof();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 2);
	state_is(LAST_ACK);
	inject(ACK, .seq = 2, .ack = 2);
	expect_nothing();
	state_is(CLOSED);
}

SCRIPT(three_segment_close, "RFC 9293 3.10.7.4: FIN-WAIT-1 to TIME-WAIT")
{
	establish();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

SCRIPT(simultaneous_close, "RFC 9293 3.6, figure 13")
{
	establish();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(FIN | ACK, .seq = 1, .ack = 1);		/* crosses ours */
	expect(ACK, .seq = 2, .ack = 2);
	state_is(CLOSING);
	inject(ACK, .seq = 2, .ack = 2);
	expect_nothing();
	state_is(TIME_WAIT);
}

/* The ACK of our FIN is lost: the peer's FIN brings it; never CLOSING. */
SCRIPT(lost_ack_is_not_closing, "RFC 9293 3.10.7.4, fifth then eighth step")
{
	establish();
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 1, .ack = 1);
	state_is(FIN_WAIT_1);
	/* inject(ACK, .seq = 1, .ack = 2) would be here */
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

SCRIPT(half_close_receives, "RFC 9293 3.6: receiving in FIN-WAIT-2")
{
	int i;

	establish();
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 2);
	for (i = 0; i < 40; i++) {
		inject(ACK, .seq = 1 + 1000 * i, .ack = 2, .len = 1000);
		while (c->rcv_nxt < 1 + 1000 * i + 1000)
			expect(ACK, .seq = 2, .ack = ANY);
		stack_read(1000);
		state_is(FIN_WAIT_2);
	}
	inject(FIN | ACK, .seq = 40001, .ack = 2);
	do
		expect(ACK, .seq = 2, .ack = ANY);
	while (c->rcv_nxt != 40002);
	state_is(TIME_WAIT);
	stack_read_eof();
}

SCRIPT(half_close_sends, "RFC 9293 3.6: sending in CLOSE-WAIT")
{
	int i;

	establish();
	inject(FIN | ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 2);
	stack_read_eof();
	for (i = 0; i < 20; i++) {
		stack_write(1000);
		expect(ACK, .seq = 1 + 1000 * i, .ack = 2, .len = 1000);
		inject(ACK, .seq = 2, .ack = 1001 + 1000 * i);
	}
	state_is(CLOSE_WAIT);
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 20001, .ack = 2);
	state_is(LAST_ACK);
	inject(ACK, .seq = 2, .ack = 20002);
	state_is(CLOSED);
}

SCRIPT(fin_with_text, "RFC 9293 3.10.7.4, seventh then eighth step")
{
	establish();
	inject(FIN | ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 12);
	state_is(CLOSE_WAIT);
	stack_read(10);
	stack_read_eof();
}

SCRIPT(fin_before_its_text, "RFC 9293 3.10.7.4: FIN counts in its place only")
{
	establish();
	inject(FIN | ACK, .seq = 11, .ack = 1);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 12);
	state_is(CLOSE_WAIT);
	stack_read(10);
	stack_read_eof();
}

SCRIPT(fin_after_queued_text, "RFC 9293 3.10.4: queue until all SENDs have been segmentized")
{
	establish();
	c->win = 100;
	inject(ACK, .seq = 1, .ack = 1);
	stack_opt(SOL_TCP, TCP_NODELAY, 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	stack_write(50);			/* no window for it */
	stack_shutdown(SHUT_WR);
	expect_nothing();
	/* the state says that the user has closed, the FIN is still to come */
	state_is(FIN_WAIT_1);
	inject(ACK, .seq = 1, .ack = 101);
	expect(FIN | ACK, .seq = 101, .ack = 1, .len = 50);
	inject(ACK, .seq = 1, .ack = 151);	/* all but the FIN */
	state_is(FIN_WAIT_1);
	inject(ACK, .seq = 1, .ack = 152);
	state_is(FIN_WAIT_2);
}

SCRIPT(close_with_unread_text, "RFC 9293 3.6.1, MUST-12: show that data was lost")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	stack_close();
	expect_abort(1);
	state_is(CLOSED);
}

SCRIPT(close_lingering_zero, "RFC 9293 3.10.5: ABORT")
{
	struct linger l = { .l_onoff = 1 };

	establish();
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	check_eq(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	stack_close();
	expect_abort(11);
	state_is(CLOSED);
}

SCRIPT(abort_in_close_wait, "RFC 9293 3.10.5: RST from CLOSE-WAIT")
{
	struct linger l = { .l_onoff = 1 };

	enter(CLOSE_WAIT, BY_FD);
	check_eq(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	stack_close();
	expect_abort(1);
	state_is(CLOSED);
}

SCRIPT(orphan_still_sends, "RFC 9293 3.6: CLOSE does not lose what was sent before")
{
	int i;

	establish_with(.mss = 1000);
	c->win = 1000;
	inject(ACK, .seq = 1, .ack = 1);
	stack_write(5000);
	stack_close();
	for (i = 0; i < 4; i++) {
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
		state_is(FIN_WAIT_1);
		c->win += 1000 * (i == 3);	/* room for the FIN at last */
		inject(ACK, .seq = 1, .ack = 1001 + 1000 * i);
	}
	expect(FIN | ACK, .seq = 4001, .ack = 1, .len = 1000);
	inject(FIN | ACK, .seq = 1, .ack = 5002);
	expect(ACK, .seq = 5002, .ack = 2);
	state_is(TIME_WAIT);
}

SCRIPT(text_for_orphan_resets, "RFC 9293 3.6.1, MUST-12")
{
	establish();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 2, .len = 10);
	expect_abort(2);
	state_is(CLOSED);
	inject(ACK, .seq = 11, .ack = 2, .len = 10);
	expect(RST, .seq = 2);			/* CLOSED is real: it answers */
}

SCRIPT_MAIN
