// SPDX-License-Identifier: GPL-2.0
/* The list of scenarios: one line each. */
#include "sim.h"
#include "scenarios.h"

const struct scenario *const scenarios[] = {
	&s_single,
	&s_share,
	&s_loss,
	&s_order,
	&s_rr,
	&s_tail,
	&s_incast,
	&s_ecn,
	&s_torture,
	NULL
};
