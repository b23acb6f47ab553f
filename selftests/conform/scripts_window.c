// SPDX-License-Identifier: GPL-2.0
/*
 * The send and the receive window: RFC 9293 3.8.6 (shrinking, zero-window
 * probes, silly-window avoidance on both sides) and RFC 7323 2 (window scale).
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

/* A zero-window probe while una is the first byte not acknowledged. */
static void expect_probe(int una, int after)
{
	if (known("empty zero-window probe"))
		expect(ACK, .seq = una - 1, .ack = 1, .after = after);
	else
		expect(ACK, .seq = una, .ack = 1, .len = 1, .after = after);
}

SCRIPT(zero_window_probes, "RFC 9293 3.8.6.1, MUST-36, MUST-37, SHLD-29, SHLD-30")
{
	int t;

	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	inject(ACK, .seq = 1, .ack = 101, .win = ZERO);
	stack_write(100);
	expect_nothing();
	mark();
	/* first after one RTO, then exponentially; a peer that answers keeps us */
	for (t = 200; t <= 6400; t *= 2) {
		expect_probe(101, t);
		inject(ACK, .seq = 1, .ack = 101, .win = ZERO);
		expect_nothing();
	}
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 101);
	expect(ACK, .seq = 101, .ack = 1, .len = 100);
}

SCRIPT(unanswered_probes_end, "RFC 9293 3.8.3, R2, with probes that nobody answers")
{
	int t, i;

	sysctl_set("retries2", 3);
	establish();
	inject(ACK, .seq = 1, .ack = 1, .win = ZERO);
	stack_write(100);
	for (i = 0, t = 200; i < 3; i++, t *= 2)
		expect_probe(1, t);
	state_becomes(CLOSED, t + timer_slack(t));
	check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(probed_window_opens_lost, "RFC 9293 3.8.6.1: the lost window update")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .win = ZERO);
	stack_write(100);
	expect_probe(1, 200);
	/* the answer to the probe brings what the lost update said */
	inject(ACK, .seq = 1, .ack = 1, .win = 1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
}

SCRIPT(peer_window_is_respected, "RFC 9293 3.8.6, 3.4: SND.UNA + SND.WND")
{
	int i;

	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .win = 4000);
	stack_write(12000);
	for (i = 0; i < 4; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 4001, .win = 4000);
	for (i = 4; i < 8; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(old_segment_updates_no_window, "RFC 9293 3.10.7.4(5): SND.WL1, SND.WL2")
{
	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	inject(ACK, .seq = 11, .ack = 1, .win = 1000);
	/* an older segment, delayed, with the larger window of its time */
	inject(ACK, .seq = 1, .ack = 1, .len = 10, .win = 30000);
	expect(ACK, .seq = 1, .ack = 11);
	stack_write(3000);
	expect(ACK, .seq = 1, .ack = 11, .len = 1000);
	expect_nothing();
}

SCRIPT(peer_shrinks_window, "RFC 9293 3.8.6, MUST-34, SHLD-15 to SHLD-17")
{
	int i;

	establish_with(.mss = 1000);
	stack_write(8000);
	for (i = 0; i < 8; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	/* SND.UNA + SND.WND is 4001 now, SND.NXT 8001 */
	inject(ACK, .seq = 1, .ack = 2001, .win = 2000);
	stack_write(2000);
	expect_nothing();			/* nothing new is sent */
	expect(ACK, .seq = 2001, .ack = 1, .len = 1000, .within = 1500);
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 8001, .win = 2000);
	expect(ACK, .seq = 8001, .ack = 1, .len = 1000);
	expect(ACK, .seq = 9001, .ack = 1, .len = 1000);
}

/* ---- silly windows ---- */

SCRIPT(sws_sender_waits, "RFC 9293 3.8.6.2.1, MUST-38")
{
	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .win = 100);
	stack_write(3000);
	/* neither a full segment nor half the largest window nor everything */
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1, .win = 1000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
}

SCRIPT(sws_sender_overrides, "RFC 9293 3.8.6.2.1: after 0.1 to 1 s it sends anyway")
{
	struct seg *s;

	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .win = 100);
	stack_write(3000);
	expect_nothing_for(80);
	s = peer_next(1000);
	check(s && s->seq == 1 && s->len == 100);
}

SCRIPT(sws_sender_takes_half, "RFC 9293 3.8.6.2.1(3): half of the largest window")
{
	c->win = 800;
	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .win = 800);
	stack_write(3000);
	/* less than the MSS, but the peer never offers more */
	expect(ACK, .seq = 1, .ack = 1, .len = ANY, .within = 50);
	check(c->snd_nxt >= 401 && c->snd_nxt <= 801);
}

