/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator's world: an event queue in virtual time, links, ends around struct
 * xtcp_tcb, connections, and what scenarios ask of them.  One thread, one world at a
 * time, everything repeats exactly for one seed.
 *
 * event.c owns time and random numbers, link.c the network, end.c what the module's
 * glue does around the core, app.c the users, svg.c the pictures, s_*.c scenarios.
 */
#ifndef _SIM_H
#define _SIM_H

#include <linux/kernel.h>
#include <linux/string.h>
#include "tcb.h"
#include "cc.h"

#define US		1000ULL
#define MS		1000000ULL
#define SEC		1000000000ULL
#define MBIT		1000000ULL
#define GBIT		1000000000ULL
#define IP_HDR		40		/* IPv4 and TCP, without options */

/* ---- event.c ---- */

typedef void (*event_fn)(void *obj, u64 arg);

extern u64 sim_now;			/* ns, starts at 1 s */
extern u64 sim_events;			/* since the program started */

/** sim_reset() - a new, empty world; the same @seed gives the same run */
void sim_reset(u64 seed);

/** sim_at() - @fn(@obj, @arg) at time @at; of equal times the first asked runs first */
void sim_at(u64 at, event_fn fn, void *obj, u64 arg);

/** sim_run() - let time pass until @until or until nothing is left to happen
 * Return: false when the queue ran empty before.
 */
bool sim_run(u64 until);

/** sim_stop() - end sim_run() after this event */
void sim_stop(void);

u64 sim_rand64(void);
u32 sim_below(u32 n);			/* 0 .. n - 1 */
u64 sim_below64(u64 n);

/* ---- link.c ---- */

struct end;
struct link;

struct packet {
	struct packet *next;		/* in the pool */
	struct xtcp_segment seg;
	struct end *to;
	u32 wire;			/* bytes with headers */
	u16 segs;			/* segments in it; more than one: a train */
	u8 hop;				/* links passed */
	u8 ecn;				/* XTCP_ECN_* */
	bool again;			/* a retransmission */
};

struct link {
	/* what it is */
	u64 rate;			/* bit/s; 0: no limit */
	u64 delay;			/* ns, one way */
	u64 queue;			/* bytes that wait; 0: no limit */
	u64 mark;			/* CE from this many bytes waiting on; 0: never */
	u32 loss_ppm;
	u32 dup_ppm;			/* so many in a million come twice */
	u32 reorder_ppm;		/* of so many in a million */
	u64 reorder_by;			/* ... each comes later by this */
	u64 jitter;			/* each comes later by 0 to this */
	bool keep_order;		/* ... but none overtakes */
	bool (*drop)(struct link *l, const struct packet *p);	/* scripted loss */
	u32 drop_arg;
	/* state */
	u64 free_at;			/* ps: when the last byte has left */
	u64 last_at;			/* latest arrival */
	/* account */
	u64 packets;
	u64 bytes;
	u64 dropped_queue;
	u64 dropped_random;
	u64 marked;
	u64 max_backlog;
};

#define HOPS	3

struct route {
	struct link *hop[HOPS];
	u8 nr;
};

struct packet *packet_new(void);
void packet_free(struct packet *p);

/** link_send() - @p starts on its way to p->to over p->to's route in */
void link_send(struct packet *p);

/** link_backlog() - bytes that wait or are being sent */
u64 link_backlog(const struct link *l);

/* ---- end.c ---- */

struct conn;

/* What one end is told by its user and by its host */
struct end_opts {
	const char *cc;			/* NULL: the default */
	u16 mss;			/* as announced: 1460 */
	u32 rcv_buf;
	u32 gso_max;			/* longest super-packet of the core; 0: none */
	bool train;			/* a super-packet stays one packet on the wire */
	bool no_sack;
	bool no_ts;
	bool ecn;
	bool nodelay;
	bool keep_idle_cwnd;
	u64 rto_min;			/* 0: the core's default */
	u64 delack_max;			/* 0: the core's default */
	bool nego;			/* offer the XTCP option ... */
	u64 ack_delay;			/* ... with this promise */
	u64 rto_floor;
	u64 pace;			/* SO_MAX_PACING_RATE, bytes/s; 0: none */
	bool manual_read;		/* the user calls end_read() */
	u64 slack;			/* a timer fires late by 0 to this */
};

struct app {
	void (*opened)(struct end *e);
	void (*received)(struct end *e, u32 bytes);	/* in order, now read */
	void (*acked)(struct end *e);
};

