// SPDX-License-Identifier: GPL-2.0
/*
 * Segments that no TCP should send: short, wrong lengths, wrong checksum, broken
 * options, and all 64 combinations of flags.  They are dropped and counted, or
 * answered as the RFC says; a connection beside them never notices.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <kselftest.h>
#include "known.h"
#include "states.h"

/* What the stack counts as an error or a drop, all together. */
static long errors(void)
{
	if (stack == STACK_TCP)
		return counter("InErrs");
	return counter("InErrs") + counter("InCsumErrors") + counters("Drop");
}

/* The connection still works, both ways. */
static void alive(void)
{
	inject(ACK, .seq = c->read_pos, .ack = c->write_pos, .len = 10);
	expect(ACK, .seq = c->write_pos, .ack = c->read_pos + 10);
	stack_read(10);
	stack_write(10);
	expect(ACK, .seq = c->write_pos - 10, .ack = c->read_pos, .len = 10);
	inject(ACK, .seq = c->read_pos, .ack = c->write_pos);
	expect_nothing();
	state_is(ESTABLISHED);
}

SCRIPT(bad_checksum, "RFC 9293 3.1, MUST-3: checked; dropped and counted")
{
	long sums, errs;

	establish();
	sums = counter("InCsumErrors");
	errs = errors();
	inject(ACK, .seq = 1, .ack = 1, .len = 10, .bad_csum = 1);
	inject(RST, .seq = 1, .bad_csum = 1);
	inject(FIN | ACK, .seq = 1, .ack = 1, .bad_csum = 1);
	expect_nothing();
	check_eq(counter("InCsumErrors"), sums + 3);
	check(errors() > errs);
	alive();
}

SCRIPT(bad_checksum_to_nobody, "RFC 9293 3.10.7.1: no answer to what may not be for us")
{
	inject(SYN, .seq = 0, .mss = 1460, .bad_csum = 1);
	inject(ACK, .seq = 1, .ack = 1, .bad_csum = 1);
	expect_nothing();
}

SCRIPT(bad_checksum_to_listener, "RFC 9293 3.1, MUST-3")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460, .bad_csum = 1);
	expect_nothing();
	state_is(CLOSED);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
}

SCRIPT(doff_too_small, "RFC 9293 3.1: a header has at least five words")
{
	long errs;
	int doff;

	establish();
	for (doff = 1; doff < 5; doff++) {
		errs = errors();
		inject(ACK, .seq = 1, .ack = 1, .len = 40, .doff = doff);
		expect_nothing();
		check(errors() > errs);
	}
	alive();
}

/* inject() takes doff 0 for "the right one", so this one is raw. */
SCRIPT(doff_zero, "RFC 9293 3.1")
{
	uint8_t header[20] = { c->peer_port >> 8, c->peer_port, c->port >> 8, c->port };

	header[13] = SYN;
	stack_listen(5);
	inject_raw(header, 20);
	expect_nothing();
	state_is(CLOSED);
}

SCRIPT(doff_beyond_end, "RFC 9293 3.1: options that the segment doesn't have")
{
	long errs;
	int doff;

	establish();
	for (doff = 6; doff <= 15; doff += 3) {
		errs = errors();
		inject(ACK, .seq = 1, .ack = 1, .doff = doff);
		expect_nothing();
		check(stack == STACK_TCP || errors() > errs);	/* Linux doesn't count it */
	}
	alive();
}

SCRIPT(short_segments, "RFC 9293 3.1: less than a header")
{
	uint8_t header[20] = {};
	long errs;
	int len;

	establish();
	header[0] = c->peer_port >> 8;
	header[1] = c->peer_port;
	header[2] = c->port >> 8;
	header[3] = c->port;
	header[12] = 5 << 4;
	for (len = 0; len < 20; len++) {
		errs = errors();
		inject_raw(header, len);
		expect_nothing();
		check(stack == STACK_TCP || errors() > errs);
	}
	alive();
}

SCRIPT(surplus_bytes, "RFC 791 3.1: what is behind the IP length is no text")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 10, .extra = 20);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
	stack_read_errno(EAGAIN);
}

SCRIPT(truncated_text, "RFC 9293 3.1: the IP length says how long the text is")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 100, .cut = 40);
	expect(ACK, .seq = 1, .ack = 61);
	stack_read(60);
}

SCRIPT(port_zero, "RFC 6335 6: port 0 is reserved; nobody listens")
{
	c->port = 0;
	inject(SYN, .seq = 0, .mss = 1460);
	expect(RST | ACK, .seq = ANY, .ack = 1);
}

/* ---- options ---- */

struct broken {
	const char *what;
	const char *bytes;
	int len;
};

#define OPT(s)	s, sizeof(s) - 1

