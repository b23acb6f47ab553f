// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the scenarios: one KTAP result a row, with its figures; the rows of a scenario
 * read as a table.
 *
 *	sim [-l] [-t] [-c NR] [-s SEED] [-p DIR] [NAME]
 *
 * -l: all rows, not only the quick ones; -t: show every segment; -c: those of one connection; -p: plots into DIR;
 * NAME: only rows whose name contains it.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"

bool sim_all;
long sim_trace = -2;
u64 sim_seed = 1;

void note(struct result *r, const char *fmt, ...)
{
	size_t n = strlen(r->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text + n, sizeof(r->text) - n, fmt, ap);
	va_end(ap);
}

void expect(struct result *r, const char *what, double x, double lo, double hi)
{
	size_t n = strlen(r->why);

	if (x >= lo && x <= hi)
		return;
	r->ok = false;
	snprintf(r->why + n, sizeof(r->why) - n, "%s%s %g is not in %g to %g", n ? "; " : "",
		 what, x, lo, hi);
}

static double cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A row's seed is its own, so that it repeats when it runs alone */
static u64 seed_of(const char *scenario, const char *row)
{
	u64 h = sim_seed * 0x9e3779b97f4a7c15ULL;

	for (; *scenario; scenario++)
		h = (h ^ *scenario) * 0x100000001b3ULL;
	for (; *row; row++)
		h = (h ^ *row) * 0x100000001b3ULL;
	return h;
}

static bool run_row(const struct scenario *s, unsigned int i, const char *row, unsigned int nr)
{
	struct result r = { .ok = true };
	double start = cpu_now();

	sim_reset(seed_of(s->name, row));
	s->run(i, &r);
	if (sim_fault[0]) {
		r.ok = false;
		snprintf(r.why, sizeof(r.why), "%s", sim_fault);
	}
	plot_write(s->name, row);
	rrs_free();
	conns_free();
	if (!r.ok)
		printf("# %s, %s: %s\n", s->name, row, r.why);
	printf("%s %u sim_%s: %-34s %s (%.1f s)\n", r.ok ? "ok" : "not ok", nr, s->name, row,
	       r.text, cpu_now() - start);
	fflush(stdout);
	return r.ok;
}

static const char *wanted(const struct scenario *s, unsigned int i, const char *name)
{
	const char *row = s->row(i, sim_all || name);
	char full[200];

	if (!row)
		return NULL;
	snprintf(full, sizeof(full), "%s: %s", s->name, row);
	return !name || strstr(full, name) ? row : NULL;
}

static int run_all(const char *name)
{
	const struct scenario *const *at;
	unsigned int i, total = 0, nr = 0, bad = 0;
	const char *row;

	for (at = scenarios; *at; at++)
		for (i = 0; i < (*at)->nr; i++)
			total += wanted(*at, i, name) != NULL;
	printf("TAP version 13\n1..%u\n", total);
	for (at = scenarios; *at; at++) {
		const struct scenario *s = *at;
		bool said = false;

		for (i = 0; i < s->nr; i++) {
			row = wanted(s, i, name);
			if (!row)
				continue;
			if (!said)
				printf("# sim: %s: %s\n", s->name, s->about);
			said = true;
			bad += !run_row(s, i, row, ++nr);
		}
	}
	printf("# sim: %u passed, %u failed; %llu million events in %.1f s\n", total - bad, bad,
	       (unsigned long long)(sim_events / 1000000), cpu_now());
	return bad || !total;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "ltc:s:p:")) != -1) {
		switch (c) {
		case 'l':
			sim_all = true;
			break;
		case 't':
			sim_trace = -1;
			break;
		case 'c':
			sim_trace = strtol(optarg, NULL, 0);
			break;
		case 's':
			sim_seed = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			plot_dir = optarg;
			break;
		default:
			fprintf(stderr, "usage: sim [-l] [-t] [-c NR] [-s SEED] [-p DIR] [NAME]\n");
			return 2;
		}
	}
	return run_all(argv[optind]);
}