/* Fill the receive buffer with full segments until the window is shut. */
static int fill_window(void)
{
	int pos = 1, n;

	while (c->edge > pos) {
		n = c->edge - pos < 1000 ? c->edge - pos : 1000;
		inject(ACK, .seq = pos, .ack = 1, .len = n);
		pos += n;
		while (c->rcv_nxt < pos) {
			int old = c->edge;

			expect(ACK, .seq = 1, .ack = ANY);
			check(c->rcv_nxt + (c->edge - c->rcv_nxt) >= old);
		}
	}
	return pos;
}

SCRIPT(receive_window_fills, "RFC 9293 3.8.6: never take back what was offered")
{
	struct seg *s;
	int end;

	c->fd = stack_socket();
	stack_opt(SOL_SOCKET, SO_RCVBUF, 20000);
	establish();
	end = fill_window();
	/* all that the window promised has been taken in */
	check_eq(c->rcv_nxt, end);
	inject(ACK, .seq = end, .ack = 1, .len = 1);
	s = expect(ACK, .seq = 1, .ack = end);
	check_eq(s->win, 0);
	/* an empty probe is answered as well (MUST-35) */
	inject(ACK, .seq = end - 1, .ack = 1);
	expect(ACK, .seq = 1, .ack = end, .win = ZERO);
	stack_read(end - 1);
}

SCRIPT(sws_receiver_waits, "RFC 9293 3.8.6.2.2, MUST-39")
{
	struct seg *s;
	int end;

	c->fd = stack_socket();
	stack_opt(SOL_SOCKET, SO_RCVBUF, 20000);
	establish();
	end = fill_window();
	stack_read(100);
	expect_nothing();		/* a window of 100 would be silly */
	stack_read(end - 101);
	s = expect(ACK, .seq = 1, .ack = end);
	check(s->win >= 1000);		/* and this one is worth an update */
	inject(ACK, .seq = end, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = end + 100);
}

SCRIPT(rst_and_ack_count_at_zero_window, "RFC 9293 3.10.7.4(1): special allowance")
{
	int end;

	c->fd = stack_socket();
	stack_opt(SOL_SOCKET, SO_RCVBUF, 20000);
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	while (c->edge > c->rcv_nxt) {
		end = c->edge - c->rcv_nxt < 1000 ? c->edge - c->rcv_nxt : 1000;
		inject(ACK, .seq = c->rcv_nxt, .ack = 1, .len = end);
		expect(ACK, .seq = ANY, .ack = ANY, .len = ANY);
	}
	end = c->rcv_nxt;
	inject(ACK, .seq = end, .ack = 101);
	expect_nothing_for(1000);	/* the ACK counted: nothing is repeated */
	inject(RST, .seq = end);
	state_is(CLOSED);
}

/* ---- RFC 7323 2 ---- */

SCRIPT(window_is_scaled, "RFC 7323 2.3: windows after the SYN are shifted")
{
	establish_with(.mss = 1000, .ws = WS(3));
	check(c->ws >= 0);
	inject(ACK, .seq = 1, .ack = 1, .win = 250);	/* 2000 */
	stack_write(5000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(syn_window_is_not_scaled, "RFC 7323 2.2: the window of a SYN is never scaled")
{
	c->win = 2000;
	establish_with(.mss = 1000, .ws = WS(7));
	stack_write(5000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(scale_needs_both, "RFC 7323 2.2: no shift unless both SYNs have the option")
{
	establish_with(.mss = 1000);
	check_eq(c->ws, 0);
	inject(ACK, .seq = 1, .ack = 1, .win = 2000);
	stack_write(5000);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	expect(ACK, .seq = 1001, .ack = 1, .len = 1000);
	expect_nothing();
}

SCRIPT(scale_above_14, "RFC 7323 2.3: a larger shift is used as 14")
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	establish_with(.mss = 1000, .ws = WS(15));
	check_eq(getsockopt(c->fd, SOL_TCP, TCP_INFO, &info, &len), 0);
	check_eq(info.tcpi_snd_wscale, 14);
}

SCRIPT(no_scale_in_answer, "RFC 7323 2.2: the SYN+ACK has it only if the SYN had")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .ws = NO, .ts = NO, .sackok = NO);
	use(conv_new());
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ws = WS(0));
	check(expect(SYN | ACK, .seq = 0, .ack = 1)->ws >= WS(0));
}

SCRIPT(large_window_is_offered, "RFC 7323 2: more than 64 KB with a large buffer")
{
	struct seg *s;

	c->fd = stack_socket();
	stack_opt(SOL_SOCKET, SO_RCVBUF, 400000);
	stack_connect();
	s = expect(SYN, .seq = 0);
	check(s->ws > WS(0));
	c->ws = s->ws - 1;
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .ws = WS(7));
	s = expect(ACK, .seq = 1, .ack = 1);
	check((s->win << c->ws) > 60000);
}

SCRIPT_MAIN
