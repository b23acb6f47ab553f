/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One segment as a script writes it, and its way to and from bytes.
 *
 * Numbers are relative, as in a ladder diagram: seq to the ISN of the end that
 * sends the segment, ack to the ISN of the other one, so a SYN has seq 0 and the
 * first byte of data seq 1.  segment.c turns them into wire format (RFC 9293
 * 3.1, with the pseudo header of IPv4 or IPv6) and knows nothing of sockets,
 * devices or time.  Called by peer.c and by scripts that send broken segments.
 */
#ifndef CONFORM_SEGMENT_H
#define CONFORM_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <netinet/in.h>

enum {
	FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08,
	ACK = 0x10, URG = 0x20, ECE = 0x40, CWR = 0x80,
};

enum { NOT_ECT, ECT_1, ECT_0, CE };

#define ANY	INT_MIN		/* in expect(): this number does not matter */
#define ZERO	(-1)		/* .win = ZERO: a window of 0 */
#define NO	(-1)		/* in expect(): this option must be absent */
#define MS	(-1)		/* .unit */
#define US	1
#define WS(n)	((n) + 1)	/* .ws = WS(0) is a shift of 0; 0 is no option */

struct sack_block {
	int start, end;		/* relative to the ISN of the one who sent the data */
};

struct seg {
	int flags;
	int seq, ack;
	int win;		/* the 16 bits; 0: the conversation's usual window */
	int urg;		/* urgent pointer */
	int ecn;		/* codepoint in the IP header (RFC 3168 5) */
	int len;		/* bytes of text */
	const char *data;	/* NULL: the pattern that belongs to seq */

	int mss, ws, sackok;	/* options; 0: absent */
	int ts;			/* 0: as negotiated, 1: present, NO: absent */
	uint32_t tsval, tsecr;
	int nsack;
	struct sack_block sack[4];
	int nego;		/* XTCP option: 0: absent, 1: present, NO: must be absent */
	int unit;		/* its unit of timestamps, US or MS; in expect() 0: any */
	uint32_t delay;		/* and its maximum ACK delay in us */
	const void *opt;	/* raw options in place of those above */
	int optlen;

	/* inject() only: ways to be wrong */
	int doff;		/* data offset in words, 0: the right one */
	int cut;		/* bytes missing at the end of the IP packet */
	int extra;		/* surplus bytes at its end, not in the IP length */
	int bad_csum;
	int dport;		/* other than the conversation's */

	/* expect() only */
	int psh;		/* 0: does not matter, 1: set, NO: clear */
	int after;		/* ms since the previous segment of the script */
	int within;		/* deadline in ms, 0: one second */
	const char *where;	/* file:line of the call */

	/* received only */
	uint64_t time;		/* ns, CLOCK_MONOTONIC */
	char text[2048];
};

/* The addresses and ISNs that make a segment's relative numbers absolute. */
struct flow {
	int family, proto;
	struct in6_addr src, dst;	/* IPv4: the first four bytes */
	uint16_t sport, dport;
	uint32_t iss;			/* of the sender */
	uint32_t irs;			/* of the receiver: base of ack and SACK */
};

size_t seg_build(uint8_t *pkt, size_t size, const struct flow *f, const struct seg *s);

/*
 * Parse a packet into s with absolute numbers in *seq and *ack; ports and
 * protocol go to *f.  Returns NULL, or what is wrong with it.
 */
const char *seg_parse(const uint8_t *pkt, size_t len, struct flow *f, struct seg *s,
		      uint32_t *seq, uint32_t *ack);

/* Text for the ladder: "S. 0:0(0) ack 1 win 65535 <mss 1460>" */
const char *seg_print(const struct seg *s);
const char *flags_print(int flags);

/* The byte of the test stream at a relative sequence number. */
char seg_pattern(int seq);

uint16_t ip_checksum(const void *data, size_t len, uint32_t sum);

#endif
