// SPDX-License-Identifier: GPL-2.0
/*
 * Keep-alives: RFC 9293 3.8.4.  A probe is a segment at SND.NXT-1, empty or with
 * one garbage byte (SHLD-12), which any living peer answers.
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "states.h"

static void keepalive(int idle, int intvl, int cnt)
{
	stack_opt(SOL_TCP, TCP_KEEPIDLE, idle);
	stack_opt(SOL_TCP, TCP_KEEPINTVL, intvl);
	stack_opt(SOL_TCP, TCP_KEEPCNT, cnt);
	stack_opt(SOL_SOCKET, SO_KEEPALIVE, 1);
}

static void expect_keepalive(int nxt, int after)
{
	struct seg *s = expect(ACK, .seq = nxt - 1, .ack = ANY, .len = ANY, .after = after);

	check(s->len <= 1);
}

SCRIPT(off_by_default, "RFC 9293 3.8.4, MUST-25: must default to off")
{
	sysctl_set("keepalive_time", 2);
	sysctl_set("keepalive_intvl", 1);
	establish();
	expect_nothing_for(10000);
}

SCRIPT(probes_when_idle, "RFC 9293 3.8.4, MUST-26, MUST-27")
{
	establish();
	keepalive(2, 1, 3);
	mark();
	expect_keepalive(1, 2000);
	inject(ACK, .seq = 1, .ack = 1);
	expect_keepalive(1, 2000);		/* idle again from the answer on */
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(text_is_no_idleness, "RFC 9293 3.8.4, MUST-26: only when no segments were received")
{
	establish();
	keepalive(2, 1, 3);
	expect_nothing_for(1500);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	expect_nothing_for(1800);
	expect(ACK, .seq = 0, .ack = 11, .len = ANY, .within = 600);
}

SCRIPT(one_lost_probe_is_nothing, "RFC 9293 3.8.4, MUST-29")
{
	establish();
	keepalive(2, 1, 3);
	mark();
	expect_keepalive(1, 2000);
	expect_keepalive(1, 1000);
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 1);
	expect_keepalive(1, 2000);
}

SCRIPT(dead_peer, "RFC 9293 3.8.4, tcp(7): ETIMEDOUT after keepalive_probes")
{
	struct seg *s;

	establish();
	keepalive(2, 1, 3);
	mark();
	expect_keepalive(1, 2000);
	expect_keepalive(1, 1000);
	expect_keepalive(1, 1000);
	s = peer_next(1000 + timer_slack(1000));	/* may say goodbye */
	check(!s || s->flags & RST);
	state_becomes(CLOSED, timer_slack(1000));
	check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(rebooted_peer, "RFC 9293 3.8.4: it answers RST")
{
	establish();
	keepalive(2, 1, 3);
	mark();
	expect_keepalive(1, 2000);
	inject(RST, .seq = 1);
	state_is(CLOSED);
	check_eq(stack_error(), ECONNRESET);
}

SCRIPT(sysctls_are_defaults, "tcp(7): tcp_keepalive_time, _intvl, _probes")
{
	sysctl_set("keepalive_time", 3);
	sysctl_set("keepalive_intvl", 1);
	sysctl_set("keepalive_probes", 2);
	establish();
	stack_opt(SOL_SOCKET, SO_KEEPALIVE, 1);
	mark();
	expect_keepalive(1, 3000);
	expect_keepalive(1, 1000);
	expect_nothing_for(900);
	state_becomes(CLOSED, 100 + timer_slack(1000));
}

SCRIPT(answered_by_the_stack, "RFC 9293 3.10.7.4(1): our answer to a peer's probe")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	inject(ACK, .seq = 10, .ack = 1);		/* empty, at RCV.NXT-1 */
	expect(ACK, .seq = 1, .ack = 11);
	expect_nothing_for(600);			/* RFC 5961 allows to limit these */
	inject(ACK, .seq = 10, .ack = 1, .len = 1);	/* with a garbage byte */
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
}

SCRIPT_MAIN
