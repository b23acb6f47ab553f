// SPDX-License-Identifier: GPL-2.0
/*
 * CUBIC (RFC 9438), with HyStart++ (RFC 9406) for the first slow start.  Owns cwnd
 * outside of recovery, ssthresh at a reduction, and its own state in cc_priv.  Never
 * knows which segment was lost.  Called through struct xtcp_cc_ops.
 *
 * Windows are in bytes, time on the curve in ticks of 2^-14 s: fine enough for a round
 * trip of 20 us, since the curve itself takes seconds; no product leaves 64 bits.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "hystart.h"

#define TICK_SHIFT	14
#define MAX_TICKS	(1u << (TICK_SHIFT + 10))	/* 1024 s off the plateau: no use */
#define EST_SHIFT	12				/* fraction of w_est */

/* RFC 9438 4: C = 0.4, beta_cubic = 0.7, alpha_cubic = 3 * (1 - beta) / (1 + beta) = 9 / 17 */
#define C_NUM		2
#define C_DEN		5
#define BETA_NUM	7
#define BETA_DEN	10
#define ALPHA_NUM	9
#define ALPHA_DEN	17

/* What a wrong reduction must give back (RFC 9438 4.9). */
struct epoch {
	u64 start;		/* t_epoch in ns, 0: congestion avoidance has not begun */
	u64 w_est;		/* bytes << EST_SHIFT */
	u32 w_max;
	u32 k;			/* ticks */
	u32 cwnd_prior;
};

struct cubic {
	struct epoch e, prev;
	u64 quiet_at;		/* time of the ACK that emptied the pipe, 0: it is not empty */
	u32 part;		/* growth of cwnd below one byte, in 1 / cwnd */
	u8 flat:1,		/* the next epoch has K = 0: after a timeout (4.8) */
	   prev_flat:1;
	struct xtcp_hystart hs;
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct xtcp_tcb *)0)->cc_priv),
	       "cc_priv is too small for CUBIC");

static struct cubic *priv(struct xtcp_tcb *tcb)
{
	return (struct cubic *)tcb->cc_priv;
}

/* 10^9 = 2^9 * 1953125 */
static u64 to_ticks(u64 ns)
{
	return div_u64(min_t(u64, ns, 1ULL << 58) << (TICK_SHIFT - 9), 1953125);
}

/* The integer cube root, a bit at a time from the left. */
static u32 cube_root(u64 a)
{
	u32 root = 0;
	int bit;

	for (bit = 20; bit >= 0; bit--) {
		u64 r = root | 1u << bit;

		if (r * r * r <= a)
			root = r;
	}
	return root;
}

/* RFC 9438 4.2, equation 2: K = cubic_root ((W_max - cwnd_epoch) / C), in segments.
 * The root is taken in units of 2^-12 s, its cube in 2^-36.
 */
static u32 k_of(u32 w_max, u32 cwnd, u32 mss)
{
	u64 segs = div_u64((u64)(w_max - cwnd) * C_DEN << 30, C_NUM * mss);

	return cube_root(segs << 6) << 2;
}

/* Equation 1: W_cubic (t) = C * (t - K)^3 + W_max, bytes; not below 0. */
static u64 w_cubic(const struct epoch *e, u64 t, u32 mss)
{
	u64 d = min_t(u64, t > e->k ? t - e->k : e->k - t, MAX_TICKS);
	u64 cube = ((d * d) >> TICK_SHIFT) * d >> TICK_SHIFT;	/* 2^-14 s^3 */
	u64 offset = div_u64(cube * mss * C_NUM, C_DEN) >> TICK_SHIFT;

	if (t >= e->k)
		return e->w_max + offset;
	return e->w_max > offset ? e->w_max - offset : 0;
}

/* Congestion avoidance begins: 4.2, 4.3; 4.8 and 4.10 where W_max says nothing. */
static void begin_epoch(struct xtcp_tcb *tcb, struct cubic *c, u64 now)
{
	struct epoch *e = &c->e;

	e->start = now;
	e->w_est = (u64)tcb->cwnd << EST_SHIFT;
	c->part = 0;
	if (!e->cwnd_prior)
		e->cwnd_prior = tcb->cwnd;
	if (c->flat || tcb->cwnd >= e->w_max) {
		e->w_max = tcb->cwnd;
		e->k = 0;
		c->flat = 0;
		return;
	}
	e->k = k_of(e->w_max, tcb->cwnd, xtcp_smss(tcb));
}

/* 4.3, equation 4: what Reno would have, by bytes acknowledged (RFC 3465). */
static void grow_est(struct xtcp_tcb *tcb, struct cubic *c, u32 acked)
{
	u64 more = (u64)acked * xtcp_smss(tcb) << EST_SHIFT;

	if (c->e.w_est >> EST_SHIFT >= c->e.cwnd_prior)
		more = div64_u64(more, tcb->cwnd);
	else
		more = div64_u64(more * ALPHA_NUM, (u64)tcb->cwnd * ALPHA_DEN);
	c->e.w_est = min(c->e.w_est + more, (u64)XTCP_CWND_MAX << EST_SHIFT);
}

