// SPDX-License-Identifier: GPL-2.0
/*
 * One hrtimer per socket over tcb->deadline[].  Writing a later deadline costs
 * nothing: the timer fires early once and re-arms itself.  An armed timer holds
 * one reference on its socket (timer_ref): the callback takes it over when it has
 * the lock, whoever cancels the timer drops it.
 * A callback that finds the socket owned by a process leaves the work to
 * release_cb (XTCP_DEFER_TIMER).
 */
#include "xtcp.h"
#include "trace.h"

#define SLACK_NS	(50 * NSEC_PER_USEC)
#define MAX_DEFERS	8	/* a queue that never moves is as good as lost */

static u64 earliest(const struct xtcp_tcb *tcb)
{
	u64 least = U64_MAX;	/* less 1, which makes of 0 (off) the latest of all */
	int i;

#pragma GCC unroll 8
	for (i = 0; i < XTCP_NR_TIMERS; i++)
		least = min(least, tcb->deadline[i] - 1);
	return least + 1;
}

/**
 * xtcp_hrtimer_dequeue() - take an armed timer out of its queue
 * @timer: its callback takes the lock that the caller holds, and starts the timer
 *	again, if at all, under that lock
 *
 * Return: false where the callback runs already and waits for the lock, to find
 * there what the caller leaves; or where it has just run, since the caller is a
 * process that owns the socket without holding the lock, and has left its work to
 * release_cb.  The reference of the armed timer is, or was, then its own.
 */
bool xtcp_hrtimer_dequeue(struct hrtimer *timer)
{
	int was;

	while ((was = hrtimer_try_to_cancel(timer)) < 0) {
		if (!hrtimer_is_queued(timer))
			return false;
		/* the callback before has released the lock, and is all but over */
		cpu_relax();
	}
	return was;
}

static void start_at(struct sock *sk, u64 at)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->timer_at = at;
	if (!READ_ONCE(xs->timer_ref)) {
		WRITE_ONCE(xs->timer_ref, 1);
		sock_hold(sk);
	} else if (!xtcp_hrtimer_dequeue(&xs->timer)) {
		return;
	}
	hrtimer_start_range_ns(&xs->timer, ns_to_ktime(at), SLACK_NS,
			       HRTIMER_MODE_ABS_PINNED_SOFT);
}

void xtcp_timer_arm(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 at = earliest(&xs->tcb);

	if (at && (!xs->timer_at || at < xs->timer_at))
		start_at(sk, at);
}

void xtcp_timer_stop(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	memset(xs->tcb.deadline, 0, sizeof(xs->tcb.deadline));
	clear_bit(XTCP_DEFER_TIMER, &xs->deferred);
	xs->timer_at = 0;
	if (READ_ONCE(xs->timer_ref) && xtcp_hrtimer_dequeue(&xs->timer)) {
		WRITE_ONCE(xs->timer_ref, 0);
		__sock_put(sk);	/* the caller holds another reference */
	}
}

static enum hrtimer_restart fire(struct hrtimer *timer)
{
	struct xtcp_sock *xs = container_of(timer, struct xtcp_sock, timer);
	struct sock *sk = &xs->inet.sk;

	bh_lock_sock(sk);
	WRITE_ONCE(xs->timer_ref, 0);	/* a process that owns sk reads it without the lock */
	if (sock_owned_by_user(sk))
		set_bit(XTCP_DEFER_TIMER, &xs->deferred);
	else
		xtcp_timer_run(sk, xtcp_now());
	bh_unlock_sock(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

void xtcp_timer_init(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xt_hrtimer_setup(&xs->timer, fire, CLOCK_MONOTONIC,
			 HRTIMER_MODE_ABS_PINNED_SOFT);
	xs->timer_at = 0;
	xs->timer_ref = 0;
	xs->deferred = 0;
}

/* ---- what each deadline does ---- */

static void timed_out(struct sock *sk)
{
	xtcp_sk_mib_inc(sk, XTCP_ABORT_ON_TIMEOUT);
	xtcp_fail(sk, READ_ONCE(sk->sk_err_soft) ?: ETIMEDOUT, EV_TIMEOUT);
}

/* Attempts that came before those of any other TCP would are not counted.  Probes that
 * were answered have backed off before the first one that was not, and came late enough.
 */
static unsigned int early_tries(const struct sock *sk, unsigned int tries)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	bool syn = sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV;
	unsigned int early = xtcp_rto_early(tcb, syn ? XTCP_RTO_INIT : tcb->rto_min);
	unsigned int before_them = tcb->backoff > tries ? tcb->backoff - tries : 0;

	return early > before_them ? early - before_them : 0;
}

/* TCP_USER_TIMEOUT, ns; 0 = none */
static u64 user_timeout(const struct sock *sk)
{
	return (u64)xtcp_sk(sk)->user_timeout * NSEC_PER_MSEC;
}

/* RFC 9293 3.8.3: R2, or the user's limit where one is set (RFC 5482 is local
 * here).  An orphan has nobody who waits, so it gets fewer attempts.
 */
static bool gave_up(struct sock *sk, unsigned int tries, u64 now)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	const struct xtcp_sysctl *ctl = &xtcp_sknet(sk)->sysctl;
	u64 since = xs->tcb.stalled_at;
	unsigned int r2 = READ_ONCE(ctl->retries2);

