// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as TCP options: nothing is read or written out of bounds, and what was
 * understood can be written and is understood again.
 */
#include <stdlib.h>
#include "tcb.h"
#include "rig.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* @o must not name more than a parser may; @back is what writing it gave */
static bool survives(const struct xtcp_options *o, const struct xtcp_options *back)
{
	unsigned int i;

	if ((o->present & ~XTCP_BAD_NEGO) != back->present || back->nr_sack > o->nr_sack)
		return false;
	if ((o->present & XTCP_HAS_MSS) && o->mss != back->mss)
		return false;
	if ((o->present & XTCP_HAS_WSCALE) && o->wscale != back->wscale)
		return false;
	if ((o->present & XTCP_HAS_TS) && (o->tsval != back->tsval || o->tsecr != back->tsecr))
		return false;
	if ((o->present & XTCP_HAS_NEGO) &&
	    (o->ts_unit != back->ts_unit || o->ack_delay != back->ack_delay))
		return false;
	for (i = 0; i < back->nr_sack; i++) {
		if (o->sack[i].seq != back->sack[i].seq ||
		    o->sack[i].end_seq != back->sack[i].end_seq)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct xtcp_options o, back, fast;
	unsigned int len;
	u8 *wire;

	if (size < 1 || size > 1 + XTCP_MAX_OPT)
		return 0;
	xtcp_options_parse(data + 1, size - 1, data[0] & 1, &o);
	if (o.nr_sack > XTCP_MAX_SACK)
		abort();
	if (xtcp_options_ts_fast(data + 1, size - 1, &fast) &&
	    (o.present != XTCP_HAS_TS || o.nr_sack || !survives(&fast, &o)))
		abort();
	len = xtcp_options_len(&o);
	if (len > XTCP_MAX_OPT || len % 4)
		abort();
	wire = malloc(len + 1);
	if (xtcp_options_write(wire, &o) != len || xtcp_options_parse(wire, len, true, &back) ||
	    !survives(&o, &back))
		abort();
	free(wire);
	return 0;
}
