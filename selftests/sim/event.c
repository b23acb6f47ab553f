// SPDX-License-Identifier: GPL-2.0
/*
 * Time: a binary heap of events, and the random numbers (splitmix64).  Knows nothing
 * of networks.  Everything else in the simulator runs from here.
 */
#include <stdlib.h>
#include "sim.h"

struct event {
	u64 at;
	u64 nr;			/* order of asking, for equal times */
	event_fn fn;
	void *obj;
	u64 arg;
};

u64 sim_now;
u64 sim_events;

static struct event *heap;
static size_t used, room;
static u64 asked, rng;
static bool stop;

void sim_reset(u64 seed)
{
	used = 0;
	asked = 0;
	rng = seed;
	sim_now = SEC;
	sim_fault[0] = 0;
}

static bool before_event(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->nr < b->nr;
}

void sim_at(u64 at, event_fn fn, void *obj, u64 arg)
{
	struct event ev = { at < sim_now ? sim_now : at, asked++, fn, obj, arg };
	size_t i, up;

	if (used == room) {
		room = room ? 2 * room : 1024;
		heap = realloc(heap, room * sizeof(*heap));
		if (!heap)
			abort();
	}
	for (i = used++; i; i = up) {
		up = (i - 1) / 2;
		if (before_event(&heap[up], &ev))
			break;
		heap[i] = heap[up];
	}
	heap[i] = ev;
}

static struct event take_first(void)
{
	struct event first = heap[0], last = heap[--used];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < used) {
		if (child + 1 < used && before_event(&heap[child + 1], &heap[child]))
			child++;
		if (before_event(&last, &heap[child]))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}

bool sim_run(u64 until)
{
	stop = false;
	while (used && heap[0].at <= until) {
		struct event ev = take_first();

		sim_now = ev.at;
		sim_events++;
		ev.fn(ev.obj, ev.arg);
		if (stop)
			return true;
	}
	if (!used)
		return false;
	sim_now = until;
	return true;
}

void sim_stop(void)
{
	stop = true;
}

u64 sim_rand64(void)
{
	u64 z = rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u32 sim_below(u32 n)
{
	return (u32)((sim_rand64() >> 32) * n >> 32);
}

u64 sim_below64(u64 n)
{
	return n ? sim_rand64() % n : 0;
}
