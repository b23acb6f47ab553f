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
		.as_linux = true,
	}, {
		.name = "user timeout counts from the first retransmission",
		.why = "RFC 9293 3.8.3 counts R2 from the first transmission; Linux looks at the "
		       "clock of the first retransmission, so it is one RTO late.",
	}, {
		.name = "falling RTT raises RTTVAR less",
		.why = "RFC 6298 2.3 takes |SRTT - R'| whichever way it went; Linux damps it "
		       "when the RTT has fallen, since such a sample is no reason to wait longer.",
	}, {
		.name = "Nagle looks at small segments only",
		.why = "Linux has Minshall's variant: a small segment waits only while another "
		       "small one is outstanding, not behind full ones (RFC 9293 3.7.4).",
		.as_linux = true,
	}, {
		.name = "segment without TSopt is taken",
		.why = "RFC 7323 3.2 says SHOULD drop; Linux takes it, since some middleboxes "
		       "strip options in mid-connection.",
		.as_linux = true,
	}, {
		.name = "stdurg is for receiving only",
		.why = "Linux's tcp_stdurg leaves what it sends alone, so two hosts with it on "
		       "don't agree where the urgent byte is; RFC 9293 3.8.5 has one meaning.",
	}, {
		.name = "ICMP unreachable of any kind ends SYN-SENT",
		.why = "RFC 9293 3.9.2.2 calls net and host unreachable soft errors that must "
		       "not abort; Linux lets connect() fail at once, as users expect of an "
		       "attempt that has no connection to lose.",
	}, {
		.name = "SYN with FIN is dropped in LISTEN",
		.why = "RFC 9293 3.10.7.2 answers the SYN; nobody sends both but scanners and "
		       "T/TCP (RFC 6247, historic), so Linux drops it.",
	}, {
		.name = "text beyond the window is taken",
		.why = "A segment that begins in the window is queued whole if memory allows; "
		       "RFC 9293 3.4 trims it. Newer kernels drop it.",
		.until = KV(6, 17),
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
