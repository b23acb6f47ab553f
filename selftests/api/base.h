/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every socket test needs and what has nothing to do with a stack:
 * includes, EXPECT_OK and EXPECT_ERR for system calls, deadlines, files of
 * /proc, waiting for events, the pattern that transfers carry.
 */
#ifndef API_BASE_H
#define API_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/xtcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* Slow emulated machines run these programs too: limits are generous. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	180
#define DEADLINE_MS		15000

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

#define __api __attribute__((unused)) static

/* A failed precondition ends the test: it counts as failed. */
#define MUST(call) ({							\
	__typeof__(call) __must = (call);				\
	if ((long)__must < 0) {						\
		fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__,		\
			__LINE__, #call, strerror(errno));		\
		abort();						\
	}								\
	__must; })

#define EXPECT_OK(call) do {						\
	errno = 0;							\
	long __ret = (call);						\
	int __err = errno;						\
	EXPECT_LE(0, __ret) {						\
		TH_LOG("%s: %s", #call, strerror(__err));		\
	}								\
} while (0)

#define EXPECT_ERR(err, call) do {					\
	errno = 0;							\
	long __ret = (call);						\
	int __err = errno;						\
	EXPECT_EQ(-1, __ret) {						\
		TH_LOG("%s should fail with %s", #call, strerror(err));	\
	}								\
	if (__ret == -1) {						\
		EXPECT_EQ(err, __err) {					\
			TH_LOG("%s: %s", #call, strerror(__err));	\
		}							\
	}								\
} while (0)

/* ---- time ---- */

__api long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* No less than MS, as far as jiffies (of up to 10 ms) can tell. */
#define ABOUT(ms)	((ms) - 20)

#define UNTIL(cond) ({							\
	long __end = now_ms() + DEADLINE_MS;				\
	bool __true;							\
	while (!(__true = (cond)) && now_ms() < __end)			\
		usleep(1000);						\
	__true; })

/* ---- files ---- */

__api int file_write(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)write(fd, val, strlen(val));
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ret;
}

__api int file_read(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)read(fd, buf, len - 1);

	if (fd >= 0)
		close(fd);
	buf[ret < 0 ? 0 : ret] = 0;
	return ret;
}

/* ---- counters ---- */

/* Value of the named column of the "Tcp:" lines of /proc/net/snmp. */
__api unsigned long snmp_tcp(const char *name)
{
	char head[512] = "", vals[512] = "", *h, *v, *hs, *vs;
	unsigned long val = 0;
	FILE *f = fopen("/proc/net/snmp", "r");

	if (!f)
		MUST(-1);
	while (fgets(head, sizeof(head), f) && strncmp(head, "Tcp:", 4))
		;
	if (!fgets(vals, sizeof(vals), f))
		MUST(-1);
	fclose(f);
	h = strtok_r(head, " \n", &hs);
	v = strtok_r(vals, " \n", &vs);
	while (h && v && strcmp(h, name)) {
		h = strtok_r(NULL, " \n", &hs);
		v = strtok_r(NULL, " \n", &vs);
	}
	if (h && v)
		val = strtoul(v, NULL, 10);
	return val;
}

/* Value of a line of /proc/net/xtcp_stat; 0 without the module. */
__api unsigned long xtcp_stat(const char *name)
{
	char key[64];
	unsigned long val, found = 0;
	FILE *f = fopen("/proc/net/xtcp_stat", "r");

	if (!f)
		return 0;
	while (fscanf(f, "%63s %lu", key, &val) == 2)
		if (!strcmp(key, name))
			found = val;
	fclose(f);
	return found;
}

/* ---- options ---- */

__api int set_int(int fd, int level, int opt, int val)
{
	return setsockopt(fd, level, opt, &val, sizeof(val));
}

__api int get_int(int fd, int level, int opt)
{
	int val = -1;
	socklen_t len = sizeof(val);

	MUST(getsockopt(fd, level, opt, &val, &len));
	return val;
}

