// SPDX-License-Identifier: GPL-2.0
/*
 * Timestamps in microseconds, where both ends offer them, and in milliseconds where
 * not (RFC 7323 5.4): the clock never goes back and never changes its unit once a
 * connection stands, TS.Recent ages, and TIME-WAIT compares like with like (RFC
 * 6191).  Takes hours of virtual time.  Kernel TCP has none of this and skips it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <linux/xtcp.h>
#include "known.h"
#include "states.h"

#define MINUTE	60000		/* ms */

static void only_xtcp(void)
{
	if (stack == STACK_TCP)
		skip("kernel TCP has no timestamps in microseconds");
}

static struct xtcp_info info(void)
{
	struct xtcp_info i = {};
	socklen_t len = sizeof(i);

	check(!getsockopt(c->fd, SOL_XTCP, XTCP_INFO, &i, &len));
	return i;
}

static bool in_us(void)
{
	return info().xtcpi_flags & XTCP_INFO_TS_US;
}

static void establish_us(void)
{
	only_xtcp();
	establish_with(.mss = 1460, .ts = 1, .nego = 1, .unit = US, .delay = 1000);
	check(in_us());
}

static void establish_passive_us(void)
{
	only_xtcp();
	establish_passive_with(.mss = 1460, .ts = 1, .nego = 1, .unit = US, .delay = 1000);
	check(in_us());
}

/* A segment of 10 bytes from the stack and its ACK.  Return: its TSval */
static uint32_t stack_says(int seq)
{
	uint32_t tsval;

	stack_write(10);
	tsval = expect(ACK, .seq = seq, .ack = ANY, .len = 10)->tsval;
	inject(ACK, .seq = c->rcv_nxt, .ack = seq + 10);
	expect_nothing();
	return tsval;
}

/* ---- one clock and one unit from the SYN on ---- */

SCRIPT(syn_offers_us, "the SYN's timestamp is of the clock that it offers")
{
	uint32_t first;

	only_xtcp();
	stack_connect();
	first = expect(SYN, .seq = 0, .ts = 1, .nego = 1, .unit = US)->tsval;
	check_range(expect(SYN, .seq = 0, .nego = 1, .unit = US, .after = 1000)->tsval - first,
		    998000, 1030000);
}

SCRIPT(us_active, "both offer: us from the SYN on")
{
	uint32_t syn, tsval;

	establish_us();
	syn = c->ts_last;
	expect_nothing_for(2000);
	tsval = stack_says(1);
	check_range(tsval - syn, 2000000, 2030000);
}

SCRIPT(us_passive, "the SYN,ACK answers with us, and is of that clock")
{
	uint32_t first;

	only_xtcp();
	stack_listen(5);
	c->ts_us = true;
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .nego = 1, .unit = US, .delay = 1000);
	first = expect(SYN | ACK, .seq = 0, .ack = 1, .ts = 1, .nego = 1, .unit = US)->tsval;
	expect(SYN | ACK, .seq = 0, .ack = 1, .after = 1000);
	check_range(c->ts_last - first, 998000, 1030000);
	c->ts = true;
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	check(in_us());
	check_range(stack_says(1) - first, 998000, 1060000);
}

SCRIPT(ms_to_a_plain_peer, "RFC 7323 5.4: in ms from the value of the SYN on")
{
	uint32_t syn;

	only_xtcp();
	stack_connect();
	syn = expect(SYN, .seq = 0, .ts = 1, .nego = 1, .unit = US)->tsval;
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .ts = 1, .tsval = 5000, .tsecr = syn);
	c->ts = true;
	check_range(expect(ACK, .seq = 1, .ack = 1, .ts = 1)->tsval - syn, 0, 30);
	check(!in_us());
	expect_nothing_for(3000);
	check_range(stack_says(1) - syn, 3000, 3060);
}

SCRIPT(ms_where_the_peer_has_ms, "the option, but with ms: ms")
{
	uint32_t syn;

	only_xtcp();
	stack_connect();
	syn = expect(SYN, .seq = 0, .ts = 1, .nego = 1, .unit = US)->tsval;
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .ts = 1, .tsval = 5000, .tsecr = syn,
	       .nego = 1, .unit = MS, .delay = 100);
	c->ts = true;
	expect(ACK, .seq = 1, .ack = 1, .ts = 1);
	check(info().xtcpi_flags == XTCP_INFO_NEGOTIATED);
	expect_nothing_for(3000);
	check_range(stack_says(1) - syn, 3000, 3060);
}

SCRIPT(ms_where_the_syn_has_ms, "a SYN with ms is answered with ms")
{
	uint32_t first;

	only_xtcp();
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .nego = 1, .unit = MS, .delay = 1000);
	first = expect(SYN | ACK, .seq = 0, .ack = 1, .nego = 1, .unit = MS)->tsval;
	expect(SYN | ACK, .seq = 0, .ack = 1, .after = 1000);
	check_range(c->ts_last - first, 998, 1030);
}

