// SPDX-License-Identifier: GPL-2.0
/*
 * Signal-driven input and output: O_ASYNC and FIOASYNC with F_SETOWN give
 * SIGIO (or the signal of F_SETSIG with the reason) for what happens on a
 * socket, and nothing once it is switched off.
 */
#include "stack.h"

STACK_FIXTURE(async);

static sigset_t rtmin_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGIO);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	return set;
}

static void make_async(int fd, int sig)
{
	MUST(fcntl(fd, F_SETOWN, getpid()));
	MUST(fcntl(fd, F_SETSIG, sig));
	MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

/* Waits for a signal about FD whose band has all bits of WANT. */
static bool got_band(const sigset_t *set, int fd, int want)
{
	struct timespec ts = { DEADLINE_MS / 1000, 0 };
	siginfo_t si;

	while (sigtimedwait(set, &si, &ts) == SIGRTMIN)
		if (si.si_fd == fd && (si.si_band & want) == want)
			return true;
	return false;
}

static bool quiet(const sigset_t *set)
{
	struct timespec ts = {};

	return sigtimedwait(set, NULL, &ts) < 0 && errno == EAGAIN;
}

TEST_F(async, data_arrives)
{
	sigset_t set = rtmin_blocked();
	int fd[2];

	pair(fd);
	make_async(fd[1], SIGRTMIN);
	EXPECT_NE(0, fcntl(fd[1], F_GETFL) & O_ASYNC);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(got_band(&set, fd[1], POLLIN));
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	EXPECT_TRUE(got_band(&set, fd[1], POLLPRI));
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(got_band(&set, fd[1], POLLIN));
}

TEST_F(async, plain_sigio)
{
	struct timespec ts = { DEADLINE_MS / 1000, 0 };
	sigset_t set = rtmin_blocked();
	int fd[2], on = 1;

	pair(fd);
	MUST(fcntl(fd[1], F_SETOWN, getpid()));
	EXPECT_OK(ioctl(fd[1], FIOASYNC, &on));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_EQ(SIGIO, sigtimedwait(&set, NULL, &ts));
}

TEST_F(async, switched_off)
{
	sigset_t set = rtmin_blocked();
	int fd[2], off = 0;

	pair(fd);
	make_async(fd[1], SIGRTMIN);
	EXPECT_OK(ioctl(fd[1], FIOASYNC, &off));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	ASSERT_TRUE(wait_inq(fd[1], 1));
	EXPECT_TRUE(quiet(&set));
}

TEST_F(async, new_connection)
{
	sigset_t set = rtmin_blocked();
	union addr a;
	int lfd = listener(&a, 2);

	make_async(lfd, SIGRTMIN);
	connect_to(&a);
	EXPECT_TRUE(got_band(&set, lfd, POLLIN));
}

TEST_F(async, connected)
{
	sigset_t set = rtmin_blocked();
	int fd = xsocket(SOCK_NONBLOCK);
	union addr a;

	listener(&a, 2);
	make_async(fd, SIGRTMIN);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	stack_traffic = true;
	EXPECT_TRUE(got_band(&set, fd, POLLOUT));
}

TEST_F(async, room_to_write)
{
	sigset_t set = rtmin_blocked();
	static char buf[65536];
	struct timespec ts = {};
	int fd[2];

	pair(fd);
	make_async(fd[0], SIGRTMIN);
	stuff(fd[0]);
	while (sigtimedwait(&set, NULL, &ts) > 0)
		;
	while (recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0 ||
	       poll_for(fd[1], POLLIN, 50))
		;
	EXPECT_TRUE(got_band(&set, fd[0], POLLOUT));
}

TEST_F(async, reset)
{
	sigset_t set = rtmin_blocked();
	int fd[2];

	pair(fd);
	make_async(fd[1], SIGRTMIN);
	close_rst(fd[0]);
	EXPECT_TRUE(got_band(&set, fd[1], POLLERR));
}

TEST_F(async, closed_both_ways)
{
	sigset_t set = rtmin_blocked();
	int fd[2];

	pair(fd);
	make_async(fd[1], SIGRTMIN);
	MUST(shutdown(fd[1], SHUT_WR));
	MUST(close(fd[0]));
	EXPECT_TRUE(got_band(&set, fd[1], POLLHUP));
}

TEST_HARNESS_MAIN
