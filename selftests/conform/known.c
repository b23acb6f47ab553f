// SPDX-License-Identifier: GPL-2.0
/*
 * The list of known differences that scripts ask for, see known.h.  Those that
 * a program has met are printed once, with their reason, so that a log says
 * which of its lines are not the RFC's.
 */
#include <string.h>
#include <kselftest.h>
#include "known.h"
#include "script.h"
#include "stack.h"

struct known {
	const char *name, *why;
	unsigned int who;
	int since, until;	/* kernels that do so, until excluded; 0: all */
};

static const struct known list[] = {
	{
		.name = "empty zero-window probe",
		.who = BY_LINUX | BY_XTCP,
		.why = "Linux probes with an empty segment at SND.UNA-1, which any peer must "
		       "answer (RFC 9293 3.10.7.4(1)) and which wastes no byte if the window is "
		       "shut; RFC 9293 3.8.6.1 sends one byte of new data.",
	}, {
		.name = "user timeout counts from the first retransmission",
		.who = BY_LINUX,
		.why = "RFC 9293 3.8.3 counts R2 from the first transmission; Linux looks at the "
		       "clock of the first retransmission, so it is one RTO late.",
	}, {
		.name = "falling RTT raises RTTVAR less",
		.who = BY_LINUX,
		.why = "RFC 6298 2.3 takes |SRTT - R'| whichever way it went; Linux damps it "
		       "when the RTT has fallen, since such a sample is no reason to wait longer.",
	}, {
		.name = "Nagle looks at small segments only",
		.who = BY_LINUX | BY_XTCP,
		.why = "Linux has Minshall's variant: a small segment waits only while another "
		       "small one is outstanding, not behind full ones (RFC 9293 3.7.4).",
	}, {
		.name = "segment without TSopt is taken",
		.who = BY_LINUX | BY_XTCP,
		.why = "RFC 7323 3.2 says SHOULD drop; Linux takes it, since some middleboxes "
		       "strip options in mid-connection.",
	}, {
		.name = "stdurg is for receiving only",
		.who = BY_LINUX,
		.why = "Linux's tcp_stdurg leaves what it sends alone, so two hosts with it on "
		       "don't agree where the urgent byte is; RFC 9293 3.8.5 has one meaning.",
	}, {
		.name = "ICMP unreachable of any kind ends SYN-SENT",
		.who = BY_LINUX | BY_XTCP,
		.why = "RFC 9293 3.9.2.2 calls net and host unreachable soft errors that must "
		       "not abort; connect() fails at once all the same, as users expect of an "
		       "attempt that has no connection to lose (RFC 5461 3.1).",
	}, {
		.name = "SYN with FIN is dropped in LISTEN",
		.who = BY_LINUX,
		.why = "RFC 9293 3.10.7.2 answers the SYN; nobody sends both but scanners and "
		       "T/TCP (RFC 6247, historic), so Linux drops it.",
	}, {
		.name = "text beyond the window is taken",
		.who = BY_LINUX,
		.why = "A segment that begins in the window is queued whole if memory allows; "
		       "RFC 9293 3.4 trims it. Newer kernels drop it.",
		.until = KV(6, 17),
	},
};

#define NR_KNOWN	ARRAY_SIZE(list)

bool known_for(unsigned int who, int since, int until)
{
	int v = kernel_version();

	if (stack != STACK_TCP)
		return who & BY_XTCP;
	return who & BY_LINUX && (!since || v >= since) && (!until || v < until);
}

bool known(const char *name)
{
	static bool told[NR_KNOWN];
	unsigned int i;

	for (i = 0; i < NR_KNOWN && strcmp(list[i].name, name); i++)
		;
	if (i == NR_KNOWN)
		fail("no known difference \"%s\"", name);
	if (!known_for(list[i].who, list[i].since, list[i].until))
		return false;
	if (!told[i])
		ksft_print_msg("known difference: %s. %s\n", name, list[i].why);
	told[i] = true;
	return true;
}
