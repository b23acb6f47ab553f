// SPDX-License-Identifier: GPL-2.0
/*
 * A listener's two queues: requests in SYN-RECEIVED and connections that wait
 * for accept(), and what happens when they are full (RFC 9293 3.10.7.2 names no
 * limit; listen(2) and tcp(7) do: backlog, tcp_max_syn_backlog,
 * tcp_abort_on_overflow, TCP_DEFER_ACCEPT, tcp_syncookies).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

/* Another peer of the same listener. */
static struct conv *another_peer(const struct conv *first)
{
	struct conv *conv = conv_new();

	conv->port = first->port;
	conv->lfd = first->lfd;
	return conv;
}

static bool acceptable(int lfd)
{
	struct pollfd pfd = { .fd = lfd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void handshake(void)
{
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(many_remotes, "RFC 9293 3.10.7.2: one listener, any remote")
{
	struct conv *convs[20];
	int i;

	stack_listen(50);
	convs[0] = c;
	for (i = 1; i < 20; i++)
		convs[i] = another_peer(c);
	for (i = 0; i < 20; i++) {
		use(convs[i]);
		inject(SYN, .seq = 0, .mss = 1460);
	}
	for (i = 0; i < 20; i++) {
		use(convs[i]);
		expect(SYN | ACK, .seq = 0, .ack = 1);
		state_is(SYN_RECEIVED);
		inject(ACK, .seq = 1, .ack = 1);
		state_is(ESTABLISHED);
	}
	for (i = 0; i < 20; i++) {
		use(convs[i]);
		stack_accept();		/* in the order of establishment */
		inject(ACK, .seq = 1, .ack = 1, .len = 10 + i);
		expect(ACK, .seq = 1, .ack = 11 + i);
		stack_read(10 + i);
	}
}

SCRIPT(accept_queue_full, "listen(2): one more than backlog, then SYNs are dropped")
{
	struct conv *first = c, *last;
	int i;

	stack_listen(1);
	handshake();
	use(another_peer(first));
	handshake();
	last = another_peer(first);
	use(last);
	for (i = 0; i < 3; i++) {
		inject(SYN, .seq = 0, .mss = 1460);
		expect_nothing();
		state_is(CLOSED);
	}
	use(first);
	stack_accept();
	use(last);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
}

/* Room for two, and three handshakes that begin before it is used up. */
static void overflow(struct conv *convs[3])
{
	int i;

	stack_listen(1);
	convs[0] = c;
	convs[1] = another_peer(c);
	convs[2] = another_peer(c);
	handshake();
	for (i = 1; i < 3; i++) {
		use(convs[i]);
		inject(SYN, .seq = 0, .mss = 1460);
		expect(SYN | ACK, .seq = 0, .ack = 1);
	}
	for (i = 1; i < 3; i++) {
		use(convs[i]);
		inject(ACK, .seq = 1, .ack = 1);
	}
}

SCRIPT(last_ack_meets_full_queue, "tcp(7): tcp_abort_on_overflow = 0: the ACK is dropped")
{
	struct conv *convs[3];

	overflow(convs);
	expect_nothing();
	state_is(SYN_RECEIVED);
	use(convs[1]);
	state_is(ESTABLISHED);
	use(convs[0]);
	stack_accept();
	use(convs[2]);
	/* The SYN+ACK comes again, its answer finds room. */
	expect(SYN | ACK, .seq = 0, .ack = 1, .within = 3500);
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(abort_on_overflow, "tcp(7): tcp_abort_on_overflow = 1: RST")
{
	struct conv *convs[3];
	struct seg *s;

	sysctl_set("abort_on_overflow", 1);
	overflow(convs);
	s = peer_next(500);
	check(s && (s->flags & ~ACK) == RST && s->seq == 1);
	state_is(CLOSED);
}

SCRIPT(syn_queue_full, "tcp(7): tcp_max_syn_backlog, without cookies: SYNs are dropped")
{
	struct conv *convs[100] = { c, };
	int i, answered = 0;

	sysctl_set("max_syn_backlog", 16);
	stack_listen(16);
	for (i = 1; i < 100; i++)
		convs[i] = another_peer(c);
	for (i = 0; i < 100; i++) {
		use(convs[i]);
		inject(SYN, .seq = 0, .mss = 1460);
		peer_fence();
		if (peer_queued()) {
			expect(SYN | ACK, .seq = 0, .ack = 1);
			answered++;
		}
	}
	check_range(answered, 8, 17);
	/* one request ends, another SYN has its place */
	use(convs[0]);
	inject(RST, .seq = 1);
	state_is(CLOSED);
	use(convs[99]);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
}

SCRIPT(defer_accept_waits_for_text, "tcp(7): TCP_DEFER_ACCEPT")
{
	stack_listen(5);
	stack_opt(SOL_TCP, TCP_DEFER_ACCEPT, 5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	check(!acceptable(c->lfd));
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	check(acceptable(c->lfd));
	stack_accept();
	stack_read(10);
}

SCRIPT(backlog_of_zero, "listen(2): there is always room for one")
{
	stack_listen(0);
	handshake();
	stack_accept();
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
}

SCRIPT(cookie_connects, "RFC 4987 3.6, tcp(7): tcp_syncookies = 2: no request is kept")
{
	struct seg *s;

	sysctl_set("syncookies", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1300);
	expect(SYN | ACK, .seq = 0, .ack = 1, .mss = MSS);
	state_is(CLOSED);		/* of this pair nothing is known */
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	stack_accept();
	stack_write(3000);
	s = expect(ACK, .seq = 1, .ack = 1, .len = ANY);
	check_range(s->len, 536, 1300);	/* the cookie has room for a few sizes */
	inject(ACK, .seq = 1, .ack = 3001, .len = 10);
	while (c->rcv_nxt != 11)
		expect(ACK, .seq = ANY, .ack = ANY, .len = ANY);
	stack_read(10);
}

SCRIPT(cookie_is_checked, "RFC 4987 3.6: a guessed number opens nothing")
{
	sysctl_set("syncookies", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 12345);
	expect(RST, .seq = 12345);
	state_is(CLOSED);
	check(!acceptable(c->lfd));
}

SCRIPT_MAIN
