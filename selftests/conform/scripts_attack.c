// SPDX-License-Identifier: GPL-2.0
/*
 * Blind attacks: RFC 5961, beyond the single segments that the matrix has: the
 * limits of challenge ACKs (RFC 5961 7), windows of guessed numbers, and that a
 * challenge does its work.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include "known.h"
#include "states.h"

/* A forged RST in the window; the peer, alive, answers the challenge by nothing. */
SCRIPT(forged_rst_does_no_harm, "RFC 5961 3.2")
{
	establish();
	inject(RST, .seq = 1000);
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
}

/* A real RST with an old number: the challenge tells its sender the right one. */
SCRIPT(challenge_leads_to_reset, "RFC 5961 3.2")
{
	establish();
	inject(RST, .seq = 1000);
	expect(ACK, .seq = 1, .ack = 1);
	inject(RST, .seq = c->rcv_nxt);
	state_is(CLOSED);
	check_eq(stack_error(), ECONNRESET);
}

SCRIPT(sweep_of_rsts, "RFC 5961 3.2: a window's step apart, none is exact")
{
	int i;

	establish();
	for (i = -20; i <= 20; i++)
		if (i)
			inject(RST, .seq = 1 + i * 30000);
	peer_fence();
	state_is(ESTABLISHED);
}

SCRIPT(forged_syn_does_no_harm, "RFC 5961 4.2")
{
	int i;

	establish();
	for (i = -20; i <= 20; i++)
		inject(SYN, .seq = 1 + i * 30000, .mss = 1460);
	peer_fence();
	state_is(ESTABLISHED);
	check(peer_queued());
	while (peer_queued())
		expect(ACK, .seq = 1, .ack = 1);
}

SCRIPT(injected_text_needs_its_ack, "RFC 5961 5.2: ACK in [SND.UNA - MAX.SND.WND, SND.NXT]")
{
	int guess;

	establish();
	for (guess = 0x10000000; guess < 0x70000000; guess += 0x10000000) {
		inject(ACK, .seq = 1, .ack = guess, .len = 10);
		inject(ACK, .seq = 1, .ack = -guess, .len = 10);
	}
	peer_fence();
	stack_read_errno(EAGAIN);
	state_is(ESTABLISHED);
}

SCRIPT(one_challenge_at_a_time, "RFC 5961 7; tcp(7): tcp_invalid_ratelimit")
{
	sysctl_set("invalid_ratelimit", 500);
	establish();
	inject(SYN, .seq = 100, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	inject(SYN, .seq = 200, .mss = 1460);
	inject(SYN, .seq = 300, .mss = 1460);
	expect_nothing_for(600);
	inject(SYN, .seq = 400, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
}

SCRIPT(challenges_are_limited, "RFC 5961 7: so many a second for the whole host")
{
	enum { N = 60 };
	struct conv *convs[N] = { c, };
	int i, answers = 0;

	establish();
	for (i = 1; i < N; i++) {
		use(convs[i] = conv_new());
		establish();
	}
	/* no challenge of an earlier script may count */
	expect_nothing_for(2100);
	sysctl_set("challenge_ack_limit", 10);
	for (i = 0; i < N; i++) {
		use(convs[i]);
		inject(SYN, .seq = 100, .mss = 1460);
	}
	for (i = 0; i < N; i++) {
		use(convs[i]);
		peer_fence();
		answers += peer_queued();
		state_is(ESTABLISHED);
	}
	/* around the limit, since an exact one can be counted (CVE-2016-5696) */
	check_range(answers, 5, 20);
}

/* The data of an earlier connection must not get into the next one. */
SCRIPT(old_duplicate_text, "RFC 9293 3.4.2, 3.6: a segment of the last incarnation")
{
	establish_passive();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	stack_read(100);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 101);
	inject(FIN | ACK, .seq = 101, .ack = 2);
	expect(ACK, .seq = 2, .ack = 102);
	state_is(TIME_WAIT);
	/* the replay; TIME-WAIT takes the blow */
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 2, .ack = 102);
	state_is(TIME_WAIT);
}

SCRIPT_MAIN
