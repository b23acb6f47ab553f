# SPDX-License-Identifier: GPL-2.0
# Feature probes: each greps a header of the kernel that is built against and
# defines XT_* where the feature is there.  Not LINUX_VERSION_CODE, since stable
# and distribution kernels carry features of later versions.  Only compat.h tests
# these names.  In the patterns `.` stands for a parenthesis, which make would take.

xt-include := $(srctree)/include
xt-probe = $(shell grep -qsE '$(2)' $(xt-include)/$(1) && echo -D$(3))

# bind() and connect() take struct sockaddr_unsized
ccflags-y += $(call xt-probe,linux/socket.h,^struct sockaddr_unsized,XT_SOCKADDR_UNSIZED)
# accept() takes struct proto_accept_arg
ccflags-y += $(call xt-probe,net/sock.h,^struct proto_accept_arg,XT_ACCEPT_ARG)
# proto.ioctl takes int *karg
ccflags-y += $(call xt-probe,net/sock.h,int .karg.;,XT_IOCTL_KARG)
# proto.recvmsg returns the length of the address
ccflags-y += $(call xt-probe,net/sock.h,int flags. int .addr_len.;,XT_RECVMSG_ADDRLEN)
# inet_recv_error() as well
ccflags-y += $(call xt-probe,net/inet_common.h,^[[:space:]]+int .addr_len.;,XT_RECVERR_ADDRLEN)
# the cgroup's connect hooks may change the length of the address
ccflags-y += $(call xt-probe,linux/bpf-cgroup.h,RUN_PROG_INET4_CONNECT.sk. uaddr. uaddrlen,XT_CGROUP_ADDRLEN)
# proto_ops.sendpage, replaced by MSG_SPLICE_PAGES
ccflags-y += $(call xt-probe,linux/net.h,sendpage_locked,XT_SENDPAGE)
# struct proto says where ipv6_pinfo is
ccflags-y += $(call xt-probe,net/sock.h,ipv6_pinfo_offset,XT_PINFO_OFFSET)
# flags of struct inet_sock are bits of inet_flags, not bit-fields
ccflags-y += $(call xt-probe,net/inet_sock.h,inet_flags;,XT_INET_FLAGS)
# inet_sk_get_local_port_range() returns bool
ccflags-y += $(call xt-probe,net/ip.h,^bool inet_sk_get_local_port_range,XT_PORT_RANGE_BOOL)
# sk_uid()
ccflags-y += $(call xt-probe,net/sock.h,kuid_t sk_uid.,XT_SK_UID)
# hrtimer_setup()
ccflags-y += $(call xt-probe,linux/hrtimer.h,void hrtimer_setup.struct,XT_HRTIMER_SETUP)
# sysctl handlers take a const table
ccflags-y += $(call xt-probe,linux/sysctl.h,typedef int proc_handler.const,XT_CTL_CONST)
# sysctl tables come with their size and without a sentinel
ccflags-y += $(call xt-probe,net/net_namespace.h,register_net_sysctl_sz,XT_SYSCTL_SZ)
# the list of flow labels is in struct inet_sock, not ipv6_pinfo
ccflags-y += $(call xt-probe,net/inet_sock.h,ipv6_fl_list,XT_FL_IN_INET_SOCK)
# struct tcp_info has tcpi_rcv_wnd
ccflags-y += $(call xt-probe,uapi/linux/tcp.h,tcpi_rcv_wnd,XT_TCPI_RCV_WND)
# and tcpi_total_rto
ccflags-y += $(call xt-probe,uapi/linux/tcp.h,tcpi_total_rto;,XT_TCPI_TOTAL_RTO)