SCRIPT(no_timestamps_no_us, "sysctl timestamps = 0: ms in the option, which then says nothing")
{
	only_xtcp();
	sysctl_set("timestamps", 0);
	stack_connect();
	expect(SYN, .seq = 0, .ts = NO, .nego = 1, .unit = MS);
}

SCRIPT(lost_syn_to_a_plain_peer, "the clock goes on from the last SYN; the echo of the first is an RTT")
{
	uint32_t first, last;

	only_xtcp();
	stack_connect();
	first = expect(SYN, .seq = 0)->tsval;
	last = expect(SYN, .seq = 0, .after = 1000)->tsval;
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .ts = 1, .tsval = 5000, .tsecr = first);
	c->ts = true;
	check_range(expect(ACK, .seq = 1, .ack = 1, .ts = 1)->tsval - last, 0, 30);
	check_range(info().xtcpi_srtt, 998e6, 1060e6);
	expect_nothing_for(500);
	check_range(stack_says(1) - last, 500, 560);
}

SCRIPT(syn_cookie_has_ms, "a SYN cookie answers in plain TCP")
{
	uint32_t first;

	only_xtcp();
	sysctl_set("syncookies", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .ts = 1, .tsval = 700, .nego = 1, .unit = US);
	first = expect(SYN | ACK, .seq = 0, .ack = 1, .ts = 1, .nego = NO)->tsval;
	c->ts = true;
	inject(ACK, .seq = 1, .ack = 1, .tsval = 701);
	stack_accept();
	check(!in_us());
	expect_nothing_for(3000);
	stack_write(10);
	check_range(expect(ACK, .seq = 1, .ack = 1, .len = 10)->tsval - first, 2990, 3200);
}

/* ---- RTT ---- */

SCRIPT(rtt_below_a_ms, "RFC 7323 4.1: the echo of a retransmission measures microseconds")
{
	uint32_t tsval;

	establish_us();
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10);
	tsval = expect(ACK, .seq = 1, .ack = 1, .len = 10)->tsval;	/* again */
	inject(ACK, .seq = 1, .ack = 11, .tsecr = tsval);
	expect_nothing();
	check(info().xtcpi_srtt < 30000000);
}

/* ---- PAWS ---- */

/* Let the stack's clock be @us before its end, by waiting. */
static void wait_until_before_wrap(uint32_t last, int ms)
{
	double left = (uint32_t)-last / 1000.0;

	expect_nothing_for(left - ms);
}

SCRIPT(wrap_of_our_clock, "RFC 7323 5.2: 2^32 in mid-flow, 71 minutes at the most")
{
	long timeouts = counter("Timeouts");
	uint32_t before, after;
	int seq = 1, i;

	establish_us();
	stack_write(10);
	before = expect(ACK, .seq = seq, .ack = 1, .len = 10)->tsval;
	inject(ACK, .seq = 1, .ack = seq + 10);
	expect_nothing();
	wait_until_before_wrap(before, 500);
	before = stack_says(11);
	check(before > 0xf0000000);
	for (i = 2; i < 12; i++) {
		expect_nothing_for(100);
		after = stack_says(1 + 10 * i);
	}
	check(after < 0x10000000);
	check_eq(counter("Timeouts"), timeouts);
	check(info().xtcpi_srtt < 30000000);
}

SCRIPT(wrap_of_the_peers_clock, "RFC 7323 5.2: newer is newer, modulo 2^32")
{
	only_xtcp();
	c->ts_offset = -(uint32_t)(now_ns() / 1000) - 300000u;
	establish_passive_us();
	for (int i = 0; i < 10; i++) {
		expect_nothing_for(100);
		inject(ACK, .seq = 1 + 10 * i, .ack = 1, .len = 10);
		expect(ACK, .seq = 1, .ack = 11 + 10 * i);
	}
	/* an old one, from before the wrap */
	inject(ACK, .seq = 101, .ack = 1, .len = 10, .tsval = 0xffffff00);
	expect(ACK, .seq = 1, .ack = 101);
	stack_read(100);
	stack_read_errno(EAGAIN);
}

SCRIPT(paws_after_20_minutes, "RFC 7323 5.3 in us: still good")
{
	uint32_t old;

	establish_passive_us();
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	old = c->ts_offset + (uint32_t)(now_ns() / 1000) - 100000;
	expect_nothing_for(20 * MINUTE);
	inject(ACK, .seq = 11, .ack = 1, .len = 10, .tsval = old);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
	stack_read_errno(EAGAIN);
}

