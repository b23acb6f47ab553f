// SPDX-License-Identifier: GPL-2.0
/*
 * What a user can ask without moving data: readiness for poll, select and
 * epoll, and the ioctls that count bytes.
 */
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "xtcp.h"

static __poll_t readable_events(struct sock *sk)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	__poll_t mask = 0;

	if (xtcp_rcvbuf_target_reached(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (xs->urg_data & XTCP_URG_VALID)
		mask |= EPOLLPRI;
	return mask;
}

/* The bit must be set before the second look, or a wake-up between the two is lost. */
static __poll_t writable_events(struct sock *sk)
{
	if (sk->sk_shutdown & SEND_SHUTDOWN || sk_stream_is_writeable(sk))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* paired with wake() in output.c */
	smp_mb__after_atomic();
	return sk_stream_is_writeable(sk) ? EPOLLOUT | EPOLLWRNORM : 0;
}

static __poll_t listener_events(struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->accept->queued) ? EPOLLIN | EPOLLRDNORM : 0;
}

__poll_t xtcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	u8 state = inet_sk_state_load(sk), shutdown;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	if (state == TCP_LISTEN)
		return listener_events(sk);
	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV)
		mask |= readable_events(sk) | writable_events(sk);
	/* paired with the write of sk_err before sk_error_report() */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

/* ---- ioctl ---- */

static int bytes_in(struct sock *sk)
{
	int n;

	lock_sock(sk);
	n = xtcp_rcvbuf_readable(sk);
	release_sock(sk);
	return n;
}

static int bytes_out(const struct sock *sk, bool unsent_only)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 from = READ_ONCE(tcb->snd_una);

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV ||
	    sk->sk_state == TCP_CLOSE)
		return 0;
	if (unsent_only)
		from = READ_ONCE(tcb->snd_nxt);
	return max_t(int, READ_ONCE(tcb->write_seq) - from, 0);
}

int xtcp_ioctl(struct sock *sk, int cmd, int *value)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);

	if (cmd != SIOCINQ && cmd != SIOCATMARK && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOIOCTLCMD;
	if (cmd == SIOCATMARK) {
		*value = xs->urg_data && READ_ONCE(xs->urg_seq) == READ_ONCE(xs->copied_seq);
		return 0;
	}
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	*value = cmd == SIOCINQ ? bytes_in(sk) : bytes_out(sk, cmd == SIOCOUTQNSD);
	return 0;
}

/* SO_RCVLOWAT: the buffer must be able to hold what the reader waits for. */
int xtcp_set_rcvlowat(struct sock *sk, int val)
{
	bool locked = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	int most = locked ? sk->sk_rcvbuf : READ_ONCE(xtcp_sknet(sk)->sysctl.rmem[2]);

	val = min(val, most / 2);
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	if (!locked && val > sk->sk_rcvbuf / 2)
		WRITE_ONCE(sk->sk_rcvbuf, min(2 * val, most));
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN &&
	    xtcp_rcvbuf_target_reached(sk))
		sk->sk_data_ready(sk);
	return 0;
}
