// SPDX-License-Identifier: GPL-2.0
/*
 * Sending without a copy: the pages of a file or a pipe become frags of the send queue
 * (sendfile, splice, vmsplice).  The queue (sndbuf.c) treats them like its own but for one
 * thing: others may write to them at any time.  What is sent then is not defined, as with
 * TCP; only the checksum must fit, so whoever computes one makes a copy first
 * (SKBFL_SHARED_FRAG).
 */
#include <linux/bvec.h>
#include <linux/uio.h>
#include "xtcp.h"

/* Pages taken at once */
#define PAGES_MOST	16

/* How many of @n bytes from @start in @pages on can be taken as they are: a slab may be freed
 * and used again whatever references its pages have.
 */
static size_t usable(struct page **pages, size_t start, size_t n)
{
	size_t done = 0;

	for (; done < n; pages++, done += PAGE_SIZE - start, start = 0)
		if (unlikely(!sendpage_ok(*pages)))
			return done;
	return n;
}

/* @n bytes from @start in @pages on into the queue, with the references on those pages; the
 * references that it does not need, and those on the pages behind, go.
 */
static void append_pages(struct sock *sk, struct page **pages, u32 count, u32 start, u32 n)
{
	u32 part;

	for (; count--; pages++, start = 0, n -= part) {
		part = min_t(u32, n, PAGE_SIZE - start);
		if (!part || !xtcp_sndbuf_append(sk, *pages, start, part, true))
			put_page(*pages);
	}
}

/* Return: bytes taken, 0 = no room now, -EFAULT; @copy: these pages must be copied */
static int take_pages(struct sock *sk, struct msghdr *msg, bool *copy)
{
	size_t most = min_t(size_t, msg_data_left(msg), SZ_64K), start, good;
	struct page *pages[PAGES_MOST];
	u32 count;
	ssize_t n;

	if (!xtcp_sndbuf_room(sk, PAGES_MOST))
		return 0;
	n = iov_iter_get_pages2(&msg->msg_iter, pages, most, PAGES_MOST, &start);
	if (n <= 0)
		return n ?: -EFAULT;
	count = DIV_ROUND_UP(start + n, PAGE_SIZE);
	good = usable(pages, start, n);
	*copy = !good;
	if (!xtcp_sndbuf_memory(sk, good, count))
		good = 0;
	append_pages(sk, pages, count, start, good);
	iov_iter_revert(&msg->msg_iter, n - good);
	return good;
}

/* MSG_SPLICE_PAGES; some of the bytes.  Return: as xtcp_sndbuf_take() */
int xtcp_splice_take(struct sock *sk, struct msghdr *msg)
{
	bool copy = false;
	int n = take_pages(sk, msg, &copy);

	if (unlikely(copy))
		return xtcp_sndbuf_take(sk, msg);
	if (n > 0)
		xtcp_sk_mib_add(sk, XTCP_SPLICED_BYTES, n);
	return n;
}

/* proto_ops.sendpage, before MSG_SPLICE_PAGES took its place */
ssize_t xtcp_sendpage(struct socket *sock, struct page *page, int off, size_t len, int flags)
{
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };
	struct bio_vec bvec = { .bv_page = page, .bv_offset = off, .bv_len = len };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bvec, 1, len);
	return xtcp_sendmsg(sock->sk, &msg, len);
}

/* proto_ops.splice_eof: the file was shorter than sendfile() had believed, so what was
 * held back for more goes.
 */
void xtcp_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	lock_sock(sk);
	if (tcb->more) {
		tcb->more = 0;
		tcb->push_seq = tcb->write_seq;
		xtcp_flush(sk, xtcp_now());
	}
	release_sock(sk);
}
