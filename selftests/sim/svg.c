// SPDX-License-Identifier: GPL-2.0
/*
 * Pictures: the congestion windows, the queue of one link, and the sequence numbers
 * of some connections over time, one above the other, as SVG.  Samples while a scenario
 * runs; does nothing without a directory.
 */
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

#define MAX_CONNS	8
#define MAX_SAMPLES	20000
#define WIDTH		900
#define HEIGHT		220
#define LEFT		80
#define GAP		50

enum panel { CWND, QUEUE, SEQ, PANELS };

static const char * const title[PANELS] = { "cwnd, KB", "queue, KB", "acknowledged, MB" };
static const char * const colour[MAX_CONNS] = {
	"#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2", "#17becf",
};

const char *plot_dir;

static struct conn *conns[MAX_CONNS];
static struct link *link_seen;
static unsigned int nr_conns, samples;
static u64 every, start;
static float *value[PANELS][MAX_CONNS];

static void sample(void *obj, u64 arg)
{
	unsigned int i;

	if (!nr_conns || samples == MAX_SAMPLES)
		return;
	for (i = 0; i < nr_conns; i++) {
		const struct xtcp_tcb *t = &conns[i]->e[0].tcb;

		value[CWND][i][samples] = t->cwnd / 1e3;
		value[SEQ][i][samples] = t->bytes_acked / 1e6;
	}
	value[QUEUE][0][samples] = link_backlog(link_seen) / 1e3;
	samples++;
	sim_at(sim_now + every, sample, NULL, 0);
}

void plot_start(struct conn **c, unsigned int nr, struct link *l, u64 ns)
{
	unsigned int i, p;

	if (!plot_dir)
		return;
	nr_conns = min_t(unsigned int, nr, MAX_CONNS);
	for (i = 0; i < nr_conns; i++) {
		conns[i] = c[i];
		for (p = 0; p < PANELS; p++)
			value[p][i] = calloc(MAX_SAMPLES, sizeof(float));
	}
	link_seen = l;
	every = max_t(u64, ns, 1);
	samples = 0;
	start = sim_now;
	sim_at(sim_now, sample, NULL, 0);
}

static float highest(enum panel p, unsigned int lines)
{
	float most = 1e-6;
	unsigned int i, k;

	for (i = 0; i < lines; i++)
		for (k = 0; k < samples; k++)
			most = max(most, value[p][i][k]);
	return most;
}

static void line(FILE *f, const float *v, float most, int top, const char *stroke)
{
	unsigned int k;

	fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1\" points=\"", stroke);
	for (k = 0; k < samples; k++)
		fprintf(f, "%.1f,%.1f ", LEFT + (double)k * WIDTH / samples,
			top + HEIGHT - (double)v[k] * HEIGHT / most);
	fprintf(f, "\"/>\n");
}

static void panel(FILE *f, enum panel p)
{
	unsigned int i, lines = p == QUEUE ? 1 : nr_conns;
	int top = GAP + p * (HEIGHT + GAP);
	float most = highest(p, lines);

	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\"/>\n",
		LEFT, top, WIDTH, HEIGHT);
	fprintf(f, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT, top - 6, title[p]);
	fprintf(f, "<text x=\"4\" y=\"%d\">%.4g</text><text x=\"4\" y=\"%d\">0</text>\n",
		top + 12, most, top + HEIGHT);
	for (i = 0; i < lines; i++)
		line(f, value[p][i], most, top, colour[i]);
}

static FILE *open_picture(const char *scenario, const char *row)
{
	char path[512], *c;

	snprintf(path, sizeof(path), "%s/%s-%s.svg", plot_dir, scenario, row);
	for (c = path + strlen(plot_dir) + 1; *c; c++)
		if (*c == ' ' || *c == ',' || *c == '/' || *c == '%')
			*c = '_';
	return fopen(path, "w");
}

static void forget(void)
{
	unsigned int i, p;

	for (i = 0; i < nr_conns; i++)
		for (p = 0; p < PANELS; p++)
			free(value[p][i]);
	nr_conns = 0;
	samples = 0;
}

void plot_write(const char *scenario, const char *row)
{
	FILE *f;
	int p;

	if (!plot_dir || !samples) {
		forget();
		return;
	}
	f = open_picture(scenario, row);
	if (f) {
		fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
			LEFT + WIDTH + 20, PANELS * (HEIGHT + GAP) + GAP);
		fprintf(f, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
		fprintf(f, "<text x=\"%d\" y=\"16\" font-weight=\"bold\">%s: %s (%.6g ms)</text>\n",
			LEFT, scenario, row, samples * every / 1e6);
		for (p = 0; p < PANELS; p++)
			panel(f, p);
		fprintf(f, "</svg>\n");
		fclose(f);
	}
	forget();
}
