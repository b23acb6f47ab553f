// SPDX-License-Identifier: GPL-2.0
/*
 * Every phase of recovery meets what may come in between: a window that shuts, a path
 * with a smaller MTU, a reset, a peer that drops what it SACKed, missing memory, another
 * timeout.  Whatever it is, the stream is delivered in the end, and nothing is left.
 */
#include "sender.h"

#define SEGS	20

enum phase { QUIET, REORDER, PROBED, FAST, FAST_TWICE, NEWRENO, TIMEOUT, FRTO_NEW, TIMEOUT_AGAIN,
	     SPURIOUS, NR_PHASES };

static const char * const phase_name[NR_PHASES] = {
	"quiet", "reordering timer", "probe out", "fast recovery", "lost again", "newreno",
	"timeout", "f-rto", "second timeout", "undone",
};

static void timeout(struct sender *s)
{
	sender_wait(s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s->tcb, s->now);
	sender_flush(s);
}

/* Ten of twenty segments are out, the round trip is 100 ms; then into @p */
static void bring_to(struct sender *s, enum phase p)
{
	sender_init(s, -5000);
	s->tcb.sack_ok = p != NEWRENO;
	sender_write(s, SEGS * MSS);
	sender_flush(s);
	s->now += 100 * MS;
	sender_ack(s, 1 * MSS);
	sender_flush(s);
	s->now += 100 * MS;
	switch (p) {
	case REORDER:
		sender_sack(s, 1 * MSS, 3 * MSS, 4 * MSS);
		break;
	case PROBED:
		sender_wait(s, XTCP_T_TLP);
		xtcp_loss_on_tlp(&s->tcb, s->now);
		break;
	case FAST:
	case FAST_TWICE:
		sender_sack(s, 1 * MSS, 3 * MSS, 8 * MSS);
		sender_flush(s);
		s->now += 100 * MS;
		if (p == FAST_TWICE)
			sender_sack(s, 1 * MSS, 3 * MSS,
				    sender_rel(s, s->tcb.snd_nxt));
		break;
	case NEWRENO:
		sender_ack(s, 1 * MSS);
		sender_ack(s, 1 * MSS);
		sender_ack(s, 1 * MSS);
		break;
	case TIMEOUT_AGAIN:
		timeout(s);
		/* fall through */
	case TIMEOUT:
	case FRTO_NEW:
	case SPURIOUS:
		timeout(s);
		s->now += 50 * MS;
		if (p == FRTO_NEW || p == SPURIOUS)
			sender_ack(s, 2 * MSS);
		sender_flush(s);
		if (p == SPURIOUS)
			sender_ack(s, 3 * MSS);
		break;
	default:
		break;
	}
	sender_flush(s);
}

/* The peer takes whatever comes, in order, until all is there; timers do the rest. */
static void finish(struct __test_metadata *_metadata, struct sender *s, enum phase p,
		   const char *what)
{
	struct xtcp_tcb *tcb = &s->tcb;
	bool have[SEGS * MSS + 1] = { false };
	u32 at = sender_rel(s, tcb->snd_una), i, k, n = 0;
	enum xtcp_timer t;

	while (sender_rel(s, tcb->snd_una) != SEGS * MSS) {
		ASSERT_LT(n++, 200)
			TH_LOG("%s in %s: no end", what, phase_name[p]);
		sender_flush(s);
		for (i = 0; i < s->sent && i < LOG; i++)
			for (k = sender_rel(s, s->log[i].seq);
			     k < sender_rel(s, s->log[i].end_seq) && k < SEGS * MSS; k++)
				have[k] = true;
		while (at < SEGS * MSS && have[at])
			at++;
		s->now += 100 * MS;
		if (at != sender_rel(s, tcb->snd_una)) {
			sender_ack_wnd(s, at, 1000000, 0, NULL);
		} else {
			t = tcb->deadline[XTCP_T_TLP] ? XTCP_T_TLP :
			    tcb->deadline[XTCP_T_REXMT] ? XTCP_T_REXMT : XTCP_T_PERSIST;
			ASSERT_NE(0, tcb->deadline[t])
				TH_LOG("%s in %s: nothing will ever happen", what, phase_name[p]);
			sender_wait(s, t);
			if (t == XTCP_T_TLP)
				xtcp_loss_on_tlp(tcb, s->now);
			else if (t == XTCP_T_REXMT)
				xtcp_loss_on_rto(tcb, s->now);
			else
				xtcp_tx_persist(tcb, s->now);
		}
		ASSERT_GE(tcb->cwnd, tcb->snd_mss);
		ASSERT_LE(tcb->sacked_bytes + tcb->lost_bytes, tcb->snd_nxt - tcb->snd_una);
	}
	ASSERT_EQ(0, tcb->map_nr);
	ASSERT_EQ(0, unit_seg_live);
	ASSERT_EQ(XTCP_OPEN, tcb->recovery)
		TH_LOG("%s in %s", what, phase_name[p]);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_REXMT]);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_TLP]);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_REO]);
}

