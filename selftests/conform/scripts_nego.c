// SPDX-License-Identifier: GPL-2.0
/*
 * What XTCP adds to TCP, and that it is plain TCP for a peer that does not know of
 * it: the XTCP option (RFC 6994, layout in module/core/wire.h) and what is in
 * force with it.  Kernel TCP has none of this and skips the program.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <linux/xtcp.h>
#include "known.h"
#include "states.h"

static void only_xtcp(void)
{
	if (stack == STACK_TCP)
		skip("kernel TCP has no XTCP option");
}

static struct xtcp_info info(void)
{
	struct xtcp_info i = {};
	socklen_t len = sizeof(i);

	if (getsockopt(c->fd, SOL_XTCP, XTCP_INFO, &i, &len))
		fail("XTCP_INFO: %s", strerror(errno));
	check_eq(len, sizeof(i));
	return i;
}

static bool in_force(void)
{
	return info().xtcpi_flags & XTCP_INFO_NEGOTIATED;
}

static void opt_on_socket(int fd, int name, int value)
{
	if (setsockopt(fd, SOL_XTCP, name, &value, sizeof(value)))
		fail("option %d = %d: %s", name, value, strerror(errno));
}

/* ---- the option ---- */

SCRIPT(syn_offers, "XTCP option in the SYN: version 1, the delay that we promise")
{
	only_xtcp();
	sysctl_set("max_ack_delay", 2500);
	stack_connect();
	expect(SYN, .seq = 0, .nego = 1, .delay = 2500);
}

SCRIPT(synack_answers, "XTCP option in the SYN,ACK if the SYN has it, and in nothing else")
{
	long before = counter("Negotiated");

	only_xtcp();
	establish_passive_with(.mss = 1460, .nego = 1, .delay = 700);
	check(in_force());
	check_eq(info().xtcpi_peer_ack_delay, 700);
	stack_write(10);
	expect(ACK, .seq = 1, .ack = 1, .len = 10, .nego = NO);
	check_eq(counter("Negotiated"), before + 1);
}

SCRIPT(synack_is_asked, "RFC 6994: no answer to what was not offered")
{
	only_xtcp();
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	check(!in_force());
}

SCRIPT(answered, "both ends have sent the option: in force")
{
	struct xtcp_info i;

	only_xtcp();
	establish_with(.mss = 1460, .nego = 1, .delay = 1234);
	i = info();
	check(i.xtcpi_flags & XTCP_INFO_NEGOTIATED);
	check_eq(i.xtcpi_peer_ack_delay, 1234);
	check(i.xtcpi_ack_delay <= 1000 && i.xtcpi_ack_delay > 0);
}

SCRIPT(plain_peer, "no answer: plain TCP")
{
	long ignored = counter("NegotiationIgnored");
	struct xtcp_info i;

	only_xtcp();
	establish_with(.mss = 1460);
	i = info();
	check(!(i.xtcpi_flags & XTCP_INFO_NEGOTIATED));
	check_eq(i.xtcpi_peer_ack_delay, 0);
	check_eq(i.xtcpi_ack_delay, 40000);
	check_eq(counter("NegotiationIgnored"), ignored);
}

SCRIPT(promise_of_nothing, "a delay below the error of a timer counts as that")
{
	only_xtcp();
	establish_with(.mss = 1460, .nego = 1, .delay = 0);
	check_eq(info().xtcpi_peer_ack_delay, 100);
}

/* The SYN,ACK carries these bytes as option. */
static void garbage(const char *opt, int len)
{
	long ignored = counter("NegotiationIgnored");

	stack_connect();
	expect(SYN, .seq = 0, .nego = 1);
	inject(SYN | ACK, .seq = 0, .ack = 1, .opt = opt, .optlen = len);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	check(!in_force());
	check_eq(counter("NegotiationIgnored"), ignored + 1);
}

SCRIPT(garbage_version, "another version: plain TCP")
{
	only_xtcp();
	garbage("\xfd\x08\x58\x54\x20\x00\x03\xe8", 8);
}

SCRIPT(garbage_unit, "an unknown unit of timestamps: plain TCP")
{
	only_xtcp();
	garbage("\xfd\x08\x58\x54\x12\x00\x03\xe8", 8);
}

SCRIPT(garbage_length, "RFC 6994 3: another length of our ExID: plain TCP")
{
	only_xtcp();
	garbage("\xfd\x06\x58\x54\x10\x00\x01\x01", 8);
}

SCRIPT(absurd_delay, "a promise of more than a second is not believed")
{
	only_xtcp();
	garbage("\xfd\x08\x58\x54\x10\xff\xff\xff", 8);
}

