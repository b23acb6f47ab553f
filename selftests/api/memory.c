// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers and their memory: SO_SNDBUF and SO_RCVBUF as socket(7) has them, a
 * sender that stops when its receiver does, per-socket memory back to zero
 * when the data is gone, and nothing left after close.
 */
#include "stack.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

enum { RMEM_ALLOC, RCVBUF, WMEM_ALLOC, SNDBUF, FWD_ALLOC, WMEM_QUEUED, OPTMEM, BACKLOG, DROPS };

STACK_FIXTURE(memory);

static unsigned int meminfo(int fd, int nth)
{
	unsigned int v[16] = {};
	socklen_t len = sizeof(v);

	MUST(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &len));
	return v[nth];
}

/* A sysctl that older kernels have in the first namespace only. */
static long first_ns_sysctl(const char *path)
{
	int own = MUST(open("/proc/self/ns/net", O_RDONLY));
	char buf[64];

	MUST(setns(stack_first_ns, CLONE_NEWNET));
	MUST(file_read(path, buf, sizeof(buf)));
	MUST(setns(own, CLONE_NEWNET));
	close(own);
	return atol(buf);
}

TEST_F(memory, defaults)
{
	int fd = xsocket(0);

	EXPECT_EQ(stack_sysctl_nth("wmem", 1), get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(stack_sysctl_nth("rmem", 1), get_int(fd, SOL_SOCKET, SO_RCVBUF));
}

TEST_F(memory, default_follows_sysctl)
{
	fresh_ns();
	MUST(file_write(stack_sysctl("wmem"), "4096 30000 4194304"));
	MUST(file_write(stack_sysctl("rmem"), "4096 40000 6291456"));
	EXPECT_EQ(30000, get_int(xsocket(0), SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(40000, get_int(xsocket(0), SOL_SOCKET, SO_RCVBUF));
}

/* socket(7): the value set is doubled, and bounded by the system's maximum. */
TEST_F(memory, doubled_and_bounded)
{
	int wmax = first_ns_sysctl("/proc/sys/net/core/wmem_max");
	int rmax = first_ns_sysctl("/proc/sys/net/core/rmem_max");
	int fd = xsocket(0);

	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_SNDBUF, 20000));
	EXPECT_EQ(40000, get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_RCVBUF, 30000));
	EXPECT_EQ(60000, get_int(fd, SOL_SOCKET, SO_RCVBUF));
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_SNDBUF, wmax + 1000));
	EXPECT_EQ(2 * wmax, get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_RCVBUF, rmax + 1000));
	EXPECT_EQ(2 * rmax, get_int(fd, SOL_SOCKET, SO_RCVBUF));
	/* The minima of socket(7), and more, since an skb must fit. */
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_LE(2048, get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_GT(10000, get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_RCVBUF, 1));
	EXPECT_LE(256, get_int(fd, SOL_SOCKET, SO_RCVBUF));
	EXPECT_GT(10000, get_int(fd, SOL_SOCKET, SO_RCVBUF));
	/* A privileged user may go beyond. */
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, wmax + 1000));
	EXPECT_EQ(2 * (wmax + 1000), get_int(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_OK(set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, rmax + 1000));
	EXPECT_EQ(2 * (rmax + 1000), get_int(fd, SOL_SOCKET, SO_RCVBUF));
	MUST(seteuid(65534));
	EXPECT_ERR(EPERM, set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, 10000));
	EXPECT_ERR(EPERM, set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 10000));
}