	bool opening = sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV;

	if (sk->sk_state == TCP_SYN_SENT)
		r2 = xs->syn_retries ?: READ_ONCE(ctl->syn_retries);
	else if (sk->sk_state == TCP_SYN_RECV)
		r2 = xs->syn_retries ?: READ_ONCE(ctl->synack_retries);
	else if (sock_flag(sk, SOCK_DEAD))
		r2 = min_t(unsigned int, r2, xtcp_orphan_retries(sk, true));

	/* in the handshake whichever comes first */
	if (xs->user_timeout && since && now - since >= user_timeout(sk))
		return true;
	return (opening || !xs->user_timeout) && tries >= r2 + early_tries(sk, tries);
}

/* RFC 9293 3.8.3: R1 tells IP that the path may be dead. */
static void advise_ip(struct sock *sk)
{
	const struct xtcp_sysctl *ctl = &xtcp_sknet(sk)->sysctl;

	unsigned int tries = xtcp_sk(sk)->tcb.rexmits;

	if (tries < READ_ONCE(ctl->retries1) + early_tries(sk, tries))
		return;
	sk_rethink_txhash(sk);
	dst_negative_advice(sk);
}

/* Is anything of this socket still in a qdisc or NIC?  Then the network did not
 * lose it, and a second copy would only lengthen the queue.
 */
static bool still_in_host(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (sk_wmem_alloc_get(sk) > 0 && xs->rto_defers++ < MAX_DEFERS)
		return true;
	xs->rto_defers = 0;
	return false;
}

/* The last deadline the user allows comes before the next back-off ends. */
static void clamp_to_user_timeout(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	u64 *at = &tcb->deadline[XTCP_T_REXMT];

	if (xs->user_timeout && tcb->stalled_at && *at)
		*at = min(*at, tcb->stalled_at + user_timeout(sk));
}

static void on_rexmt(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (tcb->snd_una == tcb->snd_nxt)
		return;
	if (gave_up(sk, tcb->rexmits, now)) {
		timed_out(sk);
		return;
	}
	if (still_in_host(sk)) {
		xtcp_sk_mib_inc(sk, XTCP_RTO_DEFERRED);
		tcb->deadline[XTCP_T_REXMT] = now + max(tcb->srtt, xtcp_rto(tcb) / 2);
		return;
	}
	xtcp_sk_mib_inc(sk, XTCP_TIMEOUTS);
	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		xtcp_sk_mib_inc(sk, XTCP_SYN_RETRANS);
	else
		advise_ip(sk);
	xtcp_loss_on_rto(tcb, now);
	xtcp_stats_rto(tcb, now);
	clamp_to_user_timeout(sk);
}

/* No look at what is still in the host: only what was sent before something that has
 * arrived is judged, and it has left the queues before that did.
 */
static void on_reo(struct sock *sk, u64 now)
{
	xtcp_loss_on_reo(&xtcp_sk(sk)->tcb, now);
}

/* The end of the flight may simply not have left yet: then the probe waits, and the
 * timeout, which is not put off by that, looks after a queue that never moves.
 */
static void on_tlp(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (sk_wmem_alloc_get(sk) > 0) {
		xtcp_sk_mib_inc(sk, XTCP_TLP_DEFERRED);
		tcb->deadline[XTCP_T_TLP] = now + max_t(u64, tcb->srtt, NSEC_PER_MSEC);
		return;
	}
	xtcp_loss_on_tlp(tcb, now);
	if (tcb->tlp_due)
		xtcp_sk_mib_inc(sk, XTCP_LOSS_PROBES);
}

/* RFC 9293 3.8.6.1: a peer that answers probes with a closed window is alive,
 * however long it keeps it closed; only unanswered probes count.
 */
static void on_persist(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (gave_up(sk, tcb->probes, now)) {
		timed_out(sk);
		return;
	}
	xtcp_sk_mib_inc(sk, XTCP_ZERO_WINDOW_PROBES);
	xtcp_tx_persist(tcb, now);
}

