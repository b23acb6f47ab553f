// SPDX-License-Identifier: GPL-2.0
/*
 * The matrix: every event in every state, IPv4 and IPv6, held by a descriptor
 * and orphaned.  For each cell a connection is parked in the state, the segment
 * is injected, and four things are compared with the table: the answer segment
 * (flags, seq, ack), the bytes that reach the user, the next state, the error
 * on the socket.
 *
 *	STACK=tcp ./matrix		kernel TCP, the reference
 *	STACK=inet ./matrix RST		only the cells with RST in their name
 *
 * The tables are matrix_table.c (from the RFCs) and known_cells.c (where kernel
 * TCP differs, and why).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <kselftest.h>
#include "matrix.h"

/* The running cell; script_run() takes a function without arguments. */
static struct {
	enum state state;
	enum event event;
	enum held held;
	const struct outcome *want;
	struct seg seg;
} cell;

static int used[256];		/* how many cells each known entry has explained */

const char *const event_name[NR_EVENTS] = {
	[EV_SYN_IN_WINDOW] = "SYN in window", [EV_SYN_EXACT] = "SYN at RCV.NXT",
	[EV_SYN_AGAIN] = "SYN again", [EV_SYNACK] = "SYN+ACK",
	[EV_SYNACK_AGAIN] = "SYN+ACK again", [EV_ACK] = "ACK",
	[EV_ACK_UNSENT] = "ACK of unsent data", [EV_ACK_TOO_OLD] = "ACK too old",
	[EV_DATA] = "data", [EV_DATA_AHEAD] = "data out of order",
	[EV_DATA_OLD] = "data left of window", [EV_DATA_BEYOND] = "data beyond window",
	[EV_FIN] = "FIN", [EV_FIN_ACK] = "FIN+ACK of our FIN",
	[EV_RST_EXACT] = "RST exact", [EV_RST_IN_WINDOW] = "RST in window",
	[EV_RST_BEYOND] = "RST beyond window", [EV_RST_LEFT] = "RST left of window",
	[EV_RST_ACK] = "RST+ACK", [EV_RST_ACK_BAD] = "RST+ACK of unsent data",
	[EV_URG] = "URG", [EV_NO_ACK] = "no ACK flag", [EV_XMAS] = "all flags",
	[EV_NULL] = "no flags",
};

static bool unsynchronized(enum state s)
{
	return s <= SYN_RECEIVED_ACTIVE;
}

/* The segment of the event, from the variables that enter() has left. */
static struct seg event_seg(enum event ev, enum state s)
{
	int una = unsynchronized(s) ? 1 : vars.snd_una, nxt = vars.snd_nxt;
	int rcv = vars.rcv_nxt, beyond = (c->edge > rcv ? c->edge : rcv + 65535) + 10;

	switch (ev) {
	case EV_SYN_IN_WINDOW:
		return (struct seg){ .flags = SYN, .seq = rcv + 10, .mss = 1460 };
	case EV_SYN_EXACT:
		return (struct seg){ .flags = SYN, .seq = rcv, .mss = 1460 };
	case EV_SYN_AGAIN:
		return (struct seg){ .flags = SYN, .seq = 0, .mss = 1460 };
	case EV_SYNACK:
		return (struct seg){ .flags = SYN | ACK, .seq = rcv, .ack = nxt, .mss = 1460 };
	case EV_SYNACK_AGAIN:
		return (struct seg){ .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460 };
	case EV_ACK:
		return (struct seg){ .flags = ACK, .seq = rcv, .ack = nxt };
	case EV_ACK_UNSENT:
		return (struct seg){ .flags = ACK, .seq = rcv, .ack = nxt + 100 };
	case EV_ACK_TOO_OLD:
		return (struct seg){ .flags = ACK, .seq = rcv, .ack = una - 70000 };
	case EV_DATA:
		return (struct seg){ .flags = ACK, .seq = rcv, .ack = una, .len = 10 };
	case EV_DATA_AHEAD:
		return (struct seg){ .flags = ACK, .seq = rcv + 100, .ack = una, .len = 10 };
	case EV_DATA_OLD:
		return (struct seg){ .flags = ACK, .seq = rcv - 20, .ack = una, .len = 10 };
	case EV_DATA_BEYOND:
		return (struct seg){ .flags = ACK, .seq = beyond, .ack = una, .len = 10 };
	case EV_FIN:
		return (struct seg){ .flags = FIN | ACK, .seq = vars.peer_fin, .ack = una };
	case EV_FIN_ACK:
		return (struct seg){ .flags = FIN | ACK, .seq = vars.peer_fin, .ack = nxt };
	case EV_RST_EXACT:
		return (struct seg){ .flags = RST, .seq = rcv };
	case EV_RST_IN_WINDOW:
		return (struct seg){ .flags = RST, .seq = rcv + 10 };
	case EV_RST_BEYOND:
		return (struct seg){ .flags = RST, .seq = beyond };
	case EV_RST_LEFT:
		return (struct seg){ .flags = RST, .seq = rcv - 1 };
	case EV_RST_ACK:
		return (struct seg){ .flags = RST | ACK, .seq = rcv, .ack = nxt };
	case EV_RST_ACK_BAD:
		return (struct seg){ .flags = RST | ACK, .seq = rcv, .ack = nxt + 100 };
	case EV_URG:
		return (struct seg){ .flags = ACK | URG, .seq = rcv, .ack = una, .len = 10,
				     .urg = 5 };
	case EV_NO_ACK:
		return (struct seg){ .flags = PSH, .seq = rcv, .len = 10 };
	case EV_XMAS:
		return (struct seg){ .flags = FIN | SYN | RST | PSH | ACK | URG, .seq = rcv,
				     .ack = nxt, .urg = 1 };
	default:
		return (struct seg){ .seq = rcv };
	}
}