static const struct broken broken[] = {
	{ "MSS of length 0", OPT("\x02\x00\x05\xb4") },
	{ "MSS of length 1", OPT("\x02\x01\x05\xb4") },
	{ "MSS of length 2", OPT("\x02\x02\x01\x01") },
	{ "MSS of length 3", OPT("\x02\x03\x05\x01") },
	{ "MSS of length 5", OPT("\x02\x05\x05\xb4\x00\x01\x01\x01") },
	{ "MSS beyond the end", OPT("\x01\x01\x02\x04") },
	{ "MSS kind only", OPT("\x01\x01\x01\x02") },
	{ "MSS of 0", OPT("\x02\x04\x00\x00") },
	{ "MSS twice", OPT("\x02\x04\x05\xb4\x02\x04\x00\x10") },
	{ "window scale of length 0", OPT("\x03\x00\x07\x01") },
	{ "window scale of length 2", OPT("\x03\x02\x01\x01") },
	{ "window scale of 255", OPT("\x03\x03\xff\x01") },
	{ "SACK-permitted of length 0", OPT("\x04\x00\x01\x01") },
	{ "SACK-permitted of length 255", OPT("\x04\xff\x01\x01") },
	{ "SACK in a SYN", OPT("\x05\x0a\x00\x00\x00\x01\x00\x00\x00\x02\x01\x01") },
	{ "SACK of length 9", OPT("\x05\x09\x00\x00\x00\x01\x00\x00\x00\x01\x01\x01") },
	{ "SACK of length 2", OPT("\x05\x02\x01\x01") },
	{ "timestamps of length 9", OPT("\x08\x09\x00\x00\x00\x01\x00\x00\x00\x01\x01\x01") },
	{ "timestamps of length 0", OPT("\x08\x00\x00\x00") },
	{ "timestamps beyond the end", OPT("\x08\x0a\x00\x00") },
	{ "unknown kind of length 0", OPT("\x4d\x00\x00\x00") },
	{ "unknown kind of length 1", OPT("\x4d\x01\x01\x01") },
	{ "unknown kind of length 40", OPT("\x4d\x28\x01\x01") },
	{ "unknown kind, well formed", OPT("\x4d\x04\x01\x02") },
	{ "experiment without an id", OPT("\xfd\x02\x01\x01") },
	{ "experiment of length 3", OPT("\xfe\x03\x01\x01") },
	{ "Fast Open cookie of odd length", OPT("\x22\x05\x01\x02\x03\x01\x01\x01") },
	{ "MD5 signature", OPT("\x13\x12" "0123456789abcdef" "\x01\x01") },
	{ "all NOPs", OPT("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			  "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			  "\x01\x01\x01\x01\x01\x01\x01\x01") },
	{ "end of list, then garbage", OPT("\x00\x02\x00\x08\xff\xff\xff\xff") },
	{ "40 bytes of garbage", OPT("\xa5\x5a\xff\x00\xa5\x5a\xff\x00\xa5\x5a\xff\x00\xa5\x5a"
			  "\xff\x00\xa5\x5a\xff\x00\xa5\x5a\xff\x00\xa5\x5a\xff\x00\xa5\x5a"
			  "\xff\x00\xa5\x5a\xff\x00\xa5\x5a\xff\x00\xa5\x5a\xff\x00") },
};

#define NR_BROKEN	(int)ARRAY_SIZE(broken)

/*
 * MUST-7: be prepared.  The SYN is answered with what could be read, or not at
 * all, or refused; and the next one, a good one, connects.
 */
SCRIPT(options_of_syn, "RFC 9293 3.1, MUST-6, MUST-7")
{
	struct conv *good, *listener;
	struct seg *s;
	int i;

	stack_listen(100);
	listener = c;
	for (i = 0; i < NR_BROKEN; i++) {
		use(conv_new());
		c->port = listener->port;
		note("           | %s\n", broken[i].what);
		inject(SYN, .seq = 0, .opt = broken[i].bytes, .optlen = broken[i].len);
		peer_fence();
		while (peer_queued()) {
			s = peer_next(0);
			check_eq(s->ack, 1);
			check((s->flags & ~ACK) == SYN || (s->flags & ~ACK) == RST);
		}
	}
	good = conv_new();
	good->port = listener->port;
	good->lfd = listener->lfd;
	use(good);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1, .mss = MSS);
}

SCRIPT(options_of_synack, "RFC 9293 3.1, MUST-6, MUST-7")
{
	int i;

	for (i = 0; i < NR_BROKEN; i++) {
		use(conv_new());
		note("           | %s\n", broken[i].what);
		stack_connect();
		expect(SYN, .seq = 0);
		inject(SYN | ACK, .seq = 0, .ack = 1, .opt = broken[i].bytes,
		       .optlen = broken[i].len);
		peer_fence();
		if (stack_state(c->fd, c->port, c->peer_port) != ESTABLISHED)
			continue;
		expect(ACK, .seq = 1, .ack = 1);
		stack_write(100);
		check(expect(ACK, .seq = 1, .ack = 1, .len = ANY)->len >= 8);
	}
}

