// SPDX-License-Identifier: GPL-2.0
/*
 * How often is a segment that is not acceptable answered?  One rule for sockets,
 * requests and TIME-WAIT entries; each keeps the time of its last such answer.
 * Sends nothing.
 */
#include "xtcp.h"

/**
 * xtcp_may_answer() - may what is not acceptable be answered again?
 * @net: namespace
 * @last: ms of the connection's last such answer, 0 = none; set if the answer is yes
 * @now: ns
 *
 * Two ends that disagree could answer each other for ever, so a connection does
 * it once in net.xtcp.invalid_ratelimit at the most.
 * Context: any.  A TIME-WAIT entry has no lock: at worst one answer more leaves.
 */
bool xtcp_may_answer(struct net *net, u32 *last, u64 now)
{
	u32 gap = READ_ONCE(xtcp_pernet(net)->sysctl.invalid_ratelimit);
	u32 ms = (u32)div_u64(now, NSEC_PER_MSEC) ?: 1, at = READ_ONCE(*last);

	if (at && ms - at < gap)
		return false;
	WRITE_ONCE(*last, ms);
	return true;
}

/* RFC 5961 7: a limit per second and namespace, so that an attacker can neither
 * make us a source of traffic nor count our answers of one connection.
 */
static bool challenge_allowed(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	u32 limit = READ_ONCE(xn->sysctl.challenge_ack_limit);
	u64 second = div_u64(xtcp_now(), NSEC_PER_SEC);
	bool ok;

	if (limit == INT_MAX)
		return true;
	spin_lock_bh(&xn->challenge_lock);
	if (xn->challenge_second != second) {
		u32 half = (limit + 1) >> 1;

		xn->challenge_second = second;
		xn->challenge_left = half + (half ? get_random_u32() % half : 0);
	}
	ok = xn->challenge_left > 0;
	if (ok)
		xn->challenge_left--;
	spin_unlock_bh(&xn->challenge_lock);
	return ok;
}

/**
 * xtcp_may_challenge() - may a challenge ACK leave? Counts it
 * @net: namespace
 * @last: as in xtcp_may_answer()
 * @now: ns
 *
 * RFC 5961 7: limited for the connection and for the namespace.
 */
bool xtcp_may_challenge(struct net *net, u32 *last, u64 now)
{
	if (!xtcp_may_answer(net, last, now))
		return false;
	if (!challenge_allowed(net)) {
		xtcp_mib_inc(net, XTCP_CHALLENGE_LIMITED);
		return false;
	}
	xtcp_mib_inc(net, XTCP_CHALLENGE_ACKS);
	return true;
}