/* ---- what came of it ---- */

static struct seg answer_seg(const struct outcome *want, const struct seg *in)
{
	int len = in->len + !!(in->flags & SYN) + !!(in->flags & FIN);

	switch (want->answer) {
	case AN_ACK:
		return (struct seg){ .flags = ACK, .seq = vars.snd_nxt,
				     .ack = vars.rcv_nxt + want->advance };
	case AN_SYNACK:
		return (struct seg){ .flags = SYN | ACK, .seq = 0, .ack = in->seq + 1 };
	case AN_RST:
		return (struct seg){ .flags = RST, .seq = in->ack };
	case AN_ABORT:
		return (struct seg){ .flags = RST, .seq = ANY };
	default:
		/* an absolute 0 */
		return (struct seg){ .flags = RST | ACK, .seq = 0 - c->irs, .ack = in->seq + len };
	}
}

/* An acknowledgment of text may be delayed by 500 ms (RFC 9293 3.8.6.3). */
static void check_answer(const struct outcome *want)
{
	struct seg s = answer_seg(want, &cell.seg), *got;

	s.where = "answer";
	if (want->maybe) {
		peer_fence();
		if (!peer_queued())
			return;
	}
	if (want->answer == AN_ABORT) {
		got = peer_next(500);
		if (!got || (got->flags & ~ACK) != RST ||
		    (got->seq != cell.seg.ack && got->seq != vars.snd_nxt))
			fail("expected RST, got %s", got ? seg_print(got) : "nothing");
	} else if (want->answer != NONE) {
		s.within = 500 + timer_slack(500);
		peer_expect(&s);
	}
	peer_expect_nothing("answer");
}

static void check_state(const struct outcome *want)
{
	enum state got = stack_state(c->fd, c->port, c->peer_port), next = want->next;

	if (next == STAY)
		next = cell.state;
	if (next == SYN_RECEIVED_ACTIVE)
		next = SYN_RECEIVED;
	if (c->lfd >= 0 && stack_listener(c->port) != LISTEN)
		fail("the listener has left LISTEN");
	if (next == LISTEN)	/* of the pair nothing is left */
		next = CLOSED;
	if (got != next)
		fail("next state %s, expected %s", state_name[got], state_name[next]);
}

static void check_user(const struct outcome *want)
{
	char buf[256];
	int n = 0, got, i, err;

	if (c->fd < 0 && c->lfd >= 0)
		c->fd = stack_own(accept4(c->lfd, NULL, NULL, SOCK_NONBLOCK));
	if (c->fd < 0) {
		if (want->data || want->err)
			fail("no descriptor: %s", strerror(errno));
		return;
	}
	err = stack_error();
	if (err != want->err)
		fail("SO_ERROR: %s, expected %s", strerror(err), strerror(want->err));
	while ((got = recv(c->fd, buf + n, sizeof(buf) - n, MSG_DONTWAIT)) > 0)
		n += got;
	if (n != want->data)
		fail("%d bytes delivered, expected %d", n, want->data);
	for (i = 0; i < n; i++)
		if (buf[i] != seg_pattern(cell.seg.seq + i))
			fail("wrong byte %d delivered", i);
}