TEST_F(memory, sender_stops_when_receiver_does)
{
	size_t sent, got;
	union addr a;
	int fd[2], lfd = xsocket(0);

	a = addr_loop(0);
	MUST(set_int(lfd, SOL_SOCKET, SO_RCVBUF, 32768));
	MUST(do_bind(lfd, &a));
	MUST(listen(lfd, 1));
	pair_on(lfd, fd);
	sent = stuff(fd[0]);
	/* No more than both buffers hold. */
	EXPECT_GE(2 * 65536 + 2 * 32768, sent);
	EXPECT_LT(16384, sent);
	EXPECT_EQ(0, events_now(fd[0]) & POLLOUT);
	EXPECT_LT(0, meminfo(fd[0], WMEM_QUEUED));
	EXPECT_LT(0, meminfo(fd[1], RMEM_ALLOC));
	got = recv_pattern(fd[1], sent);
	EXPECT_EQ(sent, got);
	EXPECT_EQ(POLLOUT, wait_for(fd[0], POLLOUT));
	/* All read, all acknowledged: all given back. */
	EXPECT_TRUE(UNTIL(!meminfo(fd[0], WMEM_QUEUED)));
	EXPECT_TRUE(UNTIL(!meminfo(fd[1], RMEM_ALLOC)));
	EXPECT_TRUE(UNTIL(!meminfo(fd[0], BACKLOG)));
}

/* A small receive buffer, a large message: it trickles, and arrives. */
TEST_F(memory, small_buffers)
{
	size_t total = 200000;
	union addr a = addr_loop(0);
	int fd[2], lfd = xsocket(0), status = -1;
	pid_t pid;

	MUST(set_int(lfd, SOL_SOCKET, SO_RCVBUF, 1));
	MUST(do_bind(lfd, &a));
	MUST(listen(lfd, 1));
	pair_on(lfd, fd);
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 1));
	pid = MUST(fork());
	if (!pid)
		_exit(send_pattern(fd[0], total) != total);
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	MUST(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * A column of /proc/net/protocols: 0 sockets (of v4 and v6), 1 pages of memory
 * (one figure, on both lines).
 */
static long protocols(int column)
{
	const char *v4 = st->xtcp ? "XTCP" : "TCP", *v6 = st->xtcp ? "XTCPv6" : "TCPv6";
	char name[64], line[256];
	long sockets, mem, sum = 0;
	FILE *f = fopen("/proc/net/protocols", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*d %ld %ld", name, &sockets, &mem) == 3 &&
		    (!strcmp(name, v4) || !strcmp(name, v6)))
			sum = column ? mem : sum + sockets;
	if (f)
		fclose(f);
	return sum;
}

/* Pages that the stack holds for all of the machine; each CPU keeps up to 1 MB. */
TEST_F(memory, given_back_after_close)
{
	long before = protocols(1), sockets = protocols(0);
	long slack = (1 << 20) / sysconf(_SC_PAGESIZE) * sysconf(_SC_NPROCESSORS_CONF);
	static char buf[4 << 20];
	int fd[4][2], i;

	for (i = 0; i < 4; i++) {
		pair(fd[i]);
		MUST(set_int(fd[i][0], SOL_SOCKET, SO_SNDBUFFORCE, sizeof(buf)));
		EXPECT_LT(1 << 20, send(fd[i][0], buf, sizeof(buf), MSG_DONTWAIT));
	}
	EXPECT_EQ(sockets + 8, protocols(0));
	EXPECT_LT(before, protocols(1));
	for (i = 0; i < 4; i++) {
		close_rst(fd[i][0]);
		MUST(close(fd[i][1]));
	}
	EXPECT_TRUE(UNTIL(protocols(0) == sockets));
	/* Other users of kernel TCP on the machine may move its figure. */
	EXPECT_TRUE(UNTIL(protocols(1) <= before + slack)) {
		TH_LOG("%ld pages before, %ld after, slack %ld", before, protocols(1), slack);
	}
}

/* An orphan that still sends holds memory; its end frees it. */
TEST_F(memory, orphan)
{
	int fd[2], sockets = protocols(0);
	size_t n;
	char c;

	pair(fd);
	n = stuff(fd[0]);
	MUST(close(fd[0]));
	EXPECT_EQ(n, recv_pattern(fd[1], n));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	MUST(close(fd[1]));
	EXPECT_TRUE(UNTIL(protocols(0) == sockets));
}

TEST_HARNESS_MAIN
