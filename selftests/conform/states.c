// SPDX-License-Identifier: GPL-2.0
/*
 * Parking a connection in each state, see states.h.  Used by the matrix for
 * every state and by the scripts for their way to ESTABLISHED.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "states.h"

struct vars vars;

bool state_exists(enum state s, enum held held)
{
	switch (s) {
	case CLOSED:		/* a bound socket, or none at all */
	case FIN_WAIT_1:
	case FIN_WAIT_2:
	case CLOSING:
	case LAST_ACK:
	case TIME_WAIT:
		return true;
	default:		/* close() would leave the state */
		return held == BY_FD;
	}
}

/* The peer's SYN or SYN+ACK, with the options that the script wants. */
static void inject_syn(int flags, const struct seg *opt)
{
	struct seg s = *opt;

	c->ts_us = opt->unit == US;
	s.flags = flags;
	s.seq = 0;
	s.ack = flags & ACK ? 1 : 0;
	if (!s.mss)
		s.mss = 1460;
	if (s.ts && flags & ACK)
		s.tsecr = c->ts_last;
	peer_inject(&s);
}

/* RFC 7323: an option is in force when both SYNs have it. */
static void negotiated(const struct seg *opt, const struct seg *stack_syn)
{
	c->ts = opt->ts > 0 && stack_syn->ts > 0;
	c->ts_us = opt->unit == US && stack_syn->unit == US;
	if (opt->ws > 0 && stack_syn->ws > 0)
		c->ws = stack_syn->ws - 1;
}

void establish_opt(const struct seg *opt)
{
	struct seg syn;

	stack_connect();
	syn = *expect(SYN, .seq = 0);
	inject_syn(SYN | ACK, opt);
	negotiated(opt, &syn);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

void establish_passive_opt(const struct seg *opt)
{
	struct seg synack;

	if (c->lfd < 0)
		stack_listen(8);
	inject_syn(SYN, opt);
	synack = *expect(SYN | ACK, .seq = 0, .ack = 1);
	negotiated(opt, &synack);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	state_is(ESTABLISHED);
}

void establish(void)
{
	establish_with(.mss = 1460);
}

void establish_passive(void)
{
	establish_passive_with(.mss = 1460);
}

static void finish_sending(enum held held)
{
	if (held == ORPHAN)
		stack_close();
	else
		stack_shutdown(SHUT_WR);
}

static void enter_closed(enum held held)
{
	union addr a;
	socklen_t len = stack_addr(&a, c->port);

	if (held == ORPHAN)
		return;
	c->fd = stack_socket();
	if (bind(c->fd, &a.sa, len))
		fail("bind: %s", strerror(errno));
}

static void enter_syn_sent(void)
{
	stack_connect();
	expect(SYN, .seq = 0);
	vars = (struct vars){ .snd_una = 0, .snd_nxt = 1, .rcv_nxt = 0 };
}

static void enter_syn_received(void)
{
	stack_listen(8);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	vars = (struct vars){ .snd_una = 0, .snd_nxt = 1, .rcv_nxt = 1, .peer_fin = 1 };
}

static void enter_syn_received_active(void)
{
	enter_syn_sent();
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	vars = (struct vars){ .snd_una = 0, .snd_nxt = 1, .rcv_nxt = 1, .peer_fin = 1 };
}

static void enter_fin_wait_1(enum held held)
{
	establish();
	finish_sending(held);
	expect(FIN | ACK, .seq = 1, .ack = 1);
	vars = (struct vars){ .snd_una = 1, .snd_nxt = 2, .rcv_nxt = 1, .peer_fin = 1 };
}

static void enter_fin_wait_2(enum held held)
{
	enter_fin_wait_1(held);
	inject(ACK, .seq = 1, .ack = 2);
	expect_nothing();
	vars.snd_una = 2;
}

static void enter_close_wait(void)
{
	establish();
	inject(FIN | ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 2);
	vars = (struct vars){ .snd_una = 1, .snd_nxt = 1, .rcv_nxt = 2, .peer_fin = 1 };
}

static void enter_closing(enum held held)
{
	enter_fin_wait_1(held);
	inject(FIN | ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 2, .ack = 2);
	vars.rcv_nxt = 2;
}

static void enter_last_ack(enum held held)
{
	enter_close_wait();
	finish_sending(held);
	expect(FIN | ACK, .seq = 1, .ack = 2);
	vars.snd_nxt = 2;
}

static void enter_time_wait(enum held held)
{
	enter_fin_wait_2(held);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	vars.rcv_nxt = 2;
}

void enter(enum state s, enum held held)
{
	/* CLOSED and LISTEN have no variables; this is what the peer believes. */
	vars = (struct vars){ .snd_una = 1, .snd_nxt = 1, .rcv_nxt = 1, .peer_fin = 1 };
	switch (s) {
	case CLOSED:
		enter_closed(held);
		return;
	case LISTEN:
		stack_listen(8);
		if (stack_listener(c->port) != LISTEN)
			fail("the listener isn't in LISTEN");
		return;
	case SYN_SENT:
		enter_syn_sent();
		break;
	case SYN_RECEIVED:
		enter_syn_received();
		state_is(SYN_RECEIVED);
		return;
	case SYN_RECEIVED_ACTIVE:
		enter_syn_received_active();
		state_is(SYN_RECEIVED);	/* /proc and TCP_INFO have one number */
		return;
	case ESTABLISHED:
		establish();
		break;
	case FIN_WAIT_1:
		enter_fin_wait_1(held);
		break;
	case FIN_WAIT_2:
		enter_fin_wait_2(held);
		break;
	case CLOSE_WAIT:
		enter_close_wait();
		break;
	case CLOSING:
		enter_closing(held);
		break;
	case LAST_ACK:
		enter_last_ack(held);
		break;
	default:
		enter_time_wait(held);
		break;
	}
	state_is(s);
}
