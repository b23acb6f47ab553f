#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One loss at a time, exactly placed: how often is something sent again, and how long does it take?
# Times follow from the delays that both ends have negotiated; RTT is that of the cable, 10 ms.
. ./cable.sh
cable_hosts
D=5000 RTT=10000		# us: one way, there and back

M=1000				# Mbit/s: a flight of 20 segments takes 0.25 ms
ACK_DELAY=$(ip netns exec a sysctl -n net.xtcp.max_ack_delay)
FLOOR=$(ip netns exec a sysctl -n net.xtcp.rto_floor)
SLACK=1000			# timers of both hosts, and the time that a flight takes
# RFC 8985 7.2: PTO = 2 SRTT + the peer's delay of ACKs, from the last ACK on
PTO=$((2 * RTT + ACK_DELAY + SLACK))
# SRTT + max(G, 4 RTTVAR, floor) + the peer's delay; RTTVAR began with RTT / 2 (RFC 6298 2.2)
RTO=$((RTT + (2 * RTT > FLOOR ? 2 * RTT : FLOOR) + ACK_DELAY + SLACK))

# each case in two of the four pairs of family and door
CASES=()
case_of() { CASES+=("$*"); }

undisturbed() {
	over_cable $1 $2 1000000 -d $D -m $M -- || return
	expect ab_again == 0 ab_vain == 0 ab_syn == 1 ba_synack == 1
}

# The last segment alone: no later one can tell of it, so the probe does (RFC 8985 7).
last_segment() {
	local seg=$(segment $1)
	over_cable $1 $2 $((20 * seg)) -d $D -m $M -- "ab data $((19 * seg)) $((20 * seg)) 1" || return
	expect rule0_dropped == 1 ab_again == 1 ab_vain == 0 rule0_healed "<=" $((RTT + PTO + D))
}

# The last three: the probe brings the last, its SACK and RACK the other two a round trip later.
last_three() {
	local seg=$(segment $1)
	over_cable $1 $2 $((20 * seg)) -d $D -m $M -- "ab data $((17 * seg)) $((20 * seg)) 1" || return
	expect rule0_dropped == 3 ab_again == 3 ab_vain == 0 rule0_healed "<=" $((RTT + PTO + RTT + RTT / 4 + D))
}

# One in the middle: fast, by the segments behind it.
one_of_many() {
	local seg=$(segment $1)
	over_cable $1 $2 $((100 * seg)) -d $D -m $M -- "ab data $((40 * seg)) $((41 * seg)) 1" || return
	expect rule0_dropped == 1 ab_again == 1 ab_vain == 0 rule0_healed "<=" $((RTT + RTT / 4 + RTT + SLACK))
}

# The retransmission itself: RACK sees it by what was sent after it (RFC 8985 5); at worst a timeout.
retransmission() {
	local seg=$(segment $1)
	over_cable $1 $2 $((200 * seg)) -d $D -m $M -- "ab data $((40 * seg)) $((41 * seg)) 2" || return
	expect rule0_dropped == 2 ab_again == 2 ab_vain == 0 rule0_healed "<=" $((2 * (RTT + RTT / 4) + RTT + SLACK))
}

# An unknown destination: RFC 6298 2.1, one second.
syn() {
	over_cable $1 $2 10000 -d $D -m $M -- "ab syn 1" || return
	expect ab_syn == 2 ba_synack == 1 ab_again == 0 established "<=" $((1000000 + RTT + SLACK)) established ">=" 1000000
}

synack() {
	over_cable $1 $2 10000 -d $D -m $M -- "ba synack 1" || return
	expect ba_synack ">=" 2 ab_again == 0 established "<=" $((1000000 + RTT + SLACK)) established ">=" 1000000
}

