/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sender for the unit tests of the sending half: an established tcb, and the
 * two things that the glue does with it, flush and segment in.  What was sent is
 * kept in a log that the tests compare with the RFC.
 */
#ifndef _UNIT_SENDER_H
#define _UNIT_SENDER_H

#include "unit.h"

#define MSS	1000
#define MS	XTCP_NSEC_PER_MSEC
#define LOG	256

struct sender {
	struct xtcp_tcb tcb;
	u64 now;
	struct xtcp_tx log[LOG];	/* of the last flush */
	unsigned int sent;
};

/* Established, ISS = @iss, one SYN acknowledged, window 1 MB, one SMSS a segment */
static inline void sender_init(struct sender *s, u32 iss)
{
	struct xtcp_tcb *tcb = &s->tcb;

	memset(s, 0, sizeof(*s));
	s->now = 1000 * MS;
	xtcp_tcb_init(tcb);
	xtcp_tcb_set_iss(tcb, iss);
	xtcp_tcb_set_irs(tcb, 77);
	tcb->snd_una = iss + 1;
	tcb->snd_nxt = iss + 1;
	tcb->high_sacked = iss + 1;
	tcb->state = TCP_ESTABLISHED;
	tcb->snd_mss = MSS;
	tcb->gso_max = 0;
	tcb->snd_wnd = 1000000;
	tcb->max_snd_wnd = 1000000;
	tcb->snd_wl1 = 78;
	tcb->snd_wl2 = iss + 1;
	xtcp_tcb_established(tcb, s->now);
}

/* The user writes @len bytes, as the glue books it */
static inline void sender_write(struct sender *s, u32 len)
{
	s->tcb.write_seq += len;
	s->tcb.push_seq = s->tcb.write_seq;
}

/* Everything that may leave now leaves, as xtcp_flush() does it.
 * Return: segments sent; they are in the log.
 */
static inline unsigned int sender_flush(struct sender *s)
{
	struct xtcp_tx what;

	s->sent = 0;
	while (xtcp_tx_want(&s->tcb, s->now, &what)) {
		if (xtcp_tx_prepare(&s->tcb, &what, s->now))
			break;
		s->log[s->sent++ % LOG] = what;
		if (s->sent > 100000)
			break;
	}
	return s->sent;
}

/* Bytes relative to the first one of the stream */
static inline u32 sender_rel(const struct sender *s, u32 seq)
{
	return seq - s->tcb.iss - 1;
}

static inline u32 sender_len(const struct sender *s, unsigned int i)
{
	return s->log[i].end_seq - s->log[i].seq;
}

/* A bare ACK of @rel bytes with an unchanged window arrives, with @nr SACK blocks
 * of pairs (from, to) relative to the stream.
 */
static inline struct xtcp_ack_result sender_ack_wnd(struct sender *s, u32 rel, u32 wnd,
						    unsigned int nr, const u32 *blocks)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .end_seq = 78 };
	struct xtcp_ack_result res;
	unsigned int i;

	seg.ack = s->tcb.iss + 1 + rel;
	seg.wnd = wnd;
	seg.opt.nr_sack = nr;
	for (i = 0; i < nr; i++) {
		seg.opt.sack[i].seq = s->tcb.iss + 1 + blocks[2 * i];
		seg.opt.sack[i].end_seq = s->tcb.iss + 1 + blocks[2 * i + 1];
	}
	xtcp_ack(&s->tcb, &seg, s->now, &res);
	return res;
}

static inline struct xtcp_ack_result sender_ack(struct sender *s, u32 rel)
{
	return sender_ack_wnd(s, rel, s->tcb.snd_wnd, 0, NULL);
}

static inline struct xtcp_ack_result sender_sack(struct sender *s, u32 rel, u32 from, u32 to)
{
	u32 b[2] = { from, to };

	return sender_ack_wnd(s, rel, s->tcb.snd_wnd, 1, b);
}

/* Let virtual time pass until @t fires, and take it off, as the glue does.
 * Return: ns waited.
 */
static inline u64 sender_wait(struct sender *s, enum xtcp_timer t)
{
	u64 from = s->now;

	s->now = max(s->now, s->tcb.deadline[t]);
	s->tcb.deadline[t] = 0;
	return s->now - from;
}

#endif
