// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a connection: RFC 9293 3.5 with its figures 6 to 12, and RFC 6528.
 * Retransmission of SYN and SYN+ACK is in scripts_rexmit.c, the queues of a
 * listener in scripts_listen.c.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "states.h"

static bool connected(void)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT && !stack_error();
}

SCRIPT(handshake_active, "RFC 9293 3.5, figure 6")
{
	stack_connect();
	expect(SYN, .seq = 0, .mss = MSS, .sackok = 1, .ts = 1);
	state_is(SYN_SENT);
	check(!connected());
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);		/* the client after segment 2 */
	check(connected());
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	inject(ACK, .seq = 1, .ack = 11, .len = 20);
	expect(ACK, .seq = 11, .ack = 21);
	stack_read(20);
}

SCRIPT(handshake_passive, "RFC 9293 3.5, figure 6")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .mss = MSS);
	state_is(SYN_RECEIVED);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	state_is(ESTABLISHED);		/* the server after segment 3 */
	stack_accept();
	inject(ACK, .seq = 1, .ack = 1, .len = 20);
	expect(ACK, .seq = 1, .ack = 21);
	stack_read(20);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 21, .len = 10);
}

SCRIPT(third_segment_with_data, "RFC 9293 3.10.7.4, fifth and seventh step")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	stack_accept();
	stack_read(100);
}

SCRIPT(third_segment_lost, "RFC 9293 3.10.7.4: data brings the ACK as well")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	/* the ACK is lost; the second data segment comes before the first */
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1);
	stack_accept();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 201);
	stack_read(200);
}

SCRIPT(simultaneous_open, "RFC 9293 3.5, figure 7")
{
	stack_connect();
	expect(SYN, .seq = 0);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	state_is(SYN_RECEIVED);
	check(!connected());
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	state_is(ESTABLISHED);
	check(connected());
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	inject(ACK, .seq = 1, .ack = 11, .len = 10);
	expect(ACK, .seq = 11, .ack = 11);
	stack_read(10);
}

/* Both sides answer the other's SYN with a SYN+ACK. */
SCRIPT(simultaneous_open_synacks, "RFC 9293 3.5, figure 7, lines 5 to 7")
{
	stack_connect();
	expect(SYN, .seq = 0);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	peer_fence();
	if (peer_queued())
		expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
}

SCRIPT(refused, "RFC 9293 3.10.7.3, second step")
{
	stack_connect();
	expect(SYN, .seq = 0);
	inject(RST | ACK, .seq = 0, .ack = 1);
	state_is(CLOSED);
	check_eq(stack_error(), ECONNREFUSED);
	expect_nothing();
}

SCRIPT(data_with_syn, "RFC 9293 3.10.7.2: text with a SYN")
{
	struct seg *s;

	stack_listen(5);
	inject(SYN, .seq = 0, .len = 10, .mss = 1460);
	s = expect(SYN | ACK, .seq = 0, .ack = ANY);
	/* kept for later (11) or left to be sent again (1), nothing else */
	check(s->ack == 1 || s->ack == 11);
	inject(ACK, .seq = 1, .ack = 1, .len = 20);
	expect(ACK, .seq = 1, .ack = 21);
	stack_accept();
	stack_read(20);
}

SCRIPT(old_duplicate_syn, "RFC 9293 3.5, figure 8")
{
	stack_listen(5);
	inject(SYN, .seq = -1000, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = -999);
	inject(RST, .seq = -999);
	expect_nothing();
	state_is(CLOSED);		/* of the pair; the listener stays */
	check_eq(stack_listener(c->port), LISTEN);
	c->have_irs = false;
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	state_is(ESTABLISHED);
}

/* The peer has crashed and opens anew: the challenge makes it reset. */
SCRIPT(half_open_peer_restarts, "RFC 9293 3.5.1, figure 9; RFC 5961 4")
{
	establish();
	inject(SYN, .seq = 400000, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	inject(RST, .seq = 1);
	expect_nothing();
	state_is(CLOSED);
	check_eq(stack_error(), ECONNRESET);
}

/* The peer has crashed and has no connection: our data finds out. */
SCRIPT(half_open_data_is_reset, "RFC 9293 3.5.1, figure 10")
{
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	inject(RST, .seq = 1);
	state_is(CLOSED);
	check_eq(stack_error(), ECONNRESET);
}

SCRIPT(close_in_syn_sent, "RFC 9293 3.10.4: delete the TCB")
{
	stack_connect();
	expect(SYN, .seq = 0);
	stack_close();
	expect_nothing();
	state_is(CLOSED);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(RST, .seq = 1);
}

SCRIPT(close_in_syn_received, "RFC 9293 3.10.4: FIN, FIN-WAIT-1")
{
	enter(SYN_RECEIVED_ACTIVE, BY_FD);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	state_is(FIN_WAIT_1);
	inject(ACK, .seq = 1, .ack = 2);
	expect_nothing();
	state_is(FIN_WAIT_2);
}

SCRIPT(close_listener_resets_accepted, "RFC 9293 3.10.5: nobody will ever accept()")
{
	struct seg *s;

	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	stack_forget(c->lfd);
	close(c->lfd);
	c->lfd = -1;
	s = peer_next(500);
	check(s && s->flags & RST && s->seq == 1);
	state_is(CLOSED);
}

/* One tuple: later connections begin above earlier ones. */
SCRIPT(isn_grows_per_tuple, "RFC 6528 3")
{
	union addr a;
	socklen_t len = stack_addr(&a, c->port);
	uint32_t first;
	int on = 1, i;

	for (i = 0; i < 3; i++) {
		c->fd = stack_socket();
		setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		check_eq(bind(c->fd, &a.sa, len), 0);
		c->have_irs = false;
		stack_connect();
		expect(SYN, .seq = 0);
		if (i)
			check((int32_t)(c->irs - first) > 0);
		first = c->irs;
		inject(RST | ACK, .seq = 0, .ack = 1);
		state_is(CLOSED);
		stack_close();
		/* the clock of the ISN ticks at least every 4 us (RFC 9293 3.4.1) */
		poll(NULL, 0, 10);
	}
}

/* Different tuples: no simple relation between their numbers. */
SCRIPT(isn_differs_between_tuples, "RFC 6528 3")
{
	enum { N = 16 };
	uint32_t isn[N], near = 0;
	int i, j;

	for (i = 0; i < N; i++) {
		use(conv_new());
		stack_connect();
		expect(SYN, .seq = 0);
		isn[i] = c->irs;
	}
	for (i = 0; i < N; i++)
		for (j = 0; j < i; j++)
			near += (uint32_t)(isn[i] - isn[j] + (1 << 24)) < 1 << 25;
	/* 120 pairs, each within 2^24 by chance once in 128 */
	check(near < 12);
}

SCRIPT(connect_again_after_refusal, "RFC 9293 3.10.1: OPEN from CLOSED")
{
	union addr a;
	socklen_t len;

	stack_connect();
	expect(SYN, .seq = 0);
	inject(RST | ACK, .seq = 0, .ack = 1);
	/* the call that was in progress reports its end; the next one opens anew */
	len = peer_addr(&a, c->peer_port);
	check_eq(connect(c->fd, &a.sa, len), -1);
	check_eq(errno, ECONNREFUSED);
	c->have_irs = false;
	stack_connect();
	expect(SYN, .seq = 0);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT_MAIN
