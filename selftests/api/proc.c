// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/xtcp and xtcp6: the same lines as /proc/net/tcp and tcp6, with
 * the addresses, states, queues, timers, owners and inodes of real sockets.
 */
#include "net.h"

STACK_FIXTURE_MAPPED(proc);

struct line {
	int state, timer;
	unsigned int tx, rx, retrans, uid;
	unsigned long inode;
	int len, fields;
};

static const char *table(void)
{
	if (st->af == AF_INET)
		return st->xtcp ? "/proc/net/xtcp" : "/proc/net/tcp";
	return st->xtcp ? "/proc/net/xtcp6" : "/proc/net/tcp6";
}

/* Address and port as the table writes them: words in host order. */
static void hex_name(const union addr *a, char *out)
{
	uint32_t w[4];

	if (a->sa.sa_family == AF_INET) {
		sprintf(out, "%08X:%04X", a->in.sin_addr.s_addr, addr_port(a));
		return;
	}
	memcpy(w, &a->in6.sin6_addr, 16);
	sprintf(out, "%08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], addr_port(a));
}

static bool parse(const char *text, const char *local, const char *remote, struct line *l)
{
	char from[64], to[64], *copy, *tok, *save;
	unsigned int state, tr;

	if (sscanf(text, "%*d: %63s %63s %X %X:%X %X:%*X %X %u %*d %lu", from, to, &state,
		   &l->tx, &l->rx, &tr, &l->retrans, &l->uid, &l->inode) != 9)
		return false;
	l->state = state;
	l->timer = tr;
	l->len = strlen(text);
	l->fields = 0;
	copy = strdup(text);
	for (tok = strtok_r(copy, " \n", &save); tok; tok = strtok_r(NULL, " \n", &save))
		l->fields++;
	free(copy);
	return !strcmp(from, local) && (!remote || !strcmp(to, remote));
}

/* How many lines have these ends; the last of them in L.  BAD: unreadable lines. */
static int find(const union addr *a, const union addr *b, struct line *l)
{
	char local[64], remote[64], text[512];
	FILE *f = fopen(table(), "r");
	int n = 0;

	if (!f)
		MUST(-1);
	hex_name(a, local);
	if (b)
		hex_name(b, remote);
	while (fgets(text, sizeof(text), f)) {
		struct line t;

		if (parse(text, local, b ? remote : NULL, &t)) {
			*l = t;
			n++;
		}
	}
	fclose(f);
	return n;
}

static int find_fd(int fd, struct line *l)
{
	union addr a = local_addr(fd), b = peer_addr(fd);

	return find(&a, &b, l);
}

static unsigned long inode_of(int fd)
{
	struct stat s;

	MUST(fstat(fd, &s));
	return s.st_ino;
}

TEST_F(proc, header)
{
	char ours[512], theirs[512];

	MUST(file_read(table(), ours, sizeof(ours)));
	MUST(file_read(st->af == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", theirs,
		       sizeof(theirs)));
	*strchrnul(ours, '\n') = 0;
	*strchrnul(theirs, '\n') = 0;
	EXPECT_STREQ(theirs, ours);
}

TEST_F(proc, listener)
{
	union addr a, zero = addr_any(0);
	struct line l = {};
	int fd;

	MUST(seteuid(65534));
	fd = listener(&a, 5);
	MUST(seteuid(0));
	EXPECT_EQ(1, find(&a, &zero, &l));
	EXPECT_EQ(LISTENING, l.state);
	EXPECT_EQ(inode_of(fd), l.inode);
	EXPECT_EQ(65534, l.uid);
	EXPECT_EQ(0, l.rx);
	EXPECT_EQ(0, l.tx);
	EXPECT_EQ(17, l.fields);
	if (st->af == AF_INET)
		EXPECT_EQ(150, l.len);
	/* rx_queue: connections that wait to be accepted. */
	connect_to(&a);
	connect_to(&a);
	EXPECT_TRUE(UNTIL(find(&a, &zero, &l) == 1 && l.rx == 2));
	MUST(close(fd));
	EXPECT_TRUE(UNTIL(find(&a, &zero, &l) == 0));
}

TEST_F(proc, connection)
{
	struct line c = {}, s = {};
	int fd[2], outq, inq;

	pair(fd);
	EXPECT_EQ(1, find_fd(fd[0], &c));
	EXPECT_EQ(1, find_fd(fd[1], &s));
	EXPECT_EQ(ESTABLISHED, c.state);
	EXPECT_EQ(ESTABLISHED, s.state);
	EXPECT_EQ(inode_of(fd[0]), c.inode);
	EXPECT_EQ(inode_of(fd[1]), s.inode);
	EXPECT_EQ(0, c.uid);
	EXPECT_EQ(17, c.fields);
	if (st->af == AF_INET)
		EXPECT_EQ(150, c.len);
	stuff(fd[0]);
	MUST(ioctl(fd[0], SIOCOUTQ, &outq));
	MUST(ioctl(fd[1], SIOCINQ, &inq));
	EXPECT_EQ(1, find_fd(fd[0], &c));
	EXPECT_EQ(1, find_fd(fd[1], &s));
	EXPECT_EQ(outq, c.tx);
	EXPECT_EQ(0, c.rx);
	EXPECT_EQ(inq, s.rx);
	EXPECT_EQ(0, s.tx);
}

/* Not yet accepted: no inode. */
TEST_F(proc, pending_child)
{
	union addr a, b;
	struct line l = {};
	int fd;

	listener(&a, 2);
	fd = connect_to(&a);
	b = local_addr(fd);
	EXPECT_TRUE(UNTIL(find(&a, &b, &l) == 1 && l.state == ESTABLISHED));
	EXPECT_EQ(0, l.inode);
}

TEST_F(proc, closing_states)
{
	struct line l = {};
	union addr a, b;
	int fd[2];
	char c;

	pair(fd);
	a = local_addr(fd[0]);
	b = local_addr(fd[1]);
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_TRUE(UNTIL(find(&a, &b, &l) == 1 && l.state == FIN_WAIT2));
	EXPECT_EQ(inode_of(fd[0]), l.inode);
	EXPECT_EQ(0, l.tx);		/* the FIN is acknowledged */
	EXPECT_EQ(1, find(&b, &a, &l));
	EXPECT_EQ(CLOSE_WAIT, l.state);
	EXPECT_EQ(0, l.tx);
	MUST(close(fd[1]));
	EXPECT_TRUE(UNTIL(find(&a, &b, &l) == 1 && l.state == TIME_WAIT));
	/* TIME-WAIT belongs to nobody; its timer is 3. */
	EXPECT_EQ(0, l.inode);
	EXPECT_EQ(3, l.timer);
	EXPECT_TRUE(UNTIL(find(&b, &a, &l) == 0));
}

/* Closed with data that the peer does not take: no inode, still there. */
TEST_F(proc, orphan)
{
	struct line l = {};
	union addr a, b;
	int fd[2];

	pair(fd);
	a = local_addr(fd[0]);
	b = local_addr(fd[1]);
	stuff(fd[0]);
	MUST(close(fd[0]));
	EXPECT_EQ(1, find(&a, &b, &l));
	EXPECT_EQ(FIN_WAIT1, l.state);
	EXPECT_EQ(0, l.inode);
	EXPECT_LT(0, l.tx);
	close_rst(fd[1]);
	EXPECT_TRUE(UNTIL(find(&a, &b, &l) == 0));
}

/* tr is 1 while a retransmission is due; retrnsmt counts them. */
TEST_F(proc, syn_sent)
{
	union addr to = black_hole(), a;
	struct line l = {};
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &to));
	a = local_addr(fd);
	EXPECT_EQ(1, find(&a, &to, &l));
	EXPECT_EQ(SYN_SENT, l.state);
	EXPECT_EQ(1, l.timer);
	EXPECT_EQ(inode_of(fd), l.inode);
	EXPECT_TRUE(UNTIL(find(&a, &to, &l) == 1 && l.retrans == 1));
	MUST(close(fd));
	EXPECT_TRUE(UNTIL(find(&a, &to, &l) == 0));
}