TEST(the_phases_are_what_they_are_called)
{
	static const struct {
		u8 recovery, frto;
		bool reo, tlp;
	} v[NR_PHASES] = {
		[REORDER]	= { XTCP_OPEN, 0, true, false },
		[PROBED]	= { XTCP_OPEN, 0, false, true },
		[FAST]		= { XTCP_RECOVERY, 0, false, false },
		[FAST_TWICE]	= { XTCP_RECOVERY, 0, false, false },
		[NEWRENO]	= { XTCP_RECOVERY, 0, false, false },
		[TIMEOUT]	= { XTCP_RTO_RECOVERY, XTCP_FRTO_FIRST, false, false },
		[FRTO_NEW]	= { XTCP_RTO_RECOVERY, XTCP_FRTO_NEW, false, false },
		[TIMEOUT_AGAIN]	= { XTCP_RTO_RECOVERY, XTCP_FRTO_FIRST, false, false },
		[SPURIOUS]	= { XTCP_OPEN, 0, false, false },
	};
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		EXPECT_EQ(v[p].recovery, s.tcb.recovery)
			TH_LOG("%s", phase_name[p]);
		EXPECT_EQ(v[p].frto, s.tcb.frto)
			TH_LOG("%s", phase_name[p]);
		EXPECT_EQ(v[p].reo, !!s.tcb.deadline[XTCP_T_REO])
			TH_LOG("%s", phase_name[p]);
		EXPECT_EQ(v[p].tlp, !!s.tcb.tlp_out)
			TH_LOG("%s", phase_name[p]);
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(nothing_in_between)
{
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		finish(_metadata, &s, p, "nothing");
	}
}

TEST(window_shuts)
{
	struct sender s;
	int p, i;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		sender_ack_wnd(&s, sender_rel(&s, s.tcb.snd_una), 0, 0, NULL);
		for (i = 0; i < 3 && s.tcb.deadline[XTCP_T_REXMT]; i++) {
			timeout(&s);
			ASSERT_EQ(XTCP_TX_PROBE, s.log[0].kind)
				TH_LOG("%s", phase_name[p]);
			ASSERT_EQ(1, s.sent);
			sender_ack_wnd(&s, sender_rel(&s, s.tcb.snd_una), 0, 0, NULL);
		}
		sender_ack_wnd(&s, sender_rel(&s, s.tcb.snd_una), 1000000, 0, NULL);
		finish(_metadata, &s, p, "zero window");
	}
}

/* All of the flight again, in shorter segments */
TEST(mtu_is_reduced)
{
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		s.tcb.snd_mss = 300;
		xtcp_loss_on_mtu(&s.tcb);
		ASSERT_EQ(0, xtcp_pipe(&s.tcb));
		/* RFC 1191 6.5: at once, without waiting for a timeout */
		ASSERT_LE(1, sender_flush(&s))
			TH_LOG("%s", phase_name[p]);
		ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
		ASSERT_EQ(s.tcb.snd_una, s.log[0].seq);
		ASSERT_EQ(300, sender_len(&s, 0));
		/* what was too long has not arrived: nothing to take back */
		ASSERT_EQ(XTCP_UNDO_NONE, s.tcb.undo);
		ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
		finish(_metadata, &s, p, "MTU");
	}
}

TEST(reset)
{
	struct sender s;
	int p, i;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		xtcp_tcb_purge(&s.tcb);
		ASSERT_EQ(0, unit_seg_live);
		for (i = 0; i < XTCP_NR_TIMERS; i++)
			ASSERT_EQ(0, s.tcb.deadline[i]);
		/* a timer that was on its way finds nothing to do */
		xtcp_loss_on_reo(&s.tcb, s.now);
		ASSERT_EQ(0, unit_seg_live);
	}
}

/* RFC 2018 8: what was SACKed is gone again, SND.UNA stands before it */
TEST(reneging)
{
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		if (p == NEWRENO)
			continue;
		bring_to(&s, p);
		s.now += 10 * MS;
		sender_sack(&s, sender_rel(&s, s.tcb.snd_una), 5 * MSS, 8 * MSS);
		s.now += 10 * MS;
		sender_ack(&s, 5 * MSS);	/* and not 8 */
		timeout(&s);
		ASSERT_EQ(0, s.tcb.sacked_bytes);
		ASSERT_TRUE(s.tcb.notes & XTCP_N_RENEGED)
			TH_LOG("%s", phase_name[p]);
		finish(_metadata, &s, p, "reneging");
	}
}

TEST(no_memory)
{
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		bring_to(&s, p);
		unit_seg_budget = 0;
		sender_sack(&s, sender_rel(&s, s.tcb.snd_una), 5 * MSS + 1, 8 * MSS + 1);
		xtcp_loss_on_rto(&s.tcb, s.now);
		sender_flush(&s);
		unit_seg_budget = -1;
		finish(_metadata, &s, p, "no memory");
	}
}

/* Claims of what was never sent, and echoes of what is still to come */
TEST(nonsense)
{
	struct sender s;
	int p;

	for (p = 0; p < NR_PHASES; p++) {
		u32 una, cwnd, sacked;

		bring_to(&s, p);
		una = s.tcb.snd_una;
		cwnd = s.tcb.cwnd;
		sacked = s.tcb.sacked_bytes;
		sender_ack(&s, SEGS * MSS + 1);			/* optimistic */
		sender_sack(&s, SEGS * MSS + 1, 4 * MSS, 5 * MSS);
		sender_sack(&s, 1 * MSS, 30 * MSS, 40 * MSS);
		sender_sack(&s, 1 * MSS, 9 * MSS, 8 * MSS);
		sender_sack(&s, 1 * MSS, -5 * MSS, 1 * MSS);
		ASSERT_EQ(una, s.tcb.snd_una);
		ASSERT_EQ(sacked, s.tcb.sacked_bytes);
		ASSERT_LE(s.tcb.cwnd, cwnd + 4 * MSS);
		finish(_metadata, &s, p, "nonsense");
	}
}

TEST_HARNESS_MAIN
