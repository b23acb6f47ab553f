#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What an observer sees of a connection: tracepoints that tell the whole story, counters that agree with
# them, a capture with nothing but protocol 253 in it, the dissector, the ladder diagram.
. ./lib.sh
T=/sys/kernel/tracing
LADDER=$HERE/../../scripts/ladder
LUA=$HERE/../../scripts/xtcp.lua
plan 26
two_hosts

if [[ ! -e $T/events/xtcp ]]; then
	PLAN=1
	skip "reference: no tracing in this kernel"
	finished
fi

trace_on() { echo >$T/trace; echo 30000 >$T/buffer_size_kb; echo 1 >$T/events/xtcp/enable; }
trace_off() { echo 0 >$T/events/xtcp/enable; cat $T/trace >"$TMP/trace"; }
capture_on() {
	: >"$TMP/dump"
	ip netns exec a tcpdump -q -i eth-b -s 200 -B 16384 -w "$TMP/pcap" 2>"$TMP/dump" &
	DUMP=$!
	until_true 20 grep -q listening "$TMP/dump"
}
capture_off() { sleep 1; kill -INT $DUMP; wait $DUMP 2>/dev/null; true; }

# events KIND [PATTERN]: how many of the trace are of this kind and contain the pattern
events() { grep -c " xtcp_$1: .*${2:-}" "$TMP/trace"; }
tshark_says() { tshark -X "lua_script:$LUA" -o tcp.check_checksum:FALSE -r "$TMP/pcap" "$@" 2>/dev/null; }

# Undisturbed is what nothing overtakes and no timer doubts. Segments that leave by two processors may
# pass each other, so all of this runs on one; and where real time counts, a busy machine answers later
# than 1 ms, so the hosts promise their ACKs for as late as any TCP's come.
taskset -pc 0 $$ >/dev/null || exit 1
PROMISE=$(time_is_virtual && echo 1000 || echo 40000)
promised() {
	local host
	for host in a b; do ip netns exec $host sysctl -qw net.xtcp.max_ack_delay="$1" || return; done
}

# observed FAMILY DOOR BYTES: a transfer under observation, until neither end sends any more
observed() {
	local before_a before_b
	before_a=$(stat a OutSegs) before_b=$(stat b OutSegs)
	trace_on
	capture_on || return
	over_xtcp transfer "$1" "$2" "$3" 1 || { trace_off; capture_off; return 1; }
	until_true 60 eval '(($(stat a CurrOrphans) + $(stat b CurrOrphans) == 0))' || return
	capture_off
	trace_off
	SENT_A=$(($(stat a OutSegs) - before_a)) SENT_B=$(($(stat b OutSegs) - before_b))
	echo "sent: a $SENT_A, b $SENT_B"
}

# Each endpoint's arrows follow on each other, from CLOSED on; the ends of both are where the table says.
arrows_connect() {
	awk 'match($0, / xtcp_state: /) {
		split("", f)
		for (i = 1; i <= NF; i++) if (split($i, kv, "=") == 2) f[kv[1]] = kv[2]
		end = f["ns"] " " f["local"] " " f["remote"]
		if (end in at && at[end] != f["old"]) { print "a gap before: " $0; bad = 1 }
		if (!f["event"]) { print "no event: " $0; bad = 1 }
		at[end] = f["new"]; path[end] = path[end] " " f["new"]; n++ }
		END { for (e in path) print e ":" path[e]; exit bad || !n }' "$TMP/trace" >"$TMP/paths" || { cat "$TMP/paths"; return 1; }
	cat "$TMP/paths"
	grep -q ': SYN-SENT ESTABLISHED' "$TMP/paths" && grep -q 'SYN-RECEIVED ESTABLISHED' "$TMP/paths"
}

# What one end sends is what the other one gets, and none of it is dropped.
segments_agree() {
	local out in drops
	out=$(events seg_out) in=$(events seg_in) drops=$(grep " xtcp_seg_in: " "$TMP/trace" | grep -vc 'drop=-')
	echo "$out sent, $in received, $drops dropped"
	grep " xtcp_seg_in: " "$TMP/trace" | grep -v 'drop=-'
	((out > 10 && out == in && drops == 0 && SENT_A + SENT_B >= out))
}

only_protocol_253() {
	local all other
	all=$(tshark_says -Y 'ip.proto == 253 || ipv6.nxt == 253' | wc -l)
	other=$(tshark_says -Y '!(ip.proto == 253 || ipv6.nxt == 253 || arp || icmpv6)')
	echo "$all of protocol 253; others: $other"
	((all > 10)) && [[ ! $other ]]
}