struct end {
	struct xtcp_tcb tcb;
	struct end_opts opts;
	struct conn *conn;
	struct end *peer;
	struct route in;		/* how segments come here */
	const struct app *app;
	u32 wnd_sent;			/* in the SYN */
	u32 read_seq;
	u64 timer_at;
	u32 timer_gen;
	/* account */
	u64 rtos;
	u64 dup_bytes;			/* text that came again: needless copies of the peer */
	u64 segs_in;
	u64 recoveries;
	u8 last_recovery;
	bool ecn_agreed;		/* the peer's SYN offered it and we answer */
};

struct conn {
	struct end e[2];		/* 0 opens */
	unsigned int nr;		/* in the order of making */
	u64 opened_at;
	void *user;			/* of the application */
	u64 mark_bytes;			/* conn_mark() */
};

/** conn_new() - a connection that is not open yet; routes are from and to end 1
 * Freed with the world.
 */
struct conn *conn_new(const struct end_opts *opts, const struct route *there,
		      const struct route *back);

/** conn_open() - end 0 sends its SYN at @at */
void conn_open(struct conn *c, u64 at);

void conns_free(void);

/** end_write() - the user queues @len bytes and what can leave leaves */
void end_write(struct end *e, u32 len);

/** end_top_up() - keep the send queue full; called from acked() by a bulk sender
 * Books only: the flush comes after the segment.
 */
void end_top_up(struct end *e);

/** end_read() - the user takes @len bytes that have come in order (manual_read) */
void end_read(struct end *e, u32 len);

/** end_unread() - bytes that wait for the user */
u32 end_unread(const struct end *e);

void end_close(struct end *e);
void end_segment(struct packet *p);

/* What was wrong with a tcb, if anything: the first complaint since sim_reset() */
extern char sim_fault[400];

/* ---- app.c ---- */

extern const struct app app_bulk;	/* end 0 sends for ever */
extern const struct app app_sink;

/* @conn's end 0 asks with @req bytes, end 1 answers with @resp, @rounds times */
struct rr {
	struct conn *conn;
	u32 req;
	u32 resp;
	u32 rounds;			/* still to go */
	u64 think;			/* between answer and next request: 0 to this, twice */
	u64 asked_at;
	u32 got;
	u32 done;
	u64 *times;			/* ns, of each round done */
	void (*finished)(struct rr *rr);	/* one round has ended; NULL: ask again */
	void *user;
};

struct rr *rr_new(struct conn *c, u32 req, u32 resp, u32 rounds, u64 think);
void rr_ask(struct rr *rr);
void rrs_free(void);

/* ---- measuring ---- */

/** conn_mark() - goodput is counted from here on */
void conn_mark(struct conn *c);

/** conn_goodput() - bit/s of text from end 0 to 1 since the mark, which was @ns ago */
double conn_goodput(const struct conn *c, u64 ns);

/** jain() - Jain's fairness index of @n shares: 1 is equal, 1/n is one takes all */
double jain(const double *x, unsigned int n);

/** quantile() - sorts @x */
u64 quantile(u64 *x, unsigned int n, double q);

/* ---- scenarios ---- */

struct result {
	bool ok;
	char text[400];			/* figures */
	char why[420];			/* what is not as expected */
};

/** expect() - one expectation of a row: a figure within [@lo, @hi] */
void expect(struct result *r, const char *what, double x, double lo, double hi);
void note(struct result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct scenario {
	const char *name;
	const char *about;
	unsigned int nr;
	/* Return: the row's name, or NULL if it belongs to the long run only and @all is not set */
	const char *(*row)(unsigned int i, bool all);
	void (*run)(unsigned int i, struct result *r);
};

extern const struct scenario *const scenarios[];	/* up to NULL */

extern bool sim_all;			/* the long run */
extern long sim_trace;			/* number of a connection; -1: all; -2: none */
static inline bool traced(const struct conn *c)
{
	return sim_trace == -1 || sim_trace == (long)c->nr;
}

extern u64 sim_seed;

/* ---- svg.c ---- */

extern const char *plot_dir;		/* NULL: no pictures */

/** plot_start() - sample @c's sender and @l from now on, @every ns */
void plot_start(struct conn **c, unsigned int nr, struct link *l, u64 every);

/** plot_write() - the picture of what was sampled, into plot_dir; forgets it */
void plot_write(const char *scenario, const char *row);

#endif