SCRIPT(forty_idle_minutes_in, "RFC 7323 5.5: 2^31 us later TS.Recent says nothing")
{
	establish_passive_us();
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	expect_nothing_for(40 * MINUTE);
	inject(ACK, .seq = 11, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 21);
	/* and from here on it does again */
	inject(ACK, .seq = 21, .ack = 1, .len = 10,
	       .tsval = c->ts_offset + (uint32_t)(now_ns() / 1000) - 1000000);
	expect(ACK, .seq = 1, .ack = 21);
	stack_read(20);
	stack_read_errno(EAGAIN);
}

SCRIPT(forty_idle_minutes_out, "40 idle minutes, then data of ours")
{
	establish_us();
	stack_says(1);
	expect_nothing_for(40 * MINUTE);
	stack_says(11);
	expect_nothing_for(1000);
	check(info().xtcpi_srtt < 30000000);
}

SCRIPT(forty_idle_minutes_in_ms, "RFC 7323 5.5 in ms: 24 days, so an old one is old")
{
	only_xtcp();
	establish_passive_with(.mss = 1460, .ts = 1);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	expect_nothing_for(40 * MINUTE);
	inject(ACK, .seq = 11, .ack = 1, .len = 10,
	       .tsval = c->ts_offset + (uint32_t)(now_ns() / 1000000) - 41 * MINUTE);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
	stack_read_errno(EAGAIN);
}

/* ---- TIME-WAIT: RFC 6191 ---- */

static void server_in_time_wait(const struct seg *opt)
{
	only_xtcp();
	establish_passive_opt(opt);
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

static const struct seg in_ms = { .mss = 1460, .ts = 1 };
static const struct seg with_us = { .mss = 1460, .ts = 1, .nego = 1, .unit = US };

static uint32_t clock_now(void)
{
	return c->ts_offset + (uint32_t)(now_ns() / (c->ts_us ? 1000 : 1000000));
}

/* The peer's clock from here on: another unit, and this far from where it was. */
static void clock_goes_on(bool us, int by)
{
	uint32_t to = clock_now() + by;

	c->ts_us = us;
	c->ts_offset += to - clock_now();
}

static void is_reopened(int seq)
{
	c->have_irs = false;
	c->iss += seq;
	expect(SYN | ACK, .seq = 0, .ack = 1);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	state_is(ESTABLISHED);
}

static void is_challenged(void)
{
	expect(ACK, .seq = 2, .ack = 2);
	state_is(TIME_WAIT);
}

SCRIPT(us_then_us_by_timestamp, "RFC 6191 2: a greater timestamp, whatever the number")
{
	server_in_time_wait(&with_us);
	expect_nothing_for(10);
	inject(SYN, .seq = -100000, .mss = 1460, .ts = 1, .nego = 1, .unit = US);
	c->ts = true;
	is_reopened(-100000);
	check(in_us());
}

SCRIPT(us_then_us_older, "RFC 6191 2: a smaller timestamp")
{
	server_in_time_wait(&with_us);
	inject(SYN, .seq = 1000, .mss = 1460, .ts = 1, .nego = 1, .unit = US,
	       .tsval = c->ts_offset + (uint32_t)(now_ns() / 1000) - 1000000);
	is_challenged();
}

SCRIPT(ms_then_us_above, "RFC 6191 2: two units can't be compared; the number is greater")
{
	server_in_time_wait(&in_ms);
	clock_goes_on(true, -1000);
	inject(SYN, .seq = 1000, .mss = 1460, .ts = 1, .nego = 1, .unit = US);
	c->ts = true;
	is_reopened(1000);
}

SCRIPT(ms_then_us_below, "RFC 6191 2: the number is not greater, so the timestamp can't help")
{
	server_in_time_wait(&in_ms);
	clock_goes_on(true, 1000);
	inject(SYN, .seq = -1000, .mss = 1460, .ts = 1, .nego = 1, .unit = US);
	is_challenged();
}

SCRIPT(us_then_ms_above, "RFC 6191 2: the same the other way round")
{
	server_in_time_wait(&with_us);
	clock_goes_on(false, -1000);
	inject(SYN, .seq = 1000, .mss = 1460, .ts = 1);
	c->ts = true;
	is_reopened(1000);
}

SCRIPT(us_then_ms_below, "RFC 6191 2: and below")
{
	server_in_time_wait(&with_us);
	clock_goes_on(false, 1000);
	inject(SYN, .seq = -1000, .mss = 1460, .ts = 1);
	is_challenged();
}

SCRIPT(time_wait_keeps_the_clock, "RFC 7323 3.2: what TIME-WAIT sends is of the connection's clock")
{
	uint32_t last;

	server_in_time_wait(&with_us);
	last = c->ts_last;
	expect_nothing_for(1000);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	check_range(expect(ACK, .seq = 2, .ack = 2, .ts = 1)->tsval - last, 998000, 1030000);
}

SCRIPT_MAIN