static void on_delack(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	xtcp_sk_mib_inc(sk, XTCP_DELAYED_ACKS);
	tcb->pingpong = 0;	/* no answer came that could have carried it */
	tcb->todo |= XTCP_ACK_NOW;
}

static u64 keepalive_time(const struct sock *sk)
{
	u64 s = xtcp_sk(sk)->keepalive_time ?:
		READ_ONCE(xtcp_sknet(sk)->sysctl.keepalive_time);

	return s * NSEC_PER_SEC;
}

static u64 keepalive_intvl(const struct sock *sk)
{
	u64 s = xtcp_sk(sk)->keepalive_intvl ?:
		READ_ONCE(xtcp_sknet(sk)->sysctl.keepalive_intvl);

	return s * NSEC_PER_SEC;
}

static bool keepalive_exhausted(const struct sock *sk, u64 idle)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);

	if (xs->user_timeout)
		return xs->tcb.ka_probes && idle >= user_timeout(sk);
	return xs->tcb.ka_probes >= (xs->keepalive_probes ?:
		READ_ONCE(xtcp_sknet(sk)->sysctl.keepalive_probes));
}

/* RFC 9293 3.8.4: only an idle connection with nothing in flight is probed. */
static void on_keepalive(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u64 *at = &tcb->deadline[XTCP_T_KEEPALIVE];
	u64 idle = now - tcb->rcv_at;

	if (!sock_flag(sk, SOCK_KEEPOPEN) || !xtcp_state_info[sk->sk_state].synchronized)
		return;
	if (tcb->snd_una != tcb->write_seq + tcb->fin_queued) {
		*at = now + keepalive_time(sk);
		return;
	}
	if (idle < keepalive_time(sk)) {
		*at = tcb->rcv_at + keepalive_time(sk);
		return;
	}
	if (keepalive_exhausted(sk, idle)) {
		xtcp_send_reset(sk);
		timed_out(sk);
		return;
	}
	xtcp_sk_mib_inc(sk, XTCP_KEEPALIVES);
	tcb->ka_probes++;
	xtcp_send_keepalive(sk, now);
	*at = now + keepalive_intvl(sk);
}

/* FIN-WAIT-2 of an orphan: the peer had its time to close. */
static void on_linger(struct sock *sk, u64 now)
{
	if (sk->sk_state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD))
		xtcp_event(sk, EV_TIMEOUT);
}

/* What was held back leaves with the flush that follows. */
static void on_pace(struct sock *sk, u64 now)
{
}

static void (*const on_deadline[XTCP_NR_TIMERS])(struct sock *sk, u64 now) = {
	[XTCP_T_REXMT]		= on_rexmt,
	[XTCP_T_PERSIST]	= on_persist,
	[XTCP_T_DELACK]		= on_delack,
	[XTCP_T_KEEPALIVE]	= on_keepalive,
	[XTCP_T_LINGER]		= on_linger,
	[XTCP_T_PACE]		= on_pace,
	[XTCP_T_REO]		= on_reo,
	[XTCP_T_TLP]		= on_tlp,
};

void xtcp_timer_run(struct sock *sk, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	int i;

	xs->timer_at = 0;
	for (i = 0; i < XTCP_NR_TIMERS; i++) {
		u64 at = xs->tcb.deadline[i];

		if (!at || at > now || !on_deadline[i])
			continue;
		trace_xtcp_timer(&xs->ep, i, at, now);
		xs->tcb.deadline[i] = 0;
		on_deadline[i](sk, now);
		if (sk->sk_state == TCP_CLOSE)
			return;
	}
	xtcp_flush(sk, now);
}

/* ---- keepalive and FIN-WAIT-2, for those who switch them on ---- */

void xtcp_keepalive_restart(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->deadline[XTCP_T_KEEPALIVE] = 0;
	if (sock_flag(sk, SOCK_KEEPOPEN) && xtcp_state_info[sk->sk_state].synchronized)
		tcb->deadline[XTCP_T_KEEPALIVE] = now + keepalive_time(sk);
}

void xtcp_set_keepalive(struct sock *sk, int on)
{
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (!on) {
		xtcp_sk(sk)->tcb.deadline[XTCP_T_KEEPALIVE] = 0;
		return;
	}
	sock_set_flag(sk, SOCK_KEEPOPEN);
	xtcp_keepalive_restart(sk, xtcp_now());
	xtcp_timer_arm(sk);
}

void xtcp_linger_start(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 s = xs->linger2 > 0 ? xs->linger2 : READ_ONCE(xtcp_sknet(sk)->sysctl.fin_timeout);

	xs->tcb.deadline[XTCP_T_LINGER] = xtcp_now() + s * NSEC_PER_SEC;
	xtcp_timer_arm(sk);
}