SCRIPT(other_experiment, "RFC 6994: another's ExID is nothing to us")
{
	long ignored = counter("NegotiationIgnored");

	only_xtcp();
	stack_connect();
	expect(SYN, .seq = 0, .nego = 1);
	inject(SYN | ACK, .seq = 0, .ack = 1, .opt = "\xfd\x08\x12\x34\x10\x00\x03\xe8",
	       .optlen = 8);
	expect(ACK, .seq = 1, .ack = 1);
	check(!in_force());
	check_eq(counter("NegotiationIgnored"), ignored);
}

SCRIPT(garbage_in_syn, "garbage in the SYN: a SYN,ACK without the option")
{
	long ignored = counter("NegotiationIgnored");

	only_xtcp();
	stack_listen(5);
	inject(SYN, .seq = 0, .opt = "\xfd\x08\x58\x54\x10\xff\xff\xff", .optlen = 8);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
	check_eq(counter("NegotiationIgnored"), ignored + 1);
}

SCRIPT(repeated_syn_ack, "the option is in the SYN,ACK that is sent again")
{
	only_xtcp();
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 500);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = 1);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = 1, .after = 1000);
}

SCRIPT(simultaneous_open, "RFC 9293 3.5, figure 8: both SYNs offer")
{
	only_xtcp();
	stack_connect();
	expect(SYN, .seq = 0, .nego = 1);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 300);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = 1);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .nego = 1, .delay = 300);
	state_is(ESTABLISHED);
	check_eq(info().xtcpi_peer_ack_delay, 300);
}

SCRIPT(simultaneous_open_plain, "RFC 9293 3.5, figure 8: the other SYN offers nothing")
{
	only_xtcp();
	stack_connect();
	expect(SYN, .seq = 0, .nego = 1);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
}

/* ---- switches ---- */

SCRIPT(off_by_sysctl, "sysctl negotiate = 0: neither offered nor answered")
{
	only_xtcp();
	sysctl_set("negotiate", 0);
	stack_connect();
	expect(SYN, .seq = 0, .nego = NO);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .nego = 1, .delay = 5);
	expect(ACK, .seq = 1, .ack = 1);
	check(!in_force());	/* an answer to nothing */
	use(conv_new());
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 5);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
}

SCRIPT(option_beats_sysctl, "XTCP_NEGOTIATE: the socket's own wish, inherited by children")
{
	only_xtcp();
	stack_listen(5);
	opt_on_socket(c->lfd, XTCP_NEGOTIATE, 0);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 5);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
	use(conv_new());
	sysctl_set("negotiate", 0);
	stack_listen(5);
	opt_on_socket(c->lfd, XTCP_NEGOTIATE, 1);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 5);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = 1);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	check(in_force());
}

SCRIPT(syn_cookie, "not in force on a connection made from a SYN cookie")
{
	only_xtcp();
	sysctl_set("syncookies", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 5);
	expect(SYN | ACK, .seq = 0, .ack = 1, .nego = NO);
	inject(ACK, .seq = 1, .ack = 1);
	stack_accept();
	check(!in_force());
}

/* ---- the delay that was promised ---- */

SCRIPT(delayed_ack_keeps_promise, "no ACK is held back longer than was promised")
{
	double ms;

	only_xtcp();
	sysctl_set("max_ack_delay", 3000);
	establish_with(.mss = 1460, .nego = 1, .delay = 1000);
	stack_opt(SOL_TCP, TCP_QUICKACK, 0);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101);
	ms = since_mark();
	check(ms < 30);		/* 40 without the promise */
}

SCRIPT(delayed_ack_of_plain_tcp, "RFC 9293 3.8.6.3: without it the sysctl delack_max")
{
	only_xtcp();
	establish_with(.mss = 1460);
	stack_opt(SOL_TCP, TCP_QUICKACK, 0);
	inject(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 101, .after = 40);
}

/* ---- the timeout ---- */

/* A connection whose timeout is the RTT and 20 + 30 ms */
static void establish_fast(void)
{
	only_xtcp();
	sysctl_set("rto_floor", 20000);
	establish_with(.mss = 1460, .nego = 1, .delay = 30000);
	check_eq(info().xtcpi_rto_floor, 20000);
}

/* A timeout after one that fired: up to a quarter longer by chance. */
static void comes_again(int least)
{
	uint64_t from = now_ns();

	expect(ACK, .seq = 1, .ack = 1, .len = 100, .within = least * 1.25 + 20);
	check_range((now_ns() - from) / 1000000, least - 1, least * 5 / 4 + 20);
}

/* Of 50 ms: a quarter more up to rto_min (RFC 8961 4 (4)), from there on it doubles */
static const int steps[] = { 62, 78, 97, 122, 152, 190, 238, 476, 953 };

SCRIPT(rto_is_floor_and_delay, "RFC 6298 2.3 with G = rto_floor, and the peer's ACK delay")
{
	int t;

	establish_fast();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 50);
	for (t = 0; t < 8; t++)
		comes_again(steps[t]);
}

SCRIPT(rto_of_plain_tcp, "RFC 6298 2.4: rto_min with a peer that promises nothing")
{
	only_xtcp();
	sysctl_set("rto_floor", 20000);
	establish_with(.mss = 1460);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 200);
}

