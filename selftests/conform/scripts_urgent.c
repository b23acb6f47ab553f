// SPDX-License-Identifier: GPL-2.0
/*
 * Urgent data as RFC 6093 describes what systems do: the pointer names the byte
 * after the urgent one, of which there is one; out of band unless
 * SO_OOBINLINE.  With net.xtcp.stdurg (tcp_stdurg) the pointer names the urgent
 * byte itself, as RFC 9293 3.8.5 has it (MUST-62).
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include "known.h"
#include "states.h"

static int at_mark(void)
{
	int at = -1;

	check_eq(ioctl(c->fd, SIOCATMARK, &at), 0);
	return at;
}

static void send_urgent(int len)
{
	char buf[64];
	int i;

	for (i = 0; i < len; i++)
		buf[i] = seg_pattern(c->write_pos + i);
	note("           | send %d bytes with MSG_OOB\n", len);
	check_eq(send(c->fd, buf, len, MSG_OOB), len);
	c->write_pos += len;
}

static bool has_pri(void)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLPRI };

	return poll(&pfd, 1, 0) == 1;
}

SCRIPT(sent_pointer, "RFC 6093 2.1, 4: one past the last urgent byte")
{
	establish();
	send_urgent(5);
	expect(ACK | URG, .seq = 1, .ack = 1, .len = 5, .urg = 5);
	inject(ACK, .seq = 1, .ack = 6);
	stack_write(10);			/* beyond the mark: no URG */
	expect(ACK, .seq = 6, .ack = 1, .len = 10);
}

SCRIPT(sent_pointer_standard, "RFC 9293 3.8.5, MUST-62: the last urgent byte")
{
	sysctl_set("stdurg", 1);
	establish();
	send_urgent(5);
	if (known("stdurg is for receiving only"))
		expect(ACK | URG, .seq = 1, .ack = 1, .len = 5, .urg = 5);
	else
		expect(ACK | URG, .seq = 1, .ack = 1, .len = 5, .urg = 4);
}

SCRIPT(pointer_ahead_of_text, "RFC 9293 3.8.5: announced with the text before it")
{
	establish_with(.mss = 1000);
	inject(ACK, .seq = 1, .ack = 1, .win = 1000);
	stack_write(1500);
	expect(ACK, .seq = 1, .ack = 1, .len = 1000);
	send_urgent(1);
	inject(ACK, .seq = 1, .ack = 1001, .win = 1000);
	expect(ACK | URG, .seq = 1001, .ack = 1, .len = 501, .urg = 501);
}

SCRIPT(received_out_of_band, "RFC 6093 3.1; tcp(7): recv() with MSG_OOB")
{
	char b = 0;

	establish();
	inject(ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 11);
	check(has_pri());
	check_eq(recv(c->fd, &b, 1, MSG_OOB), 1);
	check_eq(b, seg_pattern(5));
	check_eq(at_mark(), 0);
	/* normal reading stops before the mark and skips the urgent byte */
	stack_read(4);
	check_eq(at_mark(), 1);
	c->read_pos++;
	stack_read(5);
	check_eq(at_mark(), 0);
}

SCRIPT(received_inline, "RFC 6093 6: SO_OOBINLINE")
{
	char buf[20];

	establish();
	stack_opt(SOL_SOCKET, SO_OOBINLINE, 1);
	inject(ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 11);
	check_eq(recv(c->fd, buf, sizeof(buf), 0), 4);	/* up to the mark */
	check_eq(at_mark(), 1);
	check_eq(recv(c->fd, buf, 20, MSG_OOB), -1);
	check_eq(errno, EINVAL);
	c->read_pos = 5;
	stack_read(6);
	check_eq(at_mark(), 0);
}

SCRIPT(received_standard_pointer, "RFC 9293 3.8.5, MUST-62 with stdurg")
{
	char b = 0;

	sysctl_set("stdurg", 1);
	establish();
	inject(ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 11);
	check_eq(recv(c->fd, &b, 1, MSG_OOB), 1);
	check_eq(b, seg_pattern(6));
}

SCRIPT(pointer_before_its_byte, "RFC 9293 3.10.7.4(6), MUST-32: told at once")
{
	char b = 0;

	establish();
	inject(ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 20);
	expect(ACK, .seq = 1, .ack = 11);
	check_eq(recv(c->fd, &b, 1, MSG_OOB), -1);
	check_eq(errno, EAGAIN);		/* known of, not here yet */
	inject(ACK | URG, .seq = 11, .ack = 1, .len = 10, .urg = 10);
	expect(ACK, .seq = 1, .ack = 21);
	check_eq(recv(c->fd, &b, 1, MSG_OOB), 1);
	check_eq(b, seg_pattern(20));
}

SCRIPT(no_urgent_data, "tcp(7): recv(MSG_OOB) without any is EINVAL")
{
	char b;

	establish();
	check_eq(recv(c->fd, &b, 1, MSG_OOB), -1);
	check_eq(errno, EINVAL);
	check_eq(at_mark(), 0);
	check(!has_pri());
}

SCRIPT(pointer_without_flag, "RFC 9293 3.1: the pointer means nothing without URG")
{
	establish();
	inject(ACK, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 11);
	check(!has_pri());
	stack_read(10);
}

SCRIPT(second_pointer_replaces, "RFC 6093 3.2: one urgent byte at a time")
{
	char b = 0;

	establish();
	inject(ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 11);
	inject(ACK | URG, .seq = 11, .ack = 1, .len = 10, .urg = 5);
	expect(ACK, .seq = 1, .ack = 21);
	check_eq(recv(c->fd, &b, 1, MSG_OOB), 1);
	check_eq(b, seg_pattern(15));
	stack_read(14);				/* the first is normal data now */
	check_eq(at_mark(), 1);
}

SCRIPT_MAIN
