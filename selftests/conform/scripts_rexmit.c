// SPDX-License-Identifier: GPL-2.0
/*
 * What is sent again, when, and how often: RFC 6298 (retransmission timer) and
 * RFC 9293 3.8.3 (R1, R2) for SYN, SYN+ACK, text and FIN, and what the user is
 * told in the end.  The smallest RTO is 200 ms in both stacks, not the second of
 * RFC 6298 (2.4): Deviation, as in all systems of today.
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

#define RTO_MIN 200

static bool is_closed(void)
{
	return stack_state(c->fd, c->port, c->peer_port) == CLOSED;
}

/* The connection ends, unseen, ms after the last segment. */
static void ends_after(double ms)
{
	double early = stack == STACK_TCP ? 20 : 2;

	expect_nothing_for(ms - early - since_mark());
	check(!is_closed());
	state_becomes(CLOSED, ms + timer_slack(ms) - since_mark());
	expect_nothing();
}

/* The same, and the user hears of it. */
static void times_out(double ms)
{
	ends_after(ms);
	check_eq(stack_error(), ETIMEDOUT);
}

/*
 * The limit of retransmissions is a time, the one that n of them should take,
 * "and a lower bound for the effective timeout" (ip-sysctl): where the measured
 * RTO is a little off its minimum, one more of them may fit in.
 */
static void gives_up(int flags, int len, double ms)
{
	struct seg *s = peer_next(ms + timer_slack(ms) - since_mark());

	if (s)
		check_range(since_mark(), ms - 20, ms + timer_slack(ms));
	if (s && !(s->flags & RST)) {
		check_eq(s->flags & ~PSH, flags);
		check_eq(s->seq, 1);
		check_eq(s->len, len);
		s = peer_next(2 * ms + timer_slack(2 * ms));
	}
	check(!s || s->flags & RST);	/* whoever gives up may say so */
	check(is_closed());
}

SCRIPT(syn_is_repeated, "RFC 6298 2.1, 5.5; RFC 9293 3.8.3, MUST-23")
{
	sysctl_set("syn_retries", 3);
	stack_connect();
	expect(SYN, .seq = 0, .mss = MSS);
	expect(SYN, .seq = 0, .mss = MSS, .after = 1000);
	expect(SYN, .seq = 0, .mss = MSS, .after = 2000);
	expect(SYN, .seq = 0, .mss = MSS, .after = 4000);
	state_is(SYN_SENT);
	times_out(8000);
}

SCRIPT(syncnt_option, "tcp(7): TCP_SYNCNT overrides the sysctl")
{
	c->fd = stack_socket();
	stack_opt(SOL_TCP, TCP_SYNCNT, 1);
	stack_connect();
	expect(SYN, .seq = 0);
	expect(SYN, .seq = 0, .after = 1000);
	times_out(2000);
}

SCRIPT(synack_is_repeated, "RFC 6298 2.1, 5.5; RFC 9293 3.10.8")
{
	sysctl_set("synack_retries", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	expect(SYN | ACK, .seq = 0, .ack = 1, .after = 1000);
	expect(SYN | ACK, .seq = 0, .ack = 1, .after = 2000);
	state_is(SYN_RECEIVED);
	expect_nothing_for(3500);
	state_becomes(CLOSED, 500 + timer_slack(4000));
	check_eq(stack_listener(c->port), LISTEN);
}

SCRIPT(syn_answered_late, "RFC 9293 3.8.3: a repeated SYN connects")
{
	stack_connect();
	expect(SYN, .seq = 0);
	expect(SYN, .seq = 0, .after = 1000);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	expect_nothing_for(2500);
}

SCRIPT(text_is_repeated, "RFC 6298 5.5, 5.6; RFC 9293 3.8.3")
{
	int t, i;

	sysctl_set("retries2", 4);
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	for (i = 0, t = RTO_MIN; i < 4; i++, t *= 2)
		expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = t);
	gives_up(ACK, 100, t);
	check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(fin_is_repeated, "RFC 6298 5.5 with a FIN; RFC 9293 3.8.3")
{
	int t, i;

	sysctl_set("retries2", 3);
	establish();
	stack_shutdown(SHUT_WR);
	expect(FIN | ACK, .seq = 1, .ack = 1);
	for (i = 0, t = RTO_MIN; i < 3; i++, t *= 2)
		expect(FIN | ACK, .seq = 1, .ack = 1, .after = t);
	gives_up(FIN | ACK, 0, t);
	check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(orphan_retries, "tcp(7): tcp_orphan_retries")
{
	sysctl_set("orphan_retries", 2);
	establish();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	expect(FIN | ACK, .seq = 1, .ack = 1, .after = RTO_MIN);
	expect(FIN | ACK, .seq = 1, .ack = 1, .after = 2 * RTO_MIN);
	state_is(FIN_WAIT_1);
	gives_up(FIN | ACK, 0, 4 * RTO_MIN);
}

SCRIPT(user_timeout, "RFC 9293 3.8.3, MUST-21: R2 per connection")
{
	uint64_t begin, end;

	establish();
	stack_opt(SOL_TCP, TCP_USER_TIMEOUT, 1000);
	stack_write(100);
	begin = expect(ACK, .seq = 1, .ack = 1, .len = 100)->time;
	end = expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = RTO_MIN)->time;
	if (!known("user timeout counts from the first retransmission"))
		end = begin;
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 2 * RTO_MIN);
	times_out(((double)end - now_ns()) / 1e6 + 1000 + since_mark());
}

/* SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR = 3 R */
SCRIPT(rto_from_first_rtt, "RFC 6298 2.2")
{
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(400);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 1200);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 2400);
}

/* R = 400, then 100: RTTVAR = 3/4 200 + 1/4 300, SRTT = 7/8 400 + 1/8 100 */
SCRIPT(rto_from_second_rtt, "RFC 6298 2.3")
{
	stack_connect();
	expect(SYN, .seq = 0);
	expect_nothing_for(400);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect_nothing_for(100);
	inject(ACK, .seq = 1, .ack = 101);
	stack_write(100);
	expect(ACK, .seq = 101, .ack = 1, .len = 100);
	if (known("falling RTT raises RTTVAR less")) {
		struct seg *s = peer_next(2000);

		check(s && s->seq == 101 && s->len == 100);
		check_range(since_mark(), 362 + RTO_MIN, 362 + 900 + 160);
	} else {
		expect(ACK, .seq = 101, .ack = 1, .len = 100, .after = 362 + 4 * 225);
	}
}

SCRIPT(rto_after_lost_syn, "RFC 6298 5.7: 3 s when the SYN's timer expired")
{
	stack_connect();
	expect(SYN, .seq = 0);
	expect(SYN, .seq = 0, .after = 1000);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 3000);
}

SCRIPT(new_ack_restarts_timer, "RFC 6298 5.3")
{
	establish();
	stack_opt(SOL_TCP, TCP_NODELAY, 1);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	stack_write(100);
	expect(ACK, .seq = 101, .ack = 1, .len = 100);
	expect_nothing_for(100);
	inject(ACK, .seq = 1, .ack = 101);
	/* RTT samples are 0 and 100 ms now, the RTO is at least its minimum */
	expect_nothing_for(RTO_MIN - 20);
	expect(ACK, .seq = 101, .ack = 1, .len = 100, .within = 600);
}

SCRIPT(all_acked_stops_timer, "RFC 6298 5.2")
{
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = RTO_MIN);
	inject(ACK, .seq = 1, .ack = 101);
	expect_nothing_for(5000);
}

/* After a timeout only what was lost goes out again: the window is one segment. */
SCRIPT(timeout_starts_slowly, "RFC 5681 3.1: cwnd is 1 SMSS after a timeout")
{
	int i;

	establish_with(.mss = 1000);
	stack_write(4000);
	for (i = 0; i < 4; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000, .after = RTO_MIN);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1001);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000);
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 4001);
	expect_nothing_for(1000);
}

/* ---- R2 in the other states that wait for an ACK ---- */

/* The same segment again and again, a few times, and then the connection is gone. */
static void peer_is_gone(int flags, int seq)
{
	struct seg *s;
	int n = 0;

	while ((s = peer_next(10000)) && !(s->flags & RST)) {
		check_eq(s->flags & ~PSH, flags);
		check_eq(s->seq, seq);
		n++;
	}
	check_range(n, 2, 3);
	check(is_closed());
	if (c->fd >= 0)
		check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(gives_up_in_syn_received, "RFC 9293 3.8.3, R2 for a SYN+ACK after crossed SYNs")
{
	/* a SYN+ACK, but of an active opener: either limit may be meant */
	sysctl_set("syn_retries", 2);
	sysctl_set("synack_retries", 2);
	enter(SYN_RECEIVED_ACTIVE, BY_FD);
	peer_is_gone(SYN | ACK, 0);
}

SCRIPT(gives_up_in_close_wait, "RFC 9293 3.8.3, R2")
{
	sysctl_set("retries2", 2);
	enter(CLOSE_WAIT, BY_FD);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 2, .len = 100);
	peer_is_gone(ACK, 1);
}

SCRIPT(gives_up_in_closing, "RFC 9293 3.8.3, R2 for a FIN")
{
	sysctl_set("retries2", 2);
	enter(CLOSING, BY_FD);
	peer_is_gone(FIN | ACK, 1);
}

SCRIPT(gives_up_in_last_ack, "RFC 9293 3.8.3, R2 for a FIN; tcp(7): tcp_orphan_retries")
{
	sysctl_set("orphan_retries", 2);
	enter(LAST_ACK, ORPHAN);
	peer_is_gone(FIN | ACK, 1);
}

SCRIPT(retransmission_has_new_ack, "RFC 9293 3.8.1: current ACK and window in what is repeated")
{
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	inject(ACK, .seq = 1, .ack = 1, .len = 50);
	expect(ACK, .seq = 101, .ack = 51);
	expect(ACK, .seq = 1, .ack = 51, .len = 100, .within = 400);
}

SCRIPT_MAIN
