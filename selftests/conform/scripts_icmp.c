// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about our segments: RFC 9293 3.9.2.2 (soft and hard errors),
 * RFC 5927 4.1 (only if the quoted number is in the window), RFC 1191 and
 * RFC 8201 (path MTU).  The path MTU stays in the routes of the namespace, so
 * its scripts come last.
 */
#include <errno.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include "known.h"
#include "states.h"

struct icmp {
	int type, code, err;
};

/* [IPv6] */
static const struct icmp no_protocol[2] = { { 3, 2, ENOPROTOOPT }, { 4, 1, EPROTO } };
static const struct icmp no_port[2] = { { 3, 3, ECONNREFUSED }, { 1, 4, ECONNREFUSED } };
static const struct icmp no_host[2] = { { 3, 1, EHOSTUNREACH }, { 1, 3, EHOSTUNREACH } };
static const struct icmp no_net[2] = { { 3, 0, ENETUNREACH }, { 1, 0, ENETUNREACH } };
static const struct icmp expired[2] = { { 11, 0, EHOSTUNREACH }, { 3, 0, EHOSTUNREACH } };

static int inject_error(const struct icmp *list, int seq)
{
	const struct icmp *i = &list[family == AF_INET6];

	/* a parameter problem points at the next header field */
	inject_icmp(i->type, i->code, family == AF_INET6 && i->type == 4 ? 6 : 0, seq);
	return i->err;
}

static void connect_fails(const struct icmp *list)
{
	int err;

	stack_connect();
	expect(SYN, .seq = 0);
	err = inject_error(list, 0);
	expect_nothing();
	state_is(CLOSED);
	check_eq(stack_error(), err);
}

SCRIPT(protocol_unreachable_fails_connect, "RFC 9293 3.9.2.2, SHLD-26: hard, at once")
{
	connect_fails(no_protocol);
}

SCRIPT(port_unreachable_fails_connect, "RFC 9293 3.9.2.2, SHLD-26: hard, at once")
{
	connect_fails(no_port);
}

