// SPDX-License-Identifier: GPL-2.0
/*
 * The network: packets pass the links of a route one after the other.  A link is a
 * drop-tail queue in bytes before a wire of one rate and one delay, so when a packet
 * leaves is known when it comes: one event for each packet and link.
 */
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

#define PS_PER_NS	1000ULL

static struct packet *pool;

struct packet *packet_new(void)
{
	struct packet *p = pool;

	if (p) {
		pool = p->next;
	} else {
		p = malloc(sizeof(*p));
		if (!p)
			abort();
	}
	p->segs = 1;
	p->hop = 0;
	p->ecn = 0;
	p->again = false;
	return p;
}

void packet_free(struct packet *p)
{
	p->next = pool;
	pool = p;
}

static u64 bits_ps(const struct link *l, u64 bytes)
{
	/* at most 2^17 bytes: 8 * 10^12 times that still fits */
	return bytes * 8 * 1000000000000ULL / l->rate;
}

u64 link_backlog(const struct link *l)
{
	u64 now = sim_now * PS_PER_NS;

	if (!l->rate || l->free_at <= now)
		return 0;
	return (u64)((double)(l->free_at - now) * l->rate / 8e12);
}

static bool one_in_a_million(u32 ppm)
{
	return ppm && sim_below(1000000) < ppm;
}

/* Is there no room, or does chance or the script take it? */
static bool dropped(struct link *l, const struct packet *p)
{
	u64 backlog = link_backlog(l);

	if (l->drop && l->drop(l, p)) {
		l->dropped_random++;
		return true;
	}
	if (one_in_a_million(l->loss_ppm)) {
		l->dropped_random++;
		return true;
	}
	if (l->queue && backlog + p->wire > l->queue) {
		l->dropped_queue++;
		return true;
	}
	if (backlog + p->wire > l->max_backlog)
		l->max_backlog = backlog + p->wire;
	return false;
}

static void trace(const char *what, const struct packet *p)
{
	const struct xtcp_segment *s = &p->seg;
	const struct xtcp_tcb *t = &p->to->tcb;
	u8 i;

	printf("# %14.3f us %-4s to %d%s%s%s seq %u:%u ack %u wnd %u", sim_now / 1e3, what,
	       p->to == &p->to->conn->e[1], s->flags & XTCP_SYN ? " SYN" : "",
	       s->flags & XTCP_FIN ? " FIN" : "", p->again ? " again" : "",
	       s->seq - p->to->peer->tcb.iss, s->end_seq - p->to->peer->tcb.iss,
	       s->ack - t->iss, s->wnd);
	for (i = 0; i < s->opt.nr_sack; i++)
		printf(" sack %u:%u", s->opt.sack[i].seq - t->iss,
		       s->opt.sack[i].end_seq - t->iss);
	if (s->opt.present & XTCP_HAS_TS)
		printf(" ts %u %u", s->opt.tsval - p->to->peer->tcb.ts_offset,
		       s->opt.tsecr - t->ts_offset);
	printf("\n");
}

static void arrive(void *obj, u64 arg)
{
	struct packet *p = obj;

	if (p->hop < p->to->in.nr) {
		link_send(p);
		return;
	}
	if (traced(p->to->conn))
		trace("in", p);
	end_segment(p);
	packet_free(p);
}

static u64 arrival(struct link *l, const struct packet *p)
{
	u64 at = sim_now;

	if (l->rate) {
		l->free_at = max(l->free_at, sim_now * PS_PER_NS) + bits_ps(l, p->wire);
		at = l->free_at / PS_PER_NS;
	}
	at += l->delay;
	if (l->jitter)
		at += sim_below64(l->jitter + 1);
	if (one_in_a_million(l->reorder_ppm))
		return at + l->reorder_by;
	if (l->keep_order)
		at = max(at, l->last_at);
	l->last_at = at;
	return at;
}

void link_send(struct packet *p)
{
	struct link *l = p->to->in.hop[p->hop];

	if (dropped(l, p)) {
		if (traced(p->to->conn))
			trace("LOST", p);
		packet_free(p);
		return;
	}
	if (l->mark && p->ecn && link_backlog(l) >= l->mark) {
		p->ecn = XTCP_ECN_CE;
		l->marked++;
	}
	l->packets++;
	l->bytes += p->wire;
	p->hop++;
	if (one_in_a_million(l->dup_ppm)) {
		struct packet *twin = packet_new();

		*twin = *p;
		sim_at(arrival(l, twin), arrive, twin, 0);
	}
	sim_at(arrival(l, p), arrive, p, 0);
}
