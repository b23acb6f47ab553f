// SPDX-License-Identifier: GPL-2.0
/*
 * The list of known differences that scripts ask for, see known.h.
 */
#include <string.h>
#include <kselftest.h>
#include "known.h"
#include "script.h"
#include "stack.h"

static const struct known list[] = {
	{
		.name = "empty zero-window probe",
		.why = "Linux probes with an empty segment at SND.UNA-1, which any peer must "
		       "answer (RFC 9293 3.10.7.4(1)) and which wastes no byte if the window is "
		       "shut; RFC 9293 3.8.6.1 sends one byte of new data.",
	}, {
		.name = "user timeout counts from the first retransmission",
		.why = "RFC 9293 3.8.3 counts R2 from the first transmission; Linux looks at the "
		       "clock of the first retransmission, so it is one RTO late.",
	}, {
		.name = "falling RTT raises RTTVAR less",
		.why = "RFC 6298 2.3 takes |SRTT - R'| whichever way it went; Linux damps it "
		       "when the RTT has fallen, since such a sample is no reason to wait longer.",
	},
};

bool linux_does(const char *name)
{
	const struct known *k;
	int v = kernel_version();

	for (k = list; k < list + ARRAY_SIZE(list); k++) {
		if (strcmp(k->name, name))
			continue;
		if (stack != STACK_TCP)
			return k->as_linux;
		return (!k->since || v >= k->since) && (!k->until || v < k->until);
	}
	fail("no known difference \"%s\"", name);
}
