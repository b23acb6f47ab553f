#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Congestion controllers: each one moves bytes over a link that loses and marks; one of another module
# is listed, used, holds its module while sockets or a namespace use it, and goes. ECN: who agrees to it,
# marks instead of losses, what the counters say of marks and reductions; a SYN lost for offering it.
. ./lib.sh
SAMPLE=${SAMPLE:-./cc_sample.ko}
BYTES=$((MEGABYTES << 17))
plan 39
two_hosts

both() { ip netns exec a sysctl -qw "net.xtcp.$1" && ip netns exec b sysctl -qw "net.xtcp.$1"; }
offers() { ip netns exec a sysctl -qw "net.xtcp.ecn=$1" && ip netns exec b sysctl -qw "net.xtcp.ecn=$2"; }
available() { sysctl -n net.xtcp.available_congestion_control | tr ' ' '\n' | grep -qx "$1"; }
not() { ! "$@"; }

# super on|off: does text leave in super-packets? Without, each segment has its own fate.
super() {
	ip netns exec a ethtool -K eth-b tso $1 gso $1 tx-sctp-segmentation $1 >/dev/null 2>&1
	ip netns exec b ethtool -K eth-a tso $1 gso $1 tx-sctp-segmentation $1 >/dev/null 2>&1
}

# ---- the controllers that are built in ----

super off
for cc in cubic reno dctcp; do
	both congestion_control=$cc
	impair delay 2ms loss 1%
	check "$cc: bytes over a link that loses" over_xtcp transfer 4 inet $BYTES 2
	heal
done
both congestion_control=cubic
super on

# ---- ECN ----

offers 2 2
for family in 4 6; do
	check "IPv$family: ECN is not offered by default" moved 0 a EcnAgreed transfer $family inet 1000 1
done
offers 1 2
for family in 4 6; do
	check "IPv$family: offered, and agreed by the client" moved 1 a EcnAgreed transfer $family inet 1000 1
	check "IPv$family: offered, and agreed by the server" moved 1 b EcnAgreed transfer $family inet 1000 1
done
offers 1 0
for family in 4 6; do
	check "IPv$family: offered, and refused" moved 0 a EcnAgreed transfer $family inet 1000 1
done

# mark_every N: of the segments of a with ECT(0) every Nth is marked on its way out
mark_every() {
	ip netns exec a nft -f - <<-END
		table inet marks {
			chain out {
				type filter hook output priority 0;
				ip protocol 253 ip ecn ect0 numgen inc mod $1 0 ip ecn set ce
				ip6 nexthdr 253 ip6 ecn ect0 numgen inc mod $1 0 ip6 ecn set ce
			}
		}
	END
}
mark_none() { ip netns exec a nft delete table inet marks; }

# Nothing is lost, so nothing may be sent again, but for a real machine that stood still for longer than
# a timeout of some ms; a reduction a window is less than one a mark.
marked() {
	local marks cuts resent
	marks=$(stat b EcnMarks) cuts=$(stat a EcnReductions) resent=$(stat a RetransSegs)
	transfer "$1" inet $BYTES 2 || return
	marks=$(($(stat b EcnMarks) - marks)) cuts=$(($(stat a EcnReductions) - cuts))
	resent=$(($(stat a RetransSegs) - resent))
	echo "marks $marks, reductions $cuts, segments sent again $resent"
	((marks > 0 && cuts > 0 && cuts <= marks)) && { ! time_is_virtual || ((resent == 0)); }
}

# A bottleneck whose queue marks what stands behind 6250 bytes: 50 Mbit/s, or what a slow machine fills
MBIT=50
[[ -z ${XTCP_SLOW:-} ]] || MBIT=2
bottleneck() {
	tc -n a qdisc replace dev eth-b root handle 1: tbf rate ${MBIT}mbit burst 20kb limit 4mb &&
		tc -n a qdisc add dev eth-b parent 1:1 handle 10: fq_codel ecn \
			ce_threshold $((50000 / MBIT))us target $((5000 / MBIT))ms interval $((50 / MBIT))s limit 4000
}

offers 1 1
check "every third super-packet is marked" mark_every 3
for family in 4 6; do
	check "IPv$family: marks are echoed and answered" marked $family
done
mark_none
offers 2 2
both congestion_control=dctcp
check "a queue that marks" bottleneck
for family in 4 6; do
	check "IPv$family: DCTCP asks for ECN by itself" moved 1 a EcnAgreed transfer $family inet 1000 1
	check "IPv$family: DCTCP through that queue" marked $family
done
# CUBIC overshoots that queue by a window: many marks, one reduction (a slow machine has few)
both congestion_control=cubic
offers 1 1
once_a_window() {
	local marks cuts
	marks=$(stat b EcnMarks) cuts=$(stat a EcnReductions)
	marked "$1" || return
	marks=$(($(stat b EcnMarks) - marks)) cuts=$(($(stat a EcnReductions) - cuts))
	! time_is_virtual || ((3 * cuts <= marks))
}
for family in 4 6; do
	check "IPv$family: CUBIC through that queue, a reduction a window" once_a_window $family
done
tc -n a qdisc del dev eth-b root

# A middlebox that drops a SYN with ECE and CWR: RFC 3168 6.1.1.1
drop_setup() {
	ip netns exec "$1" nft -f - <<-END
		table inet setup {
			chain out {
				type filter hook output priority 0;
				meta l4proto 253 @th,104,8 & 0xc2 == 0xc2 drop
			}
		}
	END
}
check "ECN-setup SYNs are dropped" drop_setup a
check "a SYN sent again does not offer ECN" moved 0 a EcnAgreed transfer 4 inet 1000 1
check "and was sent again" moved + a SynRetrans transfer 6 inet 1000 1
ip netns exec a nft delete table inet setup
both syncookies=2
check "no ECN on a connection from a cookie" moved 0 b EcnAgreed transfer 4 inet 1000 1
both syncookies=1
offers 2 2

# ---- one of another module ----

parameter() { cat "/sys/module/cc_sample/parameters/$1"; }
used() { (($(parameter acks) > 0 && $(parameter cuts) > 0)); }
idle() { (($(parameter live) == 0)); }
refused() { ! rmmod cc_sample 2>/dev/null && [[ -d /sys/module/cc_sample ]]; }
unloaded() { rmmod cc_sample 2>/dev/null || [[ ! -d /sys/module/cc_sample ]]; }
hold_listener() {
	ip netns exec b ./xfer -s -p 7000 -n 10 >/dev/null 2>&1 &
	HOLDER=$!
	until_true 10 ip netns exec b grep -q ':1B58 .* 0A ' /proc/net/xtcp
}
drop_listener() { kill -9 $HOLDER; wait $HOLDER 2>/dev/null; true; }

super off
check "the sample is not known before it is loaded" not available sample
check "insmod" insmod "$SAMPLE"
check "it is available" available sample
check "twice is once too often" not insmod "$SAMPLE"
super off
impair delay 2ms loss 1%
check "it becomes the default" both congestion_control=sample
check "bytes over it, IPv4" over_xtcp transfer 4 inet $BYTES 2
check "bytes over it, IPv6" over_xtcp transfer 6 xtcp $BYTES 2
heal
super on
check "it was asked about ACKs and losses" used
check "rmmod refused while it is a default" refused
hold_listener
both congestion_control=cubic
check "rmmod refused while a socket uses it" refused
drop_listener
check "connections have left it" until_true 20 idle
check "rmmod" until_true 20 unloaded
check "it is gone from the list" not available sample
check "and cannot be chosen" not both congestion_control=sample
finished