static void soft_in_syn_sent(const struct icmp *list)
{
	if (known("ICMP unreachable of any kind ends SYN-SENT")) {
		connect_fails(list);
		return;
	}
	sysctl_set("syn_retries", 1);
	stack_connect();
	expect(SYN, .seq = 0);
	inject_error(list, 0);
	expect_nothing();
	state_is(SYN_SENT);
	expect(SYN, .seq = 0, .within = 1100);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(host_unreachable_in_syn_sent, "RFC 9293 3.9.2.2, MUST-56: soft, must not abort")
{
	soft_in_syn_sent(no_host);
}

SCRIPT(net_unreachable_in_syn_sent, "RFC 9293 3.9.2.2, MUST-56: soft, must not abort")
{
	soft_in_syn_sent(no_net);
}

SCRIPT(outside_window_in_syn_sent, "RFC 5927 4.1: a number that we have not sent")
{
	stack_connect();
	expect(SYN, .seq = 0);
	inject_error(no_protocol, 1000);
	inject_error(no_port, -1);
	expect_nothing();
	state_is(SYN_SENT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
}

/* A connection outlives them all; RFC 5461 makes hard errors soft as well. */
static void survives(const struct icmp *list)
{
	int err;

	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	err = inject_error(list, 1);
	expect_nothing();
	state_is(ESTABLISHED);
	check_eq(stack_error(), err);		/* SHLD-25: available, no more */
	stack_read_errno(EAGAIN);
	expect(ACK, .seq = 1, .ack = 1, .len = 100, .within = 400);
	inject(ACK, .seq = 1, .ack = 101, .len = 10);
	expect(ACK, .seq = 101, .ack = 11);
	stack_read(10);
}

SCRIPT(host_unreachable_established, "RFC 9293 3.9.2.2, MUST-56")
{
	survives(no_host);
}

SCRIPT(protocol_unreachable_established, "RFC 5461 4.1: no abort in synchronized states")
{
	survives(no_protocol);
}

SCRIPT(port_unreachable_established, "RFC 5461 4.1: no abort in synchronized states")
{
	survives(no_port);
}

SCRIPT(time_exceeded_established, "RFC 9293 3.9.2.2, MUST-56: soft")
{
	survives(expired);
}

/* ICMPv6 has no source quench; there it is an error of a type nobody knows. */
SCRIPT(source_quench_is_ignored, "RFC 9293 3.9.2.2, MUST-55; RFC 6633; RFC 4443 2.4")
{
	int i;

	establish_with(.mss = 1000);
	stack_write(10000);
	for (i = 0; i < 10; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
	inject_icmp(family == AF_INET ? 4 : 100, 0, 0, 1);
	inject(ACK, .seq = 1, .ack = 10001);
	stack_write(10000);
	for (i = 10; i < 20; i++)
		expect(ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
}

SCRIPT(soft_error_is_told_in_the_end, "RFC 9293 3.9.2.2, SHLD-25: make it available")
{
	sysctl_set("retries2", 2);
	establish();
	stack_write(100);
	expect(ACK, .seq = 1, .ack = 1, .len = 100);
	inject_error(no_host, 1);
	while (peer_next(2500))
		;
	state_is(CLOSED);
	check_eq(stack_error(), EHOSTUNREACH);
}

SCRIPT(request_survives_foreign_number, "RFC 5927 4.1 for a request in SYN-RECEIVED")
{
	enter(SYN_RECEIVED, BY_FD);
	inject_error(no_port, 5000);
	expect_nothing();
	state_is(SYN_RECEIVED);
	inject(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
}

SCRIPT(about_nobody, "RFC 9293 3.9.2.2: no connection, nothing happens")
{
	c->port = 5;
	inject_error(no_port, 1);
	inject_error(no_protocol, 1);
	expect_nothing();
}

/* ---- path MTU ---- */

static void inject_too_big(int mtu, int seq)
{
	if (family == AF_INET)
		inject_icmp(3, 4, mtu, seq);
	else
		inject_icmp(2, 0, mtu, seq);
}

static int mss_of(int mtu)
{
	return mtu - (family == AF_INET ? 40 : 60);
}

SCRIPT(mtu_of_unsent_is_ignored, "RFC 5927 4.1, 7: a forged number changes nothing")
{
	establish();
	stack_write(MSS);
	expect(ACK, .seq = 1, .ack = 1, .len = MSS);
	inject_too_big(1300, 100000);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1 + MSS);
	stack_write(MSS);
	expect(ACK, .seq = 1 + MSS, .ack = 1, .len = MSS);
}

SCRIPT(mtu_larger_is_ignored, "RFC 1191 6.3, RFC 8201 4: only ever down")
{
	establish();
	stack_write(MSS);
	expect(ACK, .seq = 1, .ack = 1, .len = MSS);
	inject_too_big(9000, 1);
	expect_nothing();
	inject(ACK, .seq = 1, .ack = 1 + MSS);
	stack_write(2 * MSS);
	expect(ACK, .seq = 1 + MSS, .ack = 1, .len = MSS);
}

SCRIPT(too_big_lowers_mss, "RFC 1191 6.5, RFC 8201 5.4: resend at once, smaller")
{
	int mss = mss_of(1400);

	establish();
	stack_write(MSS);
	expect(ACK, .seq = 1, .ack = 1, .len = MSS);
	inject_too_big(1400, 1);
	expect(ACK, .seq = 1, .ack = 1, .len = mss, .within = 50);
	expect(ACK, .seq = 1 + mss, .ack = 1, .len = MSS - mss, .within = 50);
	inject(ACK, .seq = 1, .ack = 1 + MSS);
	expect_nothing();
	stack_write(3000);
	expect(ACK, .seq = 1 + MSS, .ack = 1, .len = mss);
}

SCRIPT(mtu_is_remembered, "RFC 1191 6.3: the path has it, not the connection")
{
	establish();
	stack_write(3000);
	expect(ACK, .seq = 1, .ack = 1, .len = mss_of(1400));
}

SCRIPT_MAIN
