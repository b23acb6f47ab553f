// SPDX-License-Identifier: GPL-2.0
/*
 * The bodies of the tracepoints, and the names that they print.
 */
#include "xtcp.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static const char * const timer_name[XTCP_NR_TIMERS] = {
	[XTCP_T_REXMT]		= "REXMT",
	[XTCP_T_PERSIST]	= "PERSIST",
	[XTCP_T_DELACK]		= "DELACK",
	[XTCP_T_KEEPALIVE]	= "KEEPALIVE",
	[XTCP_T_LINGER]		= "LINGER",
	[XTCP_T_REO]		= "REO",
	[XTCP_T_TLP]		= "TLP",
	[XTCP_T_PACE]		= "PACE",
};

const char *xtcp_trace_state(u8 state)
{
	if (state >= XTCP_NR_STATES || !xtcp_state_info[state].name)
		return "-";
	return xtcp_state_info[state].name;
}

const char *xtcp_trace_event(u8 event)
{
	return event < XTCP_NR_EVENTS ? xtcp_event_name[event] : "-";
}

const char *xtcp_trace_timer(u8 timer)
{
	return timer < XTCP_NR_TIMERS ? timer_name[timer] : "-";
}
