/* SPDX-License-Identifier: GPL-2.0 */
/* Every scenario there is; table.c puts them in order. */
#ifndef _SIM_SCENARIOS_H
#define _SIM_SCENARIOS_H

extern const struct scenario s_single;
extern const struct scenario s_share;
extern const struct scenario s_loss;
extern const struct scenario s_order;
extern const struct scenario s_rr;
extern const struct scenario s_tail;
extern const struct scenario s_incast;
extern const struct scenario s_ecn;
extern const struct scenario s_torture;

#endif
