// SPDX-License-Identifier: GPL-2.0
/*
 * The only writer of a connection's state.  Everybody else raises an event; the
 * table in core/fsm.c says where it leads, and the entry action of the new
 * state does what is always due on arriving there.  Counts every arrow.
 */
#include "xtcp.h"
#include "trace.h"

struct arrow_counts {
	unsigned long taken[XTCP_NR_STATES][XTCP_NR_EVENTS];
	unsigned long illegal;
};

static DEFINE_PER_CPU(struct arrow_counts, arrow_counts);

static u8 take_arrow(struct xtcp_ep *ep, u8 state, enum xtcp_event ev)
{
	u8 next = xtcp_fsm_next(state, ev);

	if (unlikely(next == XTCP_NO_ARROW)) {
		this_cpu_inc(arrow_counts.illegal);
		xtcp_mib_inc(ep->net, XTCP_ILLEGAL_EVENT);
		return next;
	}
	this_cpu_inc(arrow_counts.taken[state][ev]);
	trace_xtcp_state(ep, state, next, ev);
	return next;
}

static void set_state(struct sock *sk, u8 state)
{
	inet_sk_set_state(sk, state);
	xtcp_sk(sk)->tcb.state = state;
}

/* The connection is over: nothing of it stays in the tables or armed. */
static void enter_closed(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xtcp_timer_stop(sk);
	xtcp_unhash(sk);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		xtcp_put_port(sk);
	xtcp_sndbuf_purge(sk);
	xtcp_tcb_purge(&xs->tcb);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sock_flag(sk, SOCK_DEAD))
		xtcp_destroy(sk);
	else
		sk->sk_state_change(sk);
}

static void enter_established(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 now = xtcp_now();

	xtcp_tcb_established(&xs->tcb, now);
	if (!xs->tcb.rto_known)	/* others need not wait for the end of this one */
		xtcp_metrics_learn(sk);
	xtcp_keepalive_restart(sk, now);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

/* An orphan with TCP_LINGER2 below 0 has no FIN-WAIT-2. */
static void limit_orphan(struct sock *sk)
{
	if (xtcp_sk(sk)->linger2 >= 0) {
		xtcp_linger_start(sk);
		return;
	}
	xtcp_sk_mib_inc(sk, XTCP_ABORT_ON_LINGER);
	xtcp_send_reset(sk);
	xtcp_event(sk, EV_ABORT);
}

/* RFC 9293 3.6: only the peer's half is left open.  Nobody reads for an
 * orphan, so it waits a limited time.
 */
static void enter_fin_wait2(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->tcb.deadline[XTCP_T_REXMT] = 0;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	if (sock_flag(sk, SOCK_DEAD))
		limit_orphan(sk);
	else
		sk->sk_state_change(sk);
}

/* A small entry takes the connection's place; the socket itself is done. */
static void enter_time_wait(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->in_time_wait = xtcp_tw_start(sk);
	if (!xs->in_time_wait)
		take_arrow(&xs->ep, TCP_TIME_WAIT, EV_ABORT);
	set_state(sk, TCP_CLOSE);
	enter_closed(sk);
}

static void (*const entry_action[XTCP_NR_STATES])(struct sock *sk) = {
	[TCP_CLOSE]		= enter_closed,
	[TCP_ESTABLISHED]	= enter_established,
	[TCP_FIN_WAIT2]		= enter_fin_wait2,
	[TCP_TIME_WAIT]		= enter_time_wait,
};

/* RFC 4022 tcpAttemptFails, tcpEstabResets: direct transitions to CLOSED */
static void count_failure(const struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		xtcp_sk_mib_inc(sk, XTCP_ATTEMPT_FAILS);
		break;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		xtcp_sk_mib_inc(sk, XTCP_ESTAB_RESETS);
	}
}

/* The connection ends: what it knows of the path is for others. */
static void leave_metrics(struct sock *sk)
{
	if (xtcp_state_info[sk->sk_state].synchronized)
		xtcp_metrics_learn(sk);
}

bool xtcp_event(struct sock *sk, enum xtcp_event ev)
{
	u8 next = take_arrow(&xtcp_sk(sk)->ep, sk->sk_state, ev);

	if (next == XTCP_NO_ARROW)
		return false;
	if (next == TCP_CLOSE)
		count_failure(sk);
	if (next == TCP_CLOSE || next == TCP_TIME_WAIT)
		leave_metrics(sk);
	/* a full socket never shows TIME-WAIT: sk_fullsock() would deny what it is */
	if (next != TCP_TIME_WAIT) {
		xtcp_sk(sk)->in_time_wait = 0;
		set_state(sk, next);
	}
	if (entry_action[next])
		entry_action[next](sk);
	return true;
}

u8 xtcp_event_small(struct xtcp_ep *ep, u8 state, enum xtcp_event ev)
{
	return take_arrow(ep, state, ev);
}

void xtcp_state_inherit(struct sock *child, u8 state)
{
	set_state(child, state);
	if (entry_action[state])
		entry_action[state](child);
}

unsigned long xtcp_arrow_count(u8 state, enum xtcp_event ev)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(arrow_counts, cpu).taken[state][ev];
	return sum;
}

unsigned long xtcp_illegal_count(void)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(arrow_counts, cpu).illegal;
	return sum;
}
