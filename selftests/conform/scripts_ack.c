// SPDX-License-Identifier: GPL-2.0
/*
 * When the receiver acknowledges: RFC 9293 3.8.6.3 (delayed ACKs: within 500 ms,
 * every second full segment at once), RFC 5681 4.2 (at once when something is
 * out of order), and what it puts together again (RFC 9293 3.10.7.4(7)).
 */
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

/* ms that a lone segment may wait: net.xtcp.delack_max; Linux: up to 200 ms */
static double delack_max(void)
{
	return stack == STACK_TCP ? 200 : sysctl_get("delack_max");
}

/* Out of the quick ACKs that a young connection gives. */
static void leave_quick_mode(void)
{
	establish_with(.mss = 1000);
	stack_opt(SOL_TCP, TCP_QUICKACK, 0);
}

SCRIPT(ack_within_limit, "RFC 9293 3.8.6.3, MUST-40: within 500 ms")
{
	leave_quick_mode();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101, .within = 500);
	check(since_mark() <= 500);
}

SCRIPT(ack_is_delayed, "RFC 9293 3.8.6.3, SHLD-18; net.xtcp.delack_max")
{
	struct seg *s;
	uint64_t begin;

	leave_quick_mode();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	begin = now_ns();
	expect_nothing();
	s = expect(ACK, .seq = 1, .ack = 101, .within = 500);
	check_range((s->time - begin) / 1e6, 1, delack_max() + timer_slack(delack_max()));
}

SCRIPT(ack_rides_on_text, "RFC 9293 3.8.6.3: the ACK goes with what is sent anyway")
{
	leave_quick_mode();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	stack_read(100);
	stack_write(50);
	expect(ACK, .seq = 1, .ack = 101, .len = 50);
	inject(ACK, .seq = 101, .ack = 51);
	expect_nothing_for(500);
}

SCRIPT(every_second_full_segment, "RFC 9293 3.8.6.3, SHLD-19; RFC 5681 4.2")
{
	int i;

	leave_quick_mode();
	for (i = 0; i < 10; i++) {
		inject(ACK, .seq = 1 + 2000 * i, .ack = 1, .len = 1000);
		inject(ACK, .seq = 1001 + 2000 * i, .ack = 1, .len = 1000);
		stack_read(2000);	/* or the window would be a reason to wait */
		peer_fence();
		check(peer_queued());
		do
			expect(ACK, .seq = 1, .ack = ANY);
		while (peer_queued());
		check_eq(c->rcv_nxt, 2001 + 2000 * i);
	}
}

SCRIPT(out_of_order_at_once, "RFC 5681 4.2: an immediate duplicate ACK")
{
	leave_quick_mode();
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	peer_fence();
	check(peer_queued());
	expect(ACK, .seq = 1, .ack = 1);
}

SCRIPT(each_out_of_order_segment, "RFC 5681 4.2: one duplicate ACK for each")
{
	int i;

	leave_quick_mode();
	for (i = 1; i < 6; i++) {
		inject(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
		peer_fence();
		check(peer_queued());
		expect(ACK, .seq = 1, .ack = 1);
		expect_nothing();
	}
}

SCRIPT(gap_filled_at_once, "RFC 5681 4.2: an immediate ACK when a gap is filled")
{
	leave_quick_mode();
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	peer_fence();
	check(peer_queued());
	expect(ACK, .seq = 1, .ack = 201);
	stack_read(200);
}

SCRIPT(part_of_gap_filled_at_once, "RFC 5681 4.2: all or part of a gap")
{
	leave_quick_mode();
	inject(ACK, .seq = 201, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	peer_fence();
	check(peer_queued());
	expect(ACK, .seq = 1, .ack = 101);
	inject(ACK, .seq = 101, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 301);
	stack_read(300);
}

SCRIPT(duplicate_at_once, "RFC 9293 3.10.7.4(1): an unacceptable segment is answered")
{
	leave_quick_mode();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	stack_read(100);
}

SCRIPT(fin_within_limit, "RFC 9293 3.10.7.4(8), 3.8.6.3")
{
	leave_quick_mode();
	inject(FIN | ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 12, .within = 500);
}

SCRIPT(pure_acks_are_not_acked, "RFC 9293 3.8.6.3: or there would be no end")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing_for(600);
}

/* ---- what overlaps is put together byte by byte ---- */

SCRIPT(overlap_left, "RFC 9293 3.4, 3.10.7.4(7): only the new part counts")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	inject(ACK, .seq = 51, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 151);
	stack_read(150);
}

SCRIPT(overlap_in_queue, "RFC 9293 3.10.7.4(7): overlapping pieces out of order")
{
	establish();
	inject(ACK, .seq = 101, .ack = 1, .len = 100);	/* 101-200 */
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 151, .ack = 1, .len = 100);	/* 151-250 */
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 91, .ack = 1, .len = 200);	/* 91-290, around both */
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 121, .ack = 1, .len = 10);	/* inside */
	expect(ACK, .seq = 1, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 120);
	expect(ACK, .seq = 1, .ack = 291);
	stack_read(290);
}

SCRIPT(beyond_window_is_cut, "RFC 9293 3.4: trim what exceeds the window")
{
	struct seg *s;
	int edge, pos = 1, n;

	c->fd = stack_socket();
	stack_opt(SOL_SOCKET, SO_RCVBUF, 10000);
	establish();
	while (c->edge - pos > 500) {
		n = c->edge - pos - 500 < 1000 ? c->edge - pos - 500 : 1000;
		inject(ACK, .seq = pos, .ack = 1, .len = n);
		pos += n;
		while (c->rcv_nxt < pos)
			expect(ACK, .seq = 1, .ack = ANY);
	}
	edge = c->edge;
	inject(ACK, .seq = pos, .ack = 1, .len = 1000);
	s = expect(ACK, .seq = 1, .ack = ANY);
	if (known("text beyond the window is taken")) {
		check_eq(s->ack, pos + 1000);
		return;
	}
	/*
	 * The window's worth of it, and not more; nothing of it is allowed too
	 * (RFC 9293 3.10.7.4(1) speaks of "tailoring" as a choice).
	 */
	check(s->ack <= edge);
	stack_read(s->ack - 1);
	inject(ACK, .seq = s->ack, .ack = 1, .len = 100);
	do
		expect(ACK, .seq = 1, .ack = ANY);
	while (c->rcv_nxt < s->ack + 100 && peer_queued());
}

SCRIPT_MAIN