/* ---- waiting ---- */

#define EV_ALL (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | \
		POLLWRNORM | POLLWRBAND | POLLRDHUP)

/* Every event bit that stands now. */
__api int events_now(int fd)
{
	struct pollfd p = { fd, EV_ALL, 0 };

	MUST(poll(&p, 1, 0));
	return p.revents;
}

__api int poll_for(int fd, int events, int ms)
{
	struct pollfd p = { fd, events, 0 };
	long end = now_ms() + ms, left = ms;
	int n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR) {
		left = end - now_ms();
		if (left < 0)
			left = 0;
	}
	MUST(n);
	return p.revents;
}

/* Waits (bounded) for any of EVENTS, POLLERR or POLLHUP. */
__api int wait_for(int fd, int events)
{
	return poll_for(fd, events, DEADLINE_MS);
}

/* Waits (bounded) until N bytes can be read. */
__api bool wait_inq(int fd, int n)
{
	int have;

	return UNTIL(!ioctl(fd, SIOCINQ, &have) && have >= n);
}

/* Waits (bounded) until all that was sent is acknowledged. */
__api bool wait_acked(int fd)
{
	int left;

	return UNTIL(!ioctl(fd, SIOCOUTQ, &left) && !left);
}

/* Is the thread (of this process) or process asleep in a system call? */
__api bool is_asleep(int tid)
{
	char path[64], buf[256], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read(path, buf, sizeof(buf)) <= 0)
		return false;
	p = strrchr(buf, ')');
	return p && p[2] == 'S';
}

/* ---- data ---- */

__api unsigned char pattern(size_t i)
{
	return i * 7 + (i >> 8) * 13 + (i >> 16) * 31;
}

__api void fill(void *buf, size_t len, size_t off)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(off + i);
}

__api bool filled(const void *buf, size_t len, size_t off)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(off + i))
			return false;
	return true;
}

/* Sends TOTAL bytes of the pattern (blocking); bytes sent. */
__api size_t send_pattern(int fd, size_t total)
{
	static unsigned char buf[65536];
	size_t off = 0, len;
	ssize_t n;

	while (off < total) {
		len = total - off < sizeof(buf) ? total - off : sizeof(buf);
		fill(buf, len, off);
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		off += n;
	}
	return off;
}

/* Receives up to TOTAL bytes; how many came before EOF, error or a wrong byte. */
__api size_t recv_pattern(int fd, size_t total)
{
	static unsigned char buf[65536];
	size_t off = 0, len;
	ssize_t n;

	while (off < total) {
		len = total - off < sizeof(buf) ? total - off : sizeof(buf);
		n = recv(fd, buf, len, 0);
		if (n <= 0 || !filled(buf, n, off))
			break;
		off += n;
	}
	return off;
}

/* Bytes sent that the peer has not acknowledged. */
__api int in_flight(int fd)
{
	int all = 0, unsent = 0;

	MUST(ioctl(fd, SIOCOUTQ, &all));
	MUST(ioctl(fd, SIOCOUTQNSD, &unsent));
	return all - unsent;
}

/*
 * Fills the way to the peer without blocking; bytes taken.  It is full when
 * nothing more is taken while all that was sent is acknowledged (but for a
 * window probe's byte), or for longer than an ACK may be delayed.
 */
__api size_t stuff(int fd)
{
	static unsigned char buf[65536];
	int tries = 0, quiet = 0;
	size_t off = 0;
	ssize_t n;

	MUST(set_int(fd, SOL_SOCKET, SO_SNDBUF, 65536));
	while (quiet < 2 && tries < 30) {
		bool still = in_flight(fd) <= 1;

		fill(buf, sizeof(buf), off);
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			n = send(fd, buf, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			quiet = still ? quiet + 1 : 0;
			tries++;
			poll_for(fd, POLLOUT, 10);
			continue;
		}
		quiet = tries = 0;
		off += n;
	}
	return off;
}

#endif