static void run_cell(void)
{
	int on = 1;

	enter(cell.state, cell.held);
	if (c->fd >= 0)
		setsockopt(c->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	if (c->lfd >= 0)
		setsockopt(c->lfd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	cell.seg = event_seg(cell.event, cell.state);
	peer_inject(&cell.seg);
	check_answer(cell.want);
	check_state(cell.want);
	check_user(cell.want);
}

/* ---- which outcome to expect ---- */

static const struct outcome *rfc_outcome(enum state s, enum event ev, enum held held)
{
	if (held == ORPHAN && expected_orphan[s][ev].rfc)
		return &expected_orphan[s][ev];
	return &expected[s][ev];
}

static bool in_force(const struct known_cell *k)
{
	return known_for(k->who, k->since, k->until);
}

static const struct known_cell *find_known(enum state s, enum event ev, enum held held)
{
	int i;

	for (i = 0; i < nr_known_cells; i++)
		if (known_cells[i].states & BIT(s) && known_cells[i].events & BIT(ev) &&
		    known_cells[i].held & BIT(held) && in_force(&known_cells[i])) {
			used[i]++;
			return &known_cells[i];
		}
	return NULL;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b, enum state s)
{
	enum state na = a->next == STAY ? s : a->next, nb = b->next == STAY ? s : b->next;

	return a->answer == b->answer && na == nb && a->advance == b->advance &&
	       a->data == b->data && a->err == b->err && a->maybe == b->maybe;
}

/* An entry that explains nothing is a mistake as well. */
static const char *run_known(const struct known_cell *k, const struct outcome *rfc)
{
	static char why[300];

	if (same_outcome(&k->outcome, rfc, cell.state)) {
		snprintf(why, sizeof(why), "\"%s\" is no difference from the RFC", k->name);
		return why;
	}
	cell.want = &k->outcome;
	return script_run(run_cell);
}

static void cell_name(char *name, size_t size)
{
	snprintf(name, size, "%s: %s%s/v%d", state_name[cell.state], event_name[cell.event],
		 cell.held == ORPHAN ? "/orphan" : "", family == AF_INET ? 4 : 6);
}

static void one_cell(const char *name)
{
	const struct outcome *rfc = rfc_outcome(cell.state, cell.event, cell.held);
	const struct known_cell *k = find_known(cell.state, cell.event, cell.held);
	const char *why;

	cell.want = rfc;
	why = k ? run_known(k, rfc) : script_run(run_cell);
	ksft_test_result(!why, "%s (%s%s%s)\n", name, rfc->rfc, k ? "; known: " : "",
			 k ? k->name : "");
	if (why)
		ksft_print_msg("%s\n", why);
	if (why || getenv("V"))
		print_ladder();
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

/* All cells; only counts them when fn is NULL. */
static int each_cell(int argc, char **argv, void (*fn)(const char *name))
{
	char name[100];
	int n = 0;

	for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0)
		for (cell.held = 0; cell.held < NR_HELD; cell.held++)
			for (cell.state = 0; cell.state < NR_STATES; cell.state++)
				for (cell.event = 0; cell.event < NR_EVENTS; cell.event++) {
					if (!state_exists(cell.state, cell.held))
						continue;
					cell_name(name, sizeof(name));
					if (!wanted(name, argc, argv))
						continue;
					n++;
					if (fn)
						fn(name);
				}
	return n;
}

/* Every entry of the list has a cell, and every cell of the table a section. */
static void check_tables(bool complete)
{
	bool ok = true;
	int i, s, e;

	for (i = 0; complete && i < nr_known_cells; i++)
		if (in_force(&known_cells[i]) && !used[i]) {
			ksft_print_msg("known difference \"%s\" explains no cell\n",
				       known_cells[i].name);
			ok = false;
		}
	for (s = 0; s < NR_STATES; s++)
		for (e = 0; e < NR_EVENTS; e++)
			if (!expected[s][e].rfc) {
				ksft_print_msg("no expectation: %s, %s\n", state_name[s],
					       event_name[e]);
				ok = false;
			}
	ksft_test_result(ok, "tables are complete\n");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	stack_init();
	peer_init();
	stack_setup();
	ksft_set_plan(each_cell(argc, argv, NULL) + 2);
	each_cell(argc, argv, one_cell);
	check_tables(argc < 2);
	ksft_test_result(stack_was_used(), "all of it went through the stack under test\n");
	ksft_finished();
}