undisturbed() {
	local bad
	bad=$(tshark_says -Y '_ws.malformed || tcp.analysis.retransmission || tcp.analysis.out_of_order ||
		tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment')
	[[ ! $bad ]] || { echo "$bad" | head; return 1; }
}

# The dissector: decoded as TCP without being told so, and the option in both SYNs and nowhere else.
dissected() {
	local fields
	fields=$(tshark_says -Y tcp.flags.syn==1 -T fields -e tcp.flags.ack -e xtcp.version -e xtcp.unit -e xtcp.ack_delay)
	echo "$fields"
	[[ $fields == $'0\t1\t1\t'"$PROMISE"$'\n1\t1\t1\t'"$PROMISE" ]] || return
	[[ ! $(tshark_says -Y 'xtcp.version && tcp.flags.syn==0') && ! $(tshark_says -Y xtcp.bad) ]]
}

drawn() {
	"$LADDER" --svg "$TMP/svg" "$TMP/trace" >"$TMP/ladder" || return
	tail -n 12 "$TMP/ladder"
	grep -q 'SYN-SENT' "$TMP/ladder" && grep -q 'TIME-WAIT' "$TMP/ladder" && grep -q FIN "$TMP/ladder" &&
		python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$TMP/svg"
}

# Losses: what is sent again is told with its cause.
losses_are_told() {
	local before n
	before=$(($(stat a RetransSegs) + $(stat b RetransSegs)))
	observed "$1" "$2" 2000000 || return
	n=$(($(stat a RetransSegs) + $(stat b RetransSegs) - before))
	echo "$(events retransmit) events, $n segments sent again"
	(($(events retransmit) > 0 && $(events retransmit) <= n)) &&
		(($(events retransmit) == $(events retransmit 'cause=\(fast\|timeout\|syn\|probe\)$')))
}

# A cable that is cut while the connection begins: the SYN again, and the timer that did it.
lost_syn_is_told() {
	local before
	before=$(stat a SynRetrans)
	impair loss 100%
	(until_true 60 eval '(($(stat a SynRetrans) > before))'; heal) &
	observed "$1" "$2" 1000 || return
	grep 'xtcp_timer\|xtcp_retransmit' "$TMP/trace"
	(($(events retransmit 'cause=syn$') > 0 && $(events timer 'timer=REXMT .*late_ns=[0-9]*$') > 0))
}

# A segment that is not for anybody: dropped, and the reason is in the trace and in the counter.
reason_is_told() {
	local reason before
	before=$(stat b InSegs)
	trace_on
	ip netns exec a python3 - "$1" "$(address "$1" 2)" <<<'
import socket, struct, sys
inet, to = (socket.AF_INET, socket.AF_INET6)[sys.argv[1] == "6"], sys.argv[2]
s = socket.socket(inet, socket.SOCK_RAW, 253)
s.connect((to, 0))
me = s.getsockname()[0]
h = struct.pack("!HHIIBBHHH", 4711, 4712, 1, 0, 5 << 4, 4, 100, 0, 0)
if inet == socket.AF_INET:
    pseudo = socket.inet_pton(inet, me) + socket.inet_pton(inet, to) + struct.pack("!HH", 253, len(h))
else:
    pseudo = socket.inet_pton(inet, me) + socket.inet_pton(inet, to) + struct.pack("!II", len(h), 253)
t = sum(struct.unpack("!%dH" % ((len(pseudo) + len(h)) // 2), pseudo + h))
while t >> 16:
    t = (t & 0xffff) + (t >> 16)
s.send(h[:16] + struct.pack("!H", ~t & 0xffff) + h[18:])
' || return
	until_true 20 eval '(($(stat b InSegs) > before))' || return
	trace_off
	grep " xtcp_seg_in: .*:4712 remote" "$TMP/trace"
	reason=$(sed -n 's/.* xtcp_seg_in: .*:4712 remote.* flags=RST .*drop=\([A-Za-z]*\)$/\1/p' "$TMP/trace")
	[[ $reason ]] && (($(stat b "$reason") > 0))
}

for family in 4 6; do
	door=$([[ $family == 4 ]] && echo inet || echo xtcp)
	promised "$PROMISE"
	check "IPv$family $door: a transfer is observed" observed $family $door 200000
	check "IPv$family $door: every arrow follows on the one before" arrows_connect
	check "IPv$family $door: what is sent is received" segments_agree
	check "IPv$family $door: the capture holds protocol 253 only" only_protocol_253
	check "IPv$family $door: tshark finds no disturbance" undisturbed
	check "IPv$family $door: the dissector shows the option" dissected
	check "IPv$family $door: the ladder is drawn" drawn
	promised 1000
	impair loss 10% delay 1ms
	check "IPv$family $door: losses are told" losses_are_told $family $door
	heal
	check "IPv$family $door: a lost SYN and its timer are told" lost_syn_is_told $family $door
	for event in state seg_in seg_out; do
		check "IPv$family $door: xtcp_$event names addresses and ports" eval \
			'(($(events $event) > 0 && $(events $event) == $(events $event "ns=[0-9]* local=\[[0-9a-f:.]*\]:[0-9]* remote=\[[0-9a-f:.]*\]:[0-9]* ")))'
	done
	check "IPv$family: a dropped segment has its reason" reason_is_told $family
done
finished
