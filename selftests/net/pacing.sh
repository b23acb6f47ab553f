#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SO_MAX_PACING_RATE: a transfer takes its bytes by its rate, and no part of it leaves in bursts, with the
# sender's own timer as with fq on the device.
. ./lib.sh
MB=1000000
plan 10
two_hosts

# takes BYTES RATE: what the last flow took, never less than 5 % below; where time is virtual, no more
# than 5 % above
takes() {
	awk -v b="$1" -v r="$2" -v t="$SECONDS_TAKEN" -v exact="$(time_is_virtual && echo 1)" 'BEGIN {
		want = b / r
		printf "%s bytes in %s s, expected %s s\n", b, t, want
		exit !(t >= want * (1 - 0.05) && (!exact || t <= want * (1 + 0.05))) }'
}

# bursts MILLISECONDS: the most bytes of packets that a sent within any such time
bursts() {
	tcpdump -r "$TMP/pcap" -tt -nq 2>/dev/null | awk -v w="$1" '
		{ t[++k] = $1; len[k] = $NF }
		END {	first = 1
			for (i = 1; i <= k; i++) {
				sum += len[i]
				while (t[i] - t[first] > w / 1000) sum -= len[first++]
				if (sum > most) most = sum }
			print most + 0 }'
}

# limited FAMILY DOOR BYTES RATE
limited() {
	local most dump percent=110
	ip netns exec a tcpdump -i eth-b -s 80 -B 16384 -w "$TMP/pcap" -U "src $(address "$1" 1)" 2>"$TMP/dump" &
	dump=$!
	until_true 20 grep -q listening "$TMP/dump" || { cat "$TMP/dump"; return 1; }
	over_xtcp flow "$1" "$2" -n "$3" -r "$4" || { kill $dump; return 1; }
	sleep 0.5
	kill $dump
	wait $dump
	takes "$3" "$4" || return
	# 10 ms of text, one piece of 1 ms or two segments, 1 ms that a late timer may make up for; headers;
	# a real machine that stood still makes up for more
	time_is_virtual || percent=200
	most=$(bursts 10)
	echo "at most $most bytes in 10 ms"
	((most > 0 && most < ($4 / 1000 * 12 + 2 * 1500) * percent / 100))
}

for family in 4 6; do
	check "IPv$family: 200 KB at 100 KB/s" limited $family inet 200000 100000
	check "IPv$family: 3 MB at 1 MB/s" limited $family xtcp $((3 * MB)) $MB
	check "IPv$family: 30 MB at 20 MB/s" limited $family inet $((30 * MB)) $((20 * MB))
done
tc -n a qdisc replace dev eth-b root fq
for family in 4 6; do
	check "IPv$family with fq: 3 MB at 1 MB/s" limited $family inet $((3 * MB)) $MB
	check "IPv$family with fq: 30 MB at 20 MB/s" limited $family xtcp $((30 * MB)) $((20 * MB))
done
finished