SCRIPT(rto_floor_of_socket, "XTCP_RTO_FLOOR: at once, also on a live connection")
{
	establish_fast();
	opt_on_socket(c->fd, XTCP_RTO_FLOOR, 270000);
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 300);
}

/* The seven from 50 to 190 ms come before the classic 200, so they are not of the three. */
SCRIPT(r2_counts_classic_attempts, "RFC 9293 3.8.3: R2 is no shorter than that of any TCP")
{
	int t;

	only_xtcp();
	sysctl_set("retries2", 3);
	establish_fast();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .after = 50);
	for (t = 0; t < 9; t++)
		comes_again(steps[t]);
	expect_nothing_for(1800);
	state_is(ESTABLISHED);
	state_becomes(CLOSED, 2383 - 1800 + 100);
	check_eq(stack_error(), ETIMEDOUT);
}

/* ---- RFC 9040: what one connection leaves to the next ---- */

/* The peer is known, with a timeout of the RTT and 20 + 30 ms; nobody else knows it. */
static void know_peer(void)
{
	only_xtcp();
	sysctl_set("no_metrics_save", 0);
	sysctl_order("metrics_flush");
	establish_fast();
	stack_close();
	expect(FIN | ACK, .seq = 1, .ack = 1);
	inject(FIN | ACK, .seq = 1, .ack = 2);
	expect(ACK, .seq = 2, .ack = 2);
	use(conv_new());
}

static void syn_comes_again_after(int ms)
{
	stack_connect();
	expect(SYN, .seq = 0);
	expect(SYN, .seq = 0, .after = ms);
}

SCRIPT(syn_to_known_peer, "RFC 9040: the first timeouts are those of the path")
{
	int t;

	know_peer();
	stack_connect();
	expect(SYN, .seq = 0);
	for (t = 50; t <= 12800; t *= 2)
		expect(SYN, .seq = 0, .after = t);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .nego = 1, .delay = 30000);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(syn_to_known_peer_gives_up, "syn_retries: those before 1 s do not count")
{
	int t;

	know_peer();
	sysctl_set("syn_retries", 2);
	stack_connect();
	expect(SYN, .seq = 0);
	for (t = 50; t <= 3200; t *= 2)	/* five sooner than 1 s, two more */
		expect(SYN, .seq = 0, .after = t);
	expect_nothing_for(6300);
	state_is(SYN_SENT);
	state_becomes(CLOSED, 300);
	check_eq(stack_error(), ETIMEDOUT);
}

SCRIPT(syn_to_unknown_peer, "RFC 6298 2.1: one second")
{
	only_xtcp();
	sysctl_set("no_metrics_save", 0);
	sysctl_order("metrics_flush");
	syn_comes_again_after(1000);
}

SCRIPT(metrics_are_flushed, "sysctl metrics_flush")
{
	know_peer();
	sysctl_order("metrics_flush");
	syn_comes_again_after(1000);
}

SCRIPT(metrics_are_off, "sysctl no_metrics_save: neither kept nor used")
{
	know_peer();
	sysctl_set("no_metrics_save", 1);
	syn_comes_again_after(1000);
}

SCRIPT(metrics_age, "RFC 9040: what is old counts no more")
{
	know_peer();
	expect_nothing_for(601000);
	syn_comes_again_after(1000);
}

SCRIPT(metrics_last, "RFC 9040: nine minutes later it does")
{
	know_peer();
	expect_nothing_for(540000);
	syn_comes_again_after(50);
}

SCRIPT(live_connection_is_shared, "RFC 9040 3.2: also while it lasts")
{
	only_xtcp();
	sysctl_set("no_metrics_save", 0);
	sysctl_order("metrics_flush");
	establish_fast();
	use(conv_new());
	syn_comes_again_after(50);
}

SCRIPT(known_peer_without_promise, "who does not negotiate waits like any TCP")
{
	know_peer();
	sysctl_set("negotiate", 0);
	syn_comes_again_after(200);
}

SCRIPT(synack_to_known_peer, "RFC 9040: a SYN,ACK too")
{
	int t;

	know_peer();
	sysctl_set("synack_retries", 2);
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .nego = 1, .delay = 30000);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	for (t = 50; t <= 3200; t *= 2)
		expect(SYN | ACK, .seq = 0, .ack = 1, .after = t);
	expect_nothing_for(6300);
	state_is(SYN_RECEIVED);
	state_becomes(CLOSED, 300);
}

SCRIPT(refused_leaves_nothing, "a connection that never was has measured nothing")
{
	only_xtcp();
	sysctl_set("no_metrics_save", 0);
	sysctl_order("metrics_flush");
	stack_connect();
	expect(SYN, .seq = 0);
	inject(RST | ACK, .seq = 0, .ack = 1);
	use(conv_new());
	syn_comes_again_after(1000);
}

SCRIPT_MAIN