/* Every socket once, however the file is read. */
TEST_F(proc, many)
{
	static char text[65536];
	int fd[60], i, n = 0, f, len = 0;
	union addr a[60];
	struct line l;

	fresh_ns();
	for (i = 0; i < 60; i++)
		fd[i] = listener(&a[i], 1);
	for (i = 0; i < 60; i++)
		EXPECT_EQ(1, find(&a[i], NULL, &l));
	f = MUST(open(table(), O_RDONLY));
	while ((i = read(f, text + len, 171)) > 0)
		len += i;
	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	EXPECT_EQ(61, n);
	for (i = 0; i < 60; i += 2)
		MUST(close(fd[i]));
	for (i = 0; i < 60; i++)
		EXPECT_EQ(i & 1, find(&a[i], NULL, &l));
}

TEST_F(proc, of_this_namespace)
{
	union addr a;
	struct line l;

	listener(&a, 1);
	EXPECT_EQ(1, find(&a, NULL, &l));
	fresh_ns();
	EXPECT_EQ(0, find(&a, NULL, &l));
}

/* The counters, where a test can know their step. */
TEST_F(proc, counters)
{
	union addr a, no = addr_refused();
	int fd[2], lfd;

	fresh_ns();
	lfd = listener(&a, 2);
	pair_on(lfd, fd);
	EXPECT_EQ(1, stack_stat("ActiveOpens"));
	EXPECT_EQ(1, stack_stat("PassiveOpens"));
	EXPECT_EQ(2, stack_stat("CurrEstab"));
	EXPECT_EQ(0, stack_stat("AttemptFails"));
	EXPECT_EQ(0, stack_stat("EstabResets"));
	EXPECT_EQ(0, stack_stat("RetransSegs"));
	EXPECT_EQ(0, stack_stat("InErrs"));
	EXPECT_EQ(stack_stat("OutSegs"), stack_stat("InSegs"));
	EXPECT_EQ(3, stack_stat("OutSegs"));
	EXPECT_ERR(ECONNREFUSED, do_connect(xsocket(0), &no));
	EXPECT_EQ(2, stack_stat("ActiveOpens"));
	EXPECT_EQ(1, stack_stat("AttemptFails"));
	EXPECT_EQ(1, stack_stat("OutRsts"));
	/* RFC 4022: a reset connection counts at both ends. */
	close_rst(fd[0]);
	EXPECT_TRUE(wait_for(fd[1], 0) & POLLERR);
	EXPECT_EQ(2, stack_stat("EstabResets"));
	EXPECT_EQ(0, stack_stat("CurrEstab"));
	EXPECT_EQ(2, stack_stat("OutRsts"));
}

TEST_HARNESS_MAIN