/* In an established connection an option can't take the text with it. */
SCRIPT(options_of_text, "RFC 9293 3.1, MUST-7")
{
	int i, answered = 0;

	establish_with(.mss = 1460, .sackok = 1);
	for (i = 0; i < NR_BROKEN; i++) {
		note("           | %s\n", broken[i].what);
		if (!memcmp(broken[i].bytes, "\x13", 1))
			continue;	/* a signature is another matter */
		inject(ACK, .seq = c->read_pos, .ack = 1, .len = 10, .opt = broken[i].bytes,
		       .optlen = broken[i].len);
		if (!stack_readable(50))
			continue;
		stack_read(10);
		while (c->rcv_nxt != c->read_pos)
			expect(ACK, .seq = 1, .ack = ANY);
		answered++;
		state_is(ESTABLISHED);
	}
	check(answered);
}

/* ---- flags ---- */

static void drain(void)
{
	peer_fence();
	while (peer_queued())
		peer_next(0);
}

SCRIPT(flags_at_nobody, "RFC 9293 3.10.7.1: all 64 combinations")
{
	int flags, len;

	for (flags = 0; flags < 64; flags++) {
		use(conv_new());
		len = !!(flags & SYN) + !!(flags & FIN);
		inject(flags, .seq = 100, .ack = 200);
		if (flags & RST)
			expect_nothing();
		else if (flags & ACK)
			expect(RST, .seq = 200);
		else
			expect(RST | ACK, .seq = 0, .ack = 100 + len);
		expect_nothing();
	}
}

SCRIPT(flags_at_listener, "RFC 9293 3.10.7.2: all 64 combinations")
{
	struct conv *listener = c;
	int flags;

	stack_listen(100);
	for (flags = 0; flags < 64; flags++) {
		use(conv_new());
		c->port = listener->port;
		inject(flags, .seq = 100, .ack = 200);
		if (flags & RST)
			expect_nothing();
		else if (flags & ACK)
			expect(RST, .seq = 200);
		else if (flags & SYN &&
			 !(flags & FIN && known("SYN with FIN is dropped in LISTEN")))
			expect(SYN | ACK, .seq = 0, .ack = 101);
		expect_nothing();
		check_eq(stack_listener(c->port), LISTEN);
	}
}

SCRIPT(flags_in_syn_sent, "RFC 9293 3.10.7.3: all 64 combinations, ACK acceptable")
{
	enum state next;
	int flags;

	for (flags = 0; flags < 64; flags++) {
		use(conv_new());
		enter(SYN_SENT, BY_FD);
		inject(flags, .seq = 0, .ack = 1);
		drain();
		next = SYN_SENT;
		if (flags & RST)
			next = flags & ACK ? CLOSED : SYN_SENT;
		else if (flags & SYN)
			next = flags & ACK ? ESTABLISHED : SYN_RECEIVED;
		/* what a FIN beside the SYN means is left open: CLOSE-WAIT is right too */
		if (flags & FIN && next == ESTABLISHED &&
		    stack_state(c->fd, c->port, c->peer_port) == CLOSE_WAIT)
			continue;
		state_is(next);
	}
}

SCRIPT(flags_in_established, "RFC 9293 3.10.7.4: all 64 combinations at RCV.NXT")
{
	int flags;

	for (flags = 0; flags < 64; flags++) {
		use(conv_new());
		establish();
		inject(flags, .seq = 1, .ack = 1);
		if (flags & RST) {
			expect_nothing();
			state_is(CLOSED);
		} else if (flags & SYN) {
			expect(ACK, .seq = 1, .ack = 1);
			state_is(ESTABLISHED);
		} else if (flags & FIN && flags & ACK) {
			expect(ACK, .seq = 1, .ack = 2);
			state_is(CLOSE_WAIT);
		} else {
			expect_nothing();
			state_is(ESTABLISHED);
		}
	}
}

/* Every combination in every state: no crash, and the variables stay sane. */
SCRIPT(flags_everywhere, "RFC 9293 3.10.7: all flags, RFC 3168's too, in all states")
{
	static const enum state states[] = {
		SYN_RECEIVED, SYN_RECEIVED_ACTIVE, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT,
		CLOSING, LAST_ACK, TIME_WAIT,
	};
	unsigned int i;
	int flags;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		for (flags = 0; flags < 256; flags += 5) {
			use(conv_new());
			enter(states[i], BY_FD);
			inject(flags, .seq = vars.rcv_nxt, .ack = vars.snd_nxt, .len = flags % 3,
			       .urg = flags);
			peer_fence();
			/* any segment that comes has been parsed and its checksum proved */
			drain();
			stack_state(c->fd, c->port, c->peer_port);
		}
}

SCRIPT_MAIN