/* 4.4, 4.5: (target - cwnd) / cwnd for each segment acknowledged */
static void grow_to(struct xtcp_tcb *tcb, struct cubic *c, u64 target, u32 acked)
{
	u64 sum, more;

	target = min(target, tcb->cwnd + (u64)tcb->cwnd / 2);
	if (target <= tcb->cwnd)
		return;
	sum = (target - tcb->cwnd) * acked + c->part;
	more = min(div64_u64(sum, tcb->cwnd), target - tcb->cwnd);
	c->part = min_t(u64, sum - more * tcb->cwnd, tcb->cwnd - 1);
	tcb->cwnd += more;
}

static void avoidance(struct xtcp_tcb *tcb, struct cubic *c, u32 acked, u64 now)
{
	u32 mss = xtcp_smss(tcb), est;
	u64 t;

	if (!c->e.start)
		begin_epoch(tcb, c, now);
	t = now - c->e.start;
	grow_est(tcb, c, acked);
	est = c->e.w_est >> EST_SHIFT;
	if (w_cubic(&c->e, to_ticks(t), mss) < est)
		tcb->cwnd = max(tcb->cwnd, est);
	else
		grow_to(tcb, c, w_cubic(&c->e, to_ticks(t + tcb->srtt), mss), acked);
}

/* 5.8: time in which cwnd was not used is no time on the curve. */
static void skip(struct cubic *c, u64 ns, u64 now)
{
	if (c->e.start)
		c->e.start = min(c->e.start + ns, now);
}

/*
 * The pipe was empty until what this ACK is for was sent.  While cwnd is not the limit
 * the clock stands: quiet_at moves from ACK to ACK.
 */
static void note_use(struct xtcp_tcb *tcb, struct cubic *c, const struct xtcp_cc_ack *a,
		     u64 now)
{
	u64 sent = now - min(a->limited ? (a->rtt ? a->rtt : tcb->srtt) : 0, now);

	if (c->quiet_at && sent > c->quiet_at)
		skip(c, sent - c->quiet_at, now);
	c->quiet_at = tcb->snd_una == tcb->snd_nxt || !a->limited ? now : 0;
}

static void cubic_on_ack(struct xtcp_tcb *tcb, const struct xtcp_cc_ack *a, u64 now)
{
	struct cubic *c = priv(tcb);

	note_use(tcb, c, a, now);
	if (xtcp_hystart_due(tcb))
		xtcp_hystart_on_ack(&c->hs, tcb, a);
	else if (!a->limited || tcb->cwnd >= XTCP_CWND_MAX)
		return;
	else if (tcb->cwnd < tcb->ssthresh)
		xtcp_cc_slow_start(tcb, a->acked);
	else
		avoidance(tcb, c, a->acked, now);
	tcb->cwnd = min_t(u32, tcb->cwnd, XTCP_CWND_MAX);
}

/*
 * The window to reduce.  4.6 allows cwnd in place of FlightSize where cwnd does not grow
 * unless it is used, and so it is here.  When the end of a message is lost, FlightSize is
 * that end alone, all before it being acknowledged by then, and would say nothing about
 * what the path has carried.  In recovery cwnd is on its way to ssthresh (RFC 9937).
 */
static u32 window_to_reduce(const struct xtcp_tcb *tcb)
{
	return tcb->recovery == XTCP_RECOVERY ? tcb->ssthresh : tcb->cwnd;
}

/* 4.6, 4.7 */
static void cubic_on_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now)
{
	struct cubic *c = priv(tcb);
	u32 cwnd = window_to_reduce(tcb);

	c->prev = c->e;
	c->prev_flat = c->flat;
	tcb->ssthresh = max_t(u32, div_u64((u64)cwnd * BETA_NUM, BETA_DEN),
			      2 * xtcp_smss(tcb));
	c->e.cwnd_prior = cwnd;
	/* fast convergence: cwnd * (1 + beta) / 2 */
	if (cwnd < c->e.w_max)
		c->e.w_max = div_u64((u64)cwnd * (BETA_DEN + BETA_NUM), 2 * BETA_DEN);
	else
		c->e.w_max = cwnd;
	c->flat = why == XTCP_CC_RTO;
	c->e.start = 0;
}

static void cubic_on_undo(struct xtcp_tcb *tcb, u64 now)
{
	struct cubic *c = priv(tcb);

	c->e = c->prev;
	c->flat = c->prev_flat;
	c->part = 0;
}

static void cubic_on_idle(struct xtcp_tcb *tcb, u64 idle, u64 now)
{
	struct cubic *c = priv(tcb);

	xtcp_cc_restart_window(tcb);
	if (xtcp_hystart_due(tcb))
		xtcp_hystart_init(&c->hs, tcb);
	else if (tcb->cwnd < tcb->ssthresh)
		c->e.start = 0;		/* slow start, then a new epoch */
}

static void cubic_init(struct xtcp_tcb *tcb, u64 now)
{
	xtcp_hystart_init(&priv(tcb)->hs, tcb);
}

const struct xtcp_cc_ops xtcp_cc_cubic = {
	.name		= "cubic",
	.init		= cubic_init,
	.on_ack		= cubic_on_ack,
	.on_congestion	= cubic_on_congestion,
	.on_undo	= cubic_on_undo,
	.on_idle	= cubic_on_idle,
};
