#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nothing is lost, but segments come late: behind others, at random, or all of them when the path
# becomes a hundred times longer. What is sent again is sent in vain and must stay rare; the
# throughput must stay.
. ./cable.sh
cable_hosts
BYTES=2000000
M=1000				# Mbit/s: 12 us a segment, so no queue of an earlier flight is left
declare -A USUAL		# us for BYTES undisturbed, by family
plan 20

# share NAME OF PERMILLE: ab_NAME is at most that much of the segments with text
at_most() {
	((SAW[$1] * 1000 <= SAW[ab_data] * $2)) || { echo "$1: ${SAW[$1]} of ${SAW[ab_data]} segments"; show_packets; return 1; }
}

undisturbed() {
	over_cable $1 $2 $BYTES -d 5000 -m $M -- || return
	USUAL[$1]=${SAW[ab_done]}
	expect ab_again == 0
}

# Every 20th segment comes $3 segments late; $4: how many may be sent again. Fewer than DupThresh never
# (RFC 8985 6.2: a quarter of the shortest RTT is waited). Where it is deeper the sender learns:
# each DSACK widens its window for a while (6.2 step 4).
depth() {
	over_cable $1 $2 $BYTES -d 5000 -m $M -- "ab slow 20 $(($3 * 12 + 6))" || return
	expect ab_vain == ${SAW[ab_again]} ab_again "<=" $4 ab_done "<=" $((USUAL[$1] * 10 / 9))
}

# Queues on the way grow and shrink by half of the RTT, the order stays: nothing to retransmit.
swaying() {
	over_cable $1 $2 $BYTES -d 2500 -m 100 -j 5000 -o -- || return
	at_most ab_again 1
}

# Five times the RTT, and every order, so that no reordering window is wide enough: at most a tenth in
# vain (2 to 6 % are seen, by the chance of what overtakes what), and it goes on.
wild() {
	over_cable $1 $2 $BYTES -d 500 -m 100 -j 5000 -- || return
	at_most ab_again 100 && expect ab_done "<=" 4000000
}

# From 1 to 100 ms in mid-flow: a probe and timeouts, each twice the one before, until the first ACK
# over the new path comes; it shows that they were spurious (RFC 3522, 5682), and nothing of what is
# in flight is sent again: 3 + 6 + 12 + 24 + 48 + 96 ms. The window stays at a few RTTs of the old path.
longer() {
	local BUFFER=100000
	over_cable $1 $2 $BYTES -d 500 -m $M -- "ab shift 1000000 50000" || return
	expect ab_again ">" 0 ab_again "<=" 8 ab_vain == ${SAW[ab_again]} ab_done "<=" 4000000
}

run() {
	check "$1" "${@:2}"
	note "sent again ${SAW[ab_again]:-} of ${SAW[ab_data]:-}, in vain ${SAW[ab_vain]:-}, done at ${SAW[ab_done]:-} us"
}

for pair in "4 inet" "6 xtcp"; do
	# shellcheck disable=SC2086
	set -- $pair
	run "IPv$1 $2 undisturbed" undisturbed $1 $2
	run "IPv$1 $2 one segment late" depth $1 $2 1 0
	run "IPv$1 $2 two segments late" depth $1 $2 2 0
done
for pair in "4 xtcp" "6 inet"; do
	# shellcheck disable=SC2086
	set -- $pair
	run "IPv$1 $2 undisturbed" undisturbed $1 $2
	run "IPv$1 $2 four segments late" depth $1 $2 4 16
	run "IPv$1 $2 fifteen segments late" depth $1 $2 15 16
	run "IPv$1 $2 forty segments late" depth $1 $2 40 16
done
for pair in "4 inet" "6 xtcp"; do
	# shellcheck disable=SC2086
	set -- $pair
	run "IPv$1 $2 jitter of the RTT, in order" swaying $1 $2
	run "IPv$1 $2 jitter beyond the RTT, in any order" wild $1 $2
	run "IPv$1 $2 from 1 to 100 ms" longer $1 $2
done
finished
