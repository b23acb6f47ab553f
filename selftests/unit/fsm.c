// SPDX-License-Identifier: GPL-2.0
/*
 * The state table against figure 5 and 3.10 of RFC 9293, written here once more by
 * hand and the other way round: for each event, who goes where.  Whatever is not
 * in this text must be no arrow.  And properties that any such machine has.
 */
#include "unit.h"

static const char * const rfc[][2] = {
	{ "OPEN_PASSIVE",	/* figure 5: "passive OPEN" */
	  "CLOSED>LISTEN" },
	{ "OPEN_ACTIVE",	/* figure 5: "active OPEN" */
	  "CLOSED>SYN-SENT" },
	{ "CLOSE",		/* figure 5: "CLOSE"; 3.10.4 */
	  "LISTEN>CLOSED SYN-SENT>CLOSED "
	  "SYN-RECEIVED-ACTIVE>FIN-WAIT-1 ESTABLISHED>FIN-WAIT-1 "
	  "CLOSE-WAIT>LAST-ACK" },
	{ "ABORT",		/* 3.10.5, every state with a peer */
	  "SYN-SENT>CLOSED SYN-RECEIVED>CLOSED SYN-RECEIVED-ACTIVE>CLOSED "
	  "ESTABLISHED>CLOSED FIN-WAIT-1>CLOSED FIN-WAIT-2>CLOSED CLOSE-WAIT>CLOSED "
	  "CLOSING>CLOSED LAST-ACK>CLOSED TIME-WAIT>CLOSED" },
	{ "RCV_SYN",		/* figure 5: "rcv SYN"; RFC 6191 for TIME-WAIT */
	  "LISTEN>SYN-RECEIVED SYN-SENT>SYN-RECEIVED-ACTIVE TIME-WAIT>CLOSED" },
	{ "RCV_SYN_ACK",	/* figure 5: "rcv SYN,ACK / snd ACK" */
	  "SYN-SENT>ESTABLISHED" },
	{ "RCV_ACK",		/* figure 5: "rcv ACK of SYN / x" */
	  "SYN-RECEIVED>ESTABLISHED SYN-RECEIVED-ACTIVE>ESTABLISHED" },
	{ "FIN_ACKED",		/* figure 5: "rcv ACK of FIN" */
	  "FIN-WAIT-1>FIN-WAIT-2 CLOSING>TIME-WAIT LAST-ACK>CLOSED" },
	{ "RCV_FIN",		/* figure 5: "rcv FIN / snd ACK" */
	  "ESTABLISHED>CLOSE-WAIT FIN-WAIT-1>CLOSING FIN-WAIT-2>TIME-WAIT" },
	{ "RCV_RST",		/* 3.10.7.3 second, 3.10.7.4 second, 3.5.3 */
	  "SYN-SENT>CLOSED SYN-RECEIVED>LISTEN SYN-RECEIVED-ACTIVE>CLOSED "
	  "ESTABLISHED>CLOSED FIN-WAIT-1>CLOSED FIN-WAIT-2>CLOSED CLOSE-WAIT>CLOSED "
	  "CLOSING>CLOSED LAST-ACK>CLOSED TIME-WAIT>CLOSED" },
	{ "TIMEOUT",		/* 3.10.8: user timeout, R2, 2MSL */
	  "SYN-SENT>CLOSED SYN-RECEIVED>CLOSED SYN-RECEIVED-ACTIVE>CLOSED "
	  "ESTABLISHED>CLOSED FIN-WAIT-1>CLOSED FIN-WAIT-2>CLOSED CLOSE-WAIT>CLOSED "
	  "CLOSING>CLOSED LAST-ACK>CLOSED TIME-WAIT>CLOSED" },
};

/* RFC arrows that the design leaves out: state and event */
static const char * const left_out[][2] = {
	{ "LISTEN", "OPEN_ACTIVE" },
	{ "LISTEN", "ABORT" },
	{ "SYN-RECEIVED", "CLOSE" },
	{ "SYN-RECEIVED", "RCV_SYN" },
	{ "SYN-RECEIVED", "RCV_FIN" },
	{ "SYN-RECEIVED-ACTIVE", "RCV_FIN" },
};

#define FIRST_STATE	TCP_ESTABLISHED

/* Where the text above leads from @from by @event; "" is nowhere */
static const char *rfc_next(const char *from, const char *event)
{
	static char to[32];
	unsigned int i;
	char *copy, *word, *save = NULL;

	to[0] = 0;
	for (i = 0; i < ARRAY_SIZE(rfc); i++) {
		if (strcmp(rfc[i][0], event))
			continue;
		copy = strdup(rfc[i][1]);
		for (word = strtok_r(copy, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			char *gt = strchr(word, '>');

			*gt = 0;
			if (!strcmp(word, from))
				strcpy(to, gt + 1);
		}
		free(copy);
	}
	return to;
}

static bool is_left_out(const char *state, const char *event)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(left_out); i++) {
		if (!strcmp(left_out[i][0], state) && !strcmp(left_out[i][1], event))
			return true;
	}
	return false;
}