# A destination that a connection was to shortly before: its RTT, not a second (RFC 9040).
known_syn() {
	over_cable $1 $2 10000 -d $D -m $M -- || return
	KEEP=1 over_cable $1 $2 10000 -d $D -m $M -- "ab syn 1" || return
	expect ab_syn == 2 ba_synack == 1 ab_again == 0 established ">=" $RTT established "<=" $((10 * RTT))
}

known_synack() {
	over_cable $1 $2 10000 -d $D -m $M -- || return
	KEEP=1 over_cable $1 $2 10000 -d $D -m $M -- "ba synack 1" || return
	expect ab_syn "<=" 2 ba_synack ">=" 2 ab_again == 0 established ">=" $RTT established "<=" $((10 * RTT))
}

# Ten ACKs in a row in mid-flow: the next one says it all, nothing is sent again (RFC 9293 3.4).
burst_of_acks() {
	over_cable $1 $2 1000000 -d $D -m $M -- "ba acks 40 10" || return
	expect rule0_dropped == 10 ab_again == 0 ab_vain == 0
}

# The only ACK of a segment, and nothing else to send for long: the probe arrives twice, its ACK says so.
only_ack() {
	local seg=$(segment $1)
	over_cable $1 $2 $((2 * seg)) -d $D -m $M -w $seg:200000 -- "ba acks 0 1" || return
	expect rule0_dropped == 1 ab_again == 1 ab_vain == 1 ab_done ">=" 200000 ab_done "<=" $((200000 + 2 * RTT))
}

# The ACK of the probe as well: the timeout brings a third, and no sooner than an RTO after the probe (RFC 8985 7.3).
only_ack_and_the_next() {
	local seg=$(segment $1)
	over_cable $1 $2 $((2 * seg)) -d $D -m $M -w $seg:200000 -- "ba acks 0 2" || return
	expect rule0_dropped == 2 ab_again == 2 ab_vain == 2 ab_done ">=" 200000 ab_done "<=" $((200000 + 2 * RTT))
}

# The probe too: then the timeout, which starts anew with the probe (RFC 8985 7.3).
last_segment_and_probe() {
	local seg=$(segment $1)
	over_cable $1 $2 $((20 * seg)) -d $D -m $M -- "ab data $((19 * seg)) $((20 * seg)) 2" || return
	expect rule0_dropped == 2 ab_again == 2 ab_vain == 0 rule0_healed "<=" $((RTT + PTO + RTO + D))
}

for one in "last_segment 4 inet" "last_segment 6 xtcp" "last_three 6 inet" "last_three 4 xtcp" "one_of_many 4 xtcp" \
	"one_of_many 6 inet" "retransmission 4 inet" "retransmission 6 xtcp" "syn 4 xtcp" "syn 6 inet" "synack 4 inet" \
	"synack 6 xtcp" "known_syn 4 inet" "known_syn 6 xtcp" "known_synack 4 xtcp" "known_synack 6 inet" "burst_of_acks 4 xtcp" "burst_of_acks 6 inet" "only_ack 4 inet" "only_ack 6 xtcp" \
	"only_ack_and_the_next 4 xtcp" "only_ack_and_the_next 6 inet" \
	"last_segment_and_probe 4 xtcp" "last_segment_and_probe 6 inet" \
	"undisturbed 4 inet" "undisturbed 6 xtcp"; do
	case_of "$one"
done

# What RetransSegs counts is what was on the cable.
with_counter() {
	"$@" || return
	((COUNTED == SAW[retrans])) || { echo "RetransSegs moved by $COUNTED, the cable saw ${SAW[retrans]}"; return 1; }
}

plan ${#CASES[@]}
for one in "${CASES[@]}"; do
	# shellcheck disable=SC2086
	set -- $one
	check "${1//_/ }, IPv$2 $3" with_counter "$1" "$2" "$3"
	note "sent again ${SAW[ab_again]:-}, in vain ${SAW[ab_vain]:-}, healed after ${SAW[rule0_healed]:--} us, done at ${SAW[ab_done]:-} us"
done
finished
