// SPDX-License-Identifier: GPL-2.0
/*
 * The address family AF_XTCP, the first of the two doors.  A socket of it is an
 * AF_INET or AF_INET6 socket of this protocol under other proto_ops: creation
 * goes through the second door, so that cgroup programs, LSMs and the IP
 * helpers see what they know, and the struct sock then moves over.
 *
 * The only file that knows AF_XTCP as the family of an address: bind() and
 * connect() take it for AF_INET or AF_INET6, whichever the socket is.  (sendmsg()
 * ignores the address, as TCP does.)  Addresses handed out say AF_INET or AF_INET6.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/net.h>

#include "xtcp.h"

/* what lies behind the door, and the door's own, by XTCPPROTO_* */
static const struct proto_ops *const inet_ops[] = {
	[XTCPPROTO_V4] = &xtcp_stream_ops,
	[XTCPPROTO_V6] = &xtcpv6_stream_ops,
};

static struct proto_ops door_ops[ARRAY_SIZE(inet_ops)];

static const struct proto_ops *behind(const struct socket *sock)
{
	return inet_ops[sock->sk->sk_family == AF_INET6 ? XTCPPROTO_V6 : XTCPPROTO_V4];
}

/* The address with the socket's own family in place of AF_XTCP, in @copy if it
 * differs; the caller's buffer may be constant.
 */
static xt_sockaddr *translate(const struct socket *sock, xt_sockaddr *uaddr, int len,
			      struct sockaddr_storage *copy)
{
	sa_family_t family;

	memcpy(&family, uaddr, sizeof(family));
	if (family != xtcp_family)
		return uaddr;
	memcpy(copy, uaddr, min_t(size_t, len, sizeof(*copy)));
	copy->ss_family = sock->sk->sk_family;
	return (xt_sockaddr *)copy;
}

static int door_bind(struct socket *sock, xt_sockaddr *uaddr, int len)
{
	struct sockaddr_storage copy;

	if (len < (int)sizeof(sa_family_t))
		return -EINVAL;
	return behind(sock)->bind(sock, translate(sock, uaddr, len, &copy), len);
}

static int door_connect(struct socket *sock, xt_sockaddr *uaddr, int len, int flags)
{
	struct sockaddr_storage copy;

	if (len < (int)sizeof(sa_family_t))
		return -EINVAL;
	return behind(sock)->connect(sock, translate(sock, uaddr, len, &copy), len, flags);
}

/* The sk of @from becomes @to's; the reference that @from->ops has on the module
 * goes with sock_release(), the family's core takes one for @to->ops itself.
 */
static void move_sk(struct socket *from, struct socket *to)
{
	struct sock *sk = from->sk;

	lock_sock(sk);
	from->sk = NULL;
	to->state = SS_UNCONNECTED;
	to->flags |= from->flags;
	sock_graft(sk, to);
	release_sock(sk);
}

static int door_create(struct net *net, struct socket *sock, int protocol, int kern)
{
	struct socket *inner;
	int err;

	if (sock->type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != XTCPPROTO_V4 && protocol != XTCPPROTO_V6)
		return -EPROTONOSUPPORT;
	err = __sock_create(net, protocol == XTCPPROTO_V6 ? PF_INET6 : PF_INET,
			    SOCK_STREAM, xtcp_protocol, &inner, kern);
	if (err)
		return err;
	move_sk(inner, sock);
	sock->ops = &door_ops[protocol];
	sock_release(inner);
	return 0;
}

static struct net_proto_family door = {
	.create = door_create,
	.owner = THIS_MODULE,
};

int xtcp_family_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(inet_ops); i++) {
		door_ops[i] = *inet_ops[i];
		door_ops[i].family = xtcp_family;
		door_ops[i].bind = door_bind;
		door_ops[i].connect = door_connect;
	}
	door.family = xtcp_family;
	err = sock_register(&door);
	if (err != -EEXIST)
		return err;
	pr_err("address family %d is taken, choose another by family=\n", xtcp_family);
	return -EBUSY;
}

void xtcp_family_exit(void)
{
	sock_unregister(xtcp_family);
}