TEST(every_state_and_event_as_the_rfc_says)
{
	unsigned int s, e, arrows = 0;

	for (s = FIRST_STATE; s < XTCP_NR_STATES; s++) {
		const char *from = xtcp_state_info[s].name;

		for (e = 0; e < XTCP_NR_EVENTS; e++) {
			const char *want = rfc_next(from, xtcp_event_name[e]);
			u8 n = xtcp_fsm_next(s, e);

			EXPECT_STREQ(want, n ? xtcp_state_info[n].name : "") {
				TH_LOG("%s by %s", from, xtcp_event_name[e]);
			}
			arrows += n != XTCP_NO_ARROW;
		}
	}
	EXPECT_EQ(2 + 2 + 6 + 4 + 5 + 5 + 5 + 4 + 4 + 4 + 4 + 4, arrows);
}

TEST(unreachable_arrows_are_listed_and_not_in_the_table)
{
	unsigned int s, e;

	for (s = 0; s < XTCP_NR_STATES + 3; s++) {
		for (e = 0; e < XTCP_NR_EVENTS; e++) {
			bool known = s >= FIRST_STATE && s < XTCP_NR_STATES;
			bool want = known && is_left_out(xtcp_state_info[s].name,
							 xtcp_event_name[e]);

			EXPECT_EQ(want, xtcp_fsm_unreachable(s, e));
			if (want)
				EXPECT_EQ(XTCP_NO_ARROW, xtcp_fsm_next(s, e));
		}
	}
}

TEST(out_of_range_is_no_arrow)
{
	unsigned int e;

	for (e = 0; e < XTCP_NR_EVENTS; e++) {
		EXPECT_EQ(XTCP_NO_ARROW, xtcp_fsm_next(0, e));
		EXPECT_EQ(XTCP_NO_ARROW, xtcp_fsm_next(XTCP_NR_STATES, e));
		EXPECT_EQ(XTCP_NO_ARROW, xtcp_fsm_next(255, e));
	}
	EXPECT_EQ(XTCP_NO_ARROW, xtcp_fsm_next(TCP_CLOSE, XTCP_NR_EVENTS));
}

/* The set of states that can be reached from @from, as a bit mask */
static unsigned int reach(unsigned int from)
{
	unsigned int seen = 1u << from, old, s, e;

	do {
		old = seen;
		for (s = FIRST_STATE; s < XTCP_NR_STATES; s++) {
			for (e = 0; (seen & 1u << s) && e < XTCP_NR_EVENTS; e++)
				seen |= 1u << xtcp_fsm_next(s, e);
		}
		seen &= ~1u;
	} while (seen != old);
	return seen;
}

TEST(all_states_come_from_closed_and_lead_there)
{
	unsigned int all = (1u << XTCP_NR_STATES) - (1u << FIRST_STATE), s;

	EXPECT_EQ(all, reach(TCP_CLOSE));
	for (s = FIRST_STATE; s < XTCP_NR_STATES; s++)
		EXPECT_TRUE(reach(s) & 1u << TCP_CLOSE);
}

TEST(names_are_unique)
{
	unsigned int i, j;

	EXPECT_EQ(NULL, xtcp_state_info[0].name);
	for (i = FIRST_STATE; i < XTCP_NR_STATES; i++) {
		ASSERT_NE(NULL, xtcp_state_info[i].name);
		for (j = FIRST_STATE; j < i; j++)
			EXPECT_STRNE(xtcp_state_info[i].name, xtcp_state_info[j].name);
	}
	for (i = 0; i < XTCP_NR_EVENTS; i++) {
		ASSERT_NE(NULL, xtcp_event_name[i]);
		for (j = 0; j < i; j++)
			EXPECT_STRNE(xtcp_event_name[i], xtcp_event_name[j]);
	}
}

/* The property columns, each as the RFC's own list of states */
TEST(what_a_state_permits)
{
	/* 3.10.2: SEND queues or sends */
	static const char send[] = " SYN-SENT SYN-RECEIVED SYN-RECEIVED-ACTIVE ESTABLISHED "
				   "CLOSE-WAIT ";
	/* 3.10.7.4 seventh */
	static const char recv[] = " ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 ";
	/* 3.5.2 group 3 */
	static const char sync[] = " ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT CLOSING "
				   "LAST-ACK TIME-WAIT ";
	/* figure 5: behind a "snd FIN" */
	static const char fin[] = " FIN-WAIT-1 FIN-WAIT-2 CLOSING LAST-ACK TIME-WAIT ";
	char name[32];
	unsigned int s;

	for (s = FIRST_STATE; s < XTCP_NR_STATES; s++) {
		const struct xtcp_state_info *i = &xtcp_state_info[s];

		snprintf(name, sizeof(name), " %s ", i->name);
		EXPECT_EQ(!!strstr(send, name), i->can_send);
		EXPECT_EQ(!!strstr(recv, name), i->can_recv);
		EXPECT_EQ(!!strstr(sync, name), i->synchronized);
		EXPECT_EQ(!!strstr(fin, name), i->fin_sent);
	}
}

/* Once our FIN is queued the user may not send, and no arrow leads back */
TEST(a_fin_is_for_ever)
{
	unsigned int s, e;

	for (s = FIRST_STATE; s < XTCP_NR_STATES; s++) {
		if (!xtcp_state_info[s].fin_sent)
			continue;
		EXPECT_FALSE(xtcp_state_info[s].can_send);
		for (e = 0; e < XTCP_NR_EVENTS; e++) {
			u8 n = xtcp_fsm_next(s, e);

			EXPECT_TRUE(n == XTCP_NO_ARROW || n == TCP_CLOSE ||
				    xtcp_state_info[n].fin_sent);
		}
	}
}

TEST_HARNESS_MAIN
