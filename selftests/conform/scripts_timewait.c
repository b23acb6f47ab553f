// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a connection that waits: TIME-WAIT (RFC 9293 3.6, RFC 1337,
 * RFC 6191), the retransmitted FIN of LAST-ACK, and FIN-WAIT-2 of an orphan.
 * Kernel TCP's 2MSL is 60 s; XTCP's is a sysctl, so the run takes these seconds
 * in virtual time.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

/* 2MSL in ms; XTCP's is set to something else than its default. */
static int two_msl(void)
{
	if (stack == STACK_TCP)
		return 60000;
	sysctl_set("tw_timeout", 4000);
	return 4000;
}

static void pass(double ms)
{
	expect_nothing_for(ms);
}

/* The state lasts until ms after the last segment, not less and not longer. */
static void ends_after(enum state s, double ms)
{
	double early = stack == STACK_TCP ? 20 : 2;
	double step = stack == STACK_TCP ? ms / 200 : 1;

	pass(ms - early - since_mark());
	state_is(s);
	while (since_mark() < ms + timer_slack(ms)) {
		pass(step);
		if (stack_state(-1, c->port, c->peer_port) == CLOSED)
			return;
	}
	fail("still %s %.0f ms after it began", state_name[s], since_mark());
}

SCRIPT(two_msl, "RFC 9293 3.6, MUST-13: linger for 2xMSL")
{
	int ms = two_msl();

	enter(TIME_WAIT, ORPHAN);
	ends_after(TIME_WAIT, ms);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(RST, .seq = 2);
}

SCRIPT(two_msl_held_by_fd, "RFC 9293 3.6: whether or not a descriptor is left")
{
	int ms = two_msl();

	enter(TIME_WAIT, BY_FD);
	ends_after(TIME_WAIT, ms);
}

SCRIPT(final_ack_lost, "RFC 9293 3.10.7.4(8): acknowledge again, restart 2MSL")
{
	int ms = two_msl();

	enter(TIME_WAIT, ORPHAN);
	pass(ms / 2);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	ends_after(TIME_WAIT, ms);
}

SCRIPT(last_ack_repeats_fin, "RFC 9293 3.6: LAST-ACK until our FIN is acknowledged")
{
	int t;

	establish();
	inject(FIN | ACK, .seq = 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = 2);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 2);
	for (t = 200; t <= 800; t *= 2) {
		expect(FIN | ACK, .seq = 1, .ack = 2, .after = t);
		state_is(LAST_ACK);
	}
	inject(ACK, .seq = 2, .ack = 2);
	state_is(CLOSED);
}

SCRIPT(rst_in_time_wait_ignored, "RFC 1337 4, fix F1")
{
	sysctl_set("rfc1337", 1);
	enter(TIME_WAIT, ORPHAN);
	inject(RST, .seq = 2);
	expect_nothing();
	state_is(TIME_WAIT);
}

SCRIPT(rst_in_time_wait_kills, "RFC 9293 3.10.7.4(2), with RFC 1337 off")
{
	sysctl_set("rfc1337", 0);
	enter(TIME_WAIT, ORPHAN);
	inject(RST, .seq = 2);
	expect_nothing();
	state_is(CLOSED);
}

/* ---- a new SYN; the stack closes first, so TIME-WAIT is at the listener ---- */

static void server_in_time_wait(const struct seg *opt)
{
	establish_passive_opt(opt);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

/* The SYN of a new incarnation is accepted: SYN+ACK above all that was used. */
static void is_reopened(int seq)
{
	uint32_t before = c->irs;

	c->have_irs = false;
	c->iss += seq;
	expect(SYN | ACK, .seq = 0, .ack = 1);
	check((int32_t)(c->irs - before) > 2);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	state_is(ESTABLISHED);
}

SCRIPT(syn_above_reopens, "RFC 9293 3.6.1, MAY-2; RFC 6191 2, without timestamps")
{
	server_in_time_wait(&(struct seg){ .mss = 1460 });
	inject(SYN, .seq = 3, .mss = 1460);
	is_reopened(3);
}

SCRIPT(syn_below_is_challenged, "RFC 6191 2: an old duplicate, without timestamps")
{
	server_in_time_wait(&(struct seg){ .mss = 1460 });
	inject(SYN, .seq = -100, .mss = 1460);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

SCRIPT(syn_newer_timestamp_reopens, "RFC 6191 2: by timestamp, whatever the number")
{
	server_in_time_wait(&(struct seg){ .mss = 1460, .ts = 1, .tsval = 1000 });
	pass(1100);
	inject(SYN, .seq = -100000, .mss = 1460, .ts = 1);
	c->ts = true;
	is_reopened(-100000);
}

SCRIPT(syn_same_timestamp_above_reopens, "RFC 6191 2: equal timestamps, greater number")
{
	uint32_t last;

	server_in_time_wait(&(struct seg){ .mss = 1460, .ts = 1, .tsval = 1000 });
	/* whatever the clock said on the FIN, this repeats it */
	last = c->ts_offset + (uint32_t)(now_ns() / 1000000);
	inject(ACK, .seq = 2, .ack = 2, .tsval = last);
	expect_nothing();
	inject(SYN, .seq = 1000, .mss = 1460, .ts = 1, .tsval = last);
	is_reopened(1000);
}

SCRIPT(syn_older_timestamp_is_challenged, "RFC 6191 2: smaller timestamp")
{
	server_in_time_wait(&(struct seg){ .mss = 1460, .ts = 1, .tsval = 1000 });
	inject(SYN, .seq = -1000, .mss = 1460, .ts = 1, .tsval = 500);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

/* ---- FIN-WAIT-2 ---- */

SCRIPT(fin_wait_2_orphan_ends, "RFC 9293 3.6 has no limit; tcp(7): tcp_fin_timeout")
{
	sysctl_set("fin_timeout", 5);
	enter(FIN_WAIT_2, ORPHAN);
	ends_after(FIN_WAIT_2, 5000);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(RST, .seq = 2);
}

SCRIPT(fin_wait_2_linger2, "tcp(7): TCP_LINGER2")
{
	establish();
	stack_opt(SOL_TCP, TCP_LINGER2, 3);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 2);
	state_is(FIN_WAIT_2);
	ends_after(FIN_WAIT_2, 3000);
}

SCRIPT(fin_wait_2_with_user_stays, "RFC 9293 3.6: half close has no time limit")
{
	sysctl_set("fin_timeout", 2);
	enter(FIN_WAIT_2, BY_FD);
	pass(10000);
	state_is(FIN_WAIT_2);
	inject(ACK, .seq = 1, .ack = 2, .len = 10);
	expect(ACK, .seq = 2, .ack = 11);
	stack_read(10);
}

SCRIPT_MAIN
