/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is on the wire: flags and options of the TCP segment (RFC 9293 3.1),
 * a segment as the protocol sees it, and every protocol constant.
 */
#ifndef _XTCP_WIRE_H
#define _XTCP_WIRE_H

#include <linux/types.h>

/* Control bits, byte 13 of the header (RFC 9293 3.1) */
#define XTCP_FIN	0x01
#define XTCP_SYN	0x02
#define XTCP_RST	0x04
#define XTCP_PSH	0x08
#define XTCP_ACK	0x10
#define XTCP_URG	0x20
#define XTCP_ECE	0x40
#define XTCP_CWR	0x80

/* ECN field of the IP header (RFC 3168 5) */
#define XTCP_ECN_NOT_ECT	0
#define XTCP_ECN_ECT_1		1
#define XTCP_ECN_ECT_0		2
#define XTCP_ECN_CE		3

#define XTCP_HDR_LEN	20
#define XTCP_MAX_OPT	40

/* Option kinds and lengths */
#define XTCP_OPT_EOL		0
#define XTCP_OPT_NOP		1
#define XTCP_OPT_MSS		2	/* RFC 9293 3.7.1 */
#define XTCP_OPT_WSCALE		3	/* RFC 7323 2.2 */
#define XTCP_OPT_SACK_PERM	4	/* RFC 2018 2 */
#define XTCP_OPT_SACK		5	/* RFC 2018 3 */
#define XTCP_OPT_TS		8	/* RFC 7323 3.2 */
#define XTCP_OPT_EXP		253	/* experiments, told apart by an ExID: RFC 6994 */

#define XTCP_OLEN_MSS		4
#define XTCP_OLEN_WSCALE	3
#define XTCP_OLEN_SACK_PERM	2
#define XTCP_OLEN_TS		10
#define XTCP_OLEN_TS_PADDED	12
#define XTCP_MAX_SACK		4

/*
 * The XTCP option, in SYN and SYN,ACK only:
 *
 *	253 | 8 | ExID (16) | version (4) unit (4) | maximum ACK delay (24)
 *
 * The unit is that of the sender's timestamps, the delay the longest that the
 * sender of the option will hold back an ACK, in us.
 */
#define XTCP_EXID		0x5854	/* "XT" */
#define XTCP_OLEN_NEGO		8
#define XTCP_NEGO_VERSION	1
#define XTCP_UNIT_MS		0
#define XTCP_UNIT_US		1
#define XTCP_ACK_DELAY_MAX	1000000u /* us; who promises more is not believed */

/* Bits of xtcp_options.present */
#define XTCP_HAS_MSS		0x01
#define XTCP_HAS_WSCALE		0x02
#define XTCP_HAS_SACK_PERM	0x04
#define XTCP_HAS_TS		0x08
#define XTCP_HAS_NEGO		0x10	/* a valid XTCP option */
#define XTCP_BAD_NEGO		0x20	/* one that says nothing we understand; never written */

/* Constants of the protocol */
#define XTCP_NSEC_PER_USEC	1000ULL
#define XTCP_NSEC_PER_MSEC	1000000ULL
#define XTCP_NSEC_PER_SEC	1000000000ULL
#define XTCP_MSS_DEFAULT	536u	/* RFC 9293 3.7.1, IPv4 */
#define XTCP_MSS_DEFAULT_V6	1220u	/* RFC 9293 3.7.1, IPv6 */
#define XTCP_MSS_MIN		88u	/* smaller announcements are raised to it */
#define XTCP_MAX_WSCALE		14	/* RFC 7323 2.3 */
#define XTCP_MAX_WND		65535u
#define XTCP_INIT_WND_SEGS	10	/* RFC 6928 2 */
#define XTCP_DUPTHRESH		3	/* RFC 5681 3.2 */
#define XTCP_RTO_INIT		(1 * XTCP_NSEC_PER_SEC)		/* RFC 6298 2.1 */
#define XTCP_RTO_INIT_FALLBACK	(3 * XTCP_NSEC_PER_SEC)		/* RFC 6298 5.7 */
#define XTCP_PAWS_IDLE		(24 * 24 * 3600 * XTCP_NSEC_PER_SEC) /* RFC 7323 5.5 */
#define XTCP_PAWS_IDLE_US	(30 * 60 * XTCP_NSEC_PER_SEC)	/* 2^31 us are 35.8 minutes */

struct xtcp_sack_block {
	u32 seq;
	u32 end_seq;
};

/* Options of one segment.  Fields without their bit in @present, and SACK
 * blocks from @nr_sack on, are undefined.
 */
struct xtcp_options {
	u8 present;
	u8 nr_sack;
	u8 wscale;		/* as sent; the user of it clamps to 14 */
	u8 ts_unit;		/* XTCP_UNIT_*, of the XTCP option */
	u16 mss;		/* bytes */
	u32 ack_delay;		/* us, of the XTCP option */
	u32 tsval;
	u32 tsecr;
	struct xtcp_sack_block sack[XTCP_MAX_SACK];
};

/* One segment, in host byte order. */
struct xtcp_segment {
	u32 seq;		/* SEG.SEQ */
	u32 end_seq;		/* SEG.SEQ + SEG.LEN (SYN and FIN count one each) */
	u32 ack;		/* SEG.ACK, valid with XTCP_ACK */
	u32 len;		/* bytes of payload */
	u32 wnd;		/* SEG.WND as sent, not scaled */
	u16 up;			/* urgent pointer, valid with XTCP_URG */
	u8 flags;
	u8 ecn;			/* XTCP_ECN_*: codepoint in the IP header */
	struct xtcp_options opt;
};

#endif
