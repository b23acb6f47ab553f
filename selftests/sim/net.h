/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shapes of networks that several scenarios use, and the arithmetic of a link: what a
 * perfect sender would reach on it.
 */
#ifndef _SIM_NET_H
#define _SIM_NET_H

#include "sim.h"

#define MSS_WIRE	1460
#define FRAME		1500

/* Two hosts, one link each way */
struct pair {
	struct link there;
	struct link back;
	struct route to;
	struct route from;
};

static inline u64 bdp(u64 rate, u64 rtt)
{
	return (u64)((double)rate * rtt / 8e9);
}

static inline void pair_init(struct pair *p, u64 rate, u64 rtt, u64 queue)
{
	memset(p, 0, sizeof(*p));
	p->there.rate = rate;
	p->there.delay = rtt / 2;
	p->there.queue = queue;
	p->back.rate = rate;
	p->back.delay = rtt - rtt / 2;
	p->to = (struct route){ .hop = { &p->there }, .nr = 1 };
	p->from = (struct route){ .hop = { &p->back }, .nr = 1 };
}

/* The share of a full frame that is text, with timestamps */
static inline double payload_share(u32 mss)
{
	return (double)(mss - XTCP_OLEN_TS_PADDED) / (mss + IP_HDR);
}

static inline struct end_opts usual(void)
{
	return (struct end_opts){ .cc = "reno", .mss = MSS_WIRE, .rcv_buf = 4 << 20,
				  .gso_max = 64000, .nodelay = true };
}

/* Both ends are XTCP, with the default promises */
static inline void negotiate(struct end_opts *o)
{
	o->nego = true;
	o->ack_delay = MS;
	o->rto_floor = MS;
}

#endif
