// SPDX-License-Identifier: GPL-2.0
/*
 * The users of connections: bulk senders, request and response, and what is measured
 * of them.  They write, they hear of bytes in order and of acknowledgments, no more.
 */
#include <stdlib.h>
#include <math.h>
#include "sim.h"

/* ---- bulk ---- */

const struct app app_sink = { .opened = NULL };

const struct app app_bulk = { .opened = end_top_up, .acked = end_top_up };

/* ---- request and response ---- */

static struct rr **rrs;
static unsigned int nr_rrs, room_rrs;

static struct rr *of(struct end *e)
{
	return e->conn->user;
}

void rr_ask(struct rr *rr)
{
	rr->asked_at = sim_now;
	rr->got = 0;
	end_write(&rr->conn->e[0], rr->req);
}

static void ask_later(void *obj, u64 arg)
{
	rr_ask(obj);
}

static void client_opened(struct end *e)
{
	struct rr *rr = of(e);

	if (!rr->finished)
		sim_at(sim_now + sim_below64(2 * rr->think + 1), ask_later, rr, 0);
}

static void client_received(struct end *e, u32 bytes)
{
	struct rr *rr = of(e);

	rr->got += bytes;
	if (rr->got < rr->resp)
		return;
	rr->times[rr->done++] = sim_now - rr->asked_at;
	rr->rounds--;
	if (rr->finished)
		rr->finished(rr);
	else if (rr->rounds)
		sim_at(sim_now + sim_below64(2 * rr->think + 1), ask_later, rr, 0);
}

static const struct app app_client = { .opened = client_opened, .received = client_received };

static void answer(void *obj, u64 arg)
{
	end_write(obj, arg);
}

/* The server answers whole requests.  It is called from inside a segment, so it
 * writes with the next event, at the same time.
 */
static void server_received(struct end *e, u32 bytes)
{
	struct rr *rr = of(e);
	u32 from_una = e->tcb.bytes_received / rr->req;
	u32 before = (e->tcb.bytes_received - bytes) / rr->req;

	if (from_una != before)
		sim_at(sim_now, answer, e, (u64)(from_una - before) * rr->resp);
}

static const struct app app_server = { .received = server_received };

struct rr *rr_new(struct conn *c, u32 req, u32 resp, u32 rounds, u64 think)
{
	struct rr *rr = calloc(1, sizeof(*rr));

	if (nr_rrs == room_rrs) {
		room_rrs = room_rrs ? 2 * room_rrs : 64;
		rrs = realloc(rrs, room_rrs * sizeof(*rrs));
	}
	if (!rr || !rrs)
		abort();
	rrs[nr_rrs++] = rr;
	rr->conn = c;
	rr->req = req;
	rr->resp = resp;
	rr->rounds = rounds;
	rr->think = think;
	rr->times = calloc(rounds, sizeof(*rr->times));
	if (!rr->times)
		abort();
	c->user = rr;
	c->e[0].app = &app_client;
	c->e[1].app = &app_server;
	return rr;
}

void rrs_free(void)
{
	while (nr_rrs) {
		free(rrs[--nr_rrs]->times);
		free(rrs[nr_rrs]);
	}
}

/* ---- measuring ---- */

void conn_mark(struct conn *c)
{
	c->mark_bytes = c->e[1].tcb.bytes_received;
}

double conn_goodput(const struct conn *c, u64 ns)
{
	return (c->e[1].tcb.bytes_received - c->mark_bytes) * 8e9 / ns;
}

double jain(const double *x, unsigned int n)
{
	double sum = 0, squares = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u64 quantile(u64 *x, unsigned int n, double q)
{
	if (!n)
		return 0;
	qsort(x, n, sizeof(*x), compare);
	return x[min_t(unsigned int, n - 1, (unsigned int)(q * n))];
}
