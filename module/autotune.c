// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that grow with the path, up to wmem[2] and rmem[2], unless the user has
 * fixed them (SO_SNDBUF, SO_RCVBUF).  Never shrinks one.  Called where an ACK has
 * opened cwnd and where the reader has taken data.
 */
#include "xtcp.h"

/* The queue should hold two windows: one in flight, one being written. */
void xtcp_sndbuf_expand(struct sock *sk)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 want = 2 * tcb->cwnd + 2 * tcb->gso_max;

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK || sk_under_memory_pressure(sk))
		return;
	want = min_t(u32, want, READ_ONCE(xtcp_sknet(sk)->sysctl.wmem[2]));
	if (want > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, want);
}

/* A round trip as this end knows it: by the text that comes, or at least by the
 * handshake.  Too short a one only means a smaller window, so the longer one counts.
 */
static u64 round_trip(const struct xtcp_tcb *tcb)
{
	return max(tcb->rcv_rtt, tcb->min_rtt) ?: NSEC_PER_MSEC;
}

/* Dynamic right-sizing: what the reader takes in one round trip is what the path
 * and the reader can do.  The sender may double its cwnd with each one, and the window
 * must not be what stops it: where the flow grows, what it will be in two round trips
 * counts.  The reader's pace counts, not the peer's, so a slow reader does not make the
 * queue longer.
 */
void xtcp_rcvbuf_autotune(struct sock *sk, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 rtt = round_trip(&xs->tcb), taken = xs->copied_seq - xs->tuned_seq;
	u64 want, grown;

	if (now - xs->tuned_at < rtt)
		return;
	if (!xs->tuned_at) {			/* the first look at this connection */
		xs->tuned_at = now;
		xs->tuned_seq = xs->copied_seq;
		xs->tuned_taken = 0;
		return;
	}
	taken = div64_u64(taken * rtt, now - xs->tuned_at);
	grown = taken > xs->tuned_taken ? taken - xs->tuned_taken : 0;
	xs->tuned_at = now;
	xs->tuned_seq = xs->copied_seq;
	xs->tuned_taken = taken;
	want = 2 * taken + 4 * grown + 16 * xs->tcb.rcv_mss;
	if (want <= xs->tcb.rcv_buf || sk->sk_userlocks & SOCK_RCVBUF_LOCK ||
	    sk_under_memory_pressure(sk))
		return;
	/* the buffer holds the skbs' overhead too: about as much again */
	want = min_t(u64, 2 * want, READ_ONCE(xtcp_sknet(sk)->sysctl.rmem[2]));
	if (want > sk->sk_rcvbuf)
		WRITE_ONCE(sk->sk_rcvbuf, want);
}
