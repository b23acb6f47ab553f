# SPDX-License-Identifier: GPL-2.0
# Two hosts and a cable between them that fails as told (wire.c): one transfer over it, and what the
# cable saw of it, to be compared with what the RFCs demand. Sourced, never run.
. ./lib.sh

# Where a program between the hosts takes time, no exact time can be expected of them.
only_in_virtual_time "losses at exact places"

SEGMENT=1448			# of IPv4 with timestamps; IPv6: 20 less
declare -A SAW

cable_hosts() {
	local h n=1
	host a b r
	ip netns exec r sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	for h in a b; do
		ip link add eth netns $h type veth peer name "to-$h" netns r
		# the cable carries frames as they are on a wire: segments, with their checksums
		ip netns exec $h ethtool -K eth tx off tso off gso off tx-sctp-segmentation off >/dev/null 2>&1
		ip netns exec r ethtool -K "to-$h" tx off >/dev/null 2>&1
		ip -n $h addr add 10.0.1.$n/24 dev eth
		ip -n $h addr add fd00:1::$n/64 dev eth nodad
		ip -n r link set dev "to-$h" up
		ip -n $h link set dev eth up
		n=$((n + 1))
	done
}

segment() { if [[ $1 == 4 ]]; then echo $SEGMENT; else echo $((SEGMENT - 20)); fi; }

# Neighbours are found before, and what an earlier case taught a host is forgotten. `keep` keeps it.
KEEP=""
prepare() {
	local h flush
	ip netns exec a ping -q -c 1 -W 5 "$(address "$1" 2)" >/dev/null || return
	for h in a b; do
		flush=$(ip netns exec $h sh -c 'ls /proc/sys/net/xtcp/metrics_flush 2>/dev/null')
		[[ $KEEP || ! $flush ]] || ip netns exec $h sh -c "echo 1 >$flush" || return
	done
}

# wired COMMAND...: runs it with the cable plugged in; WIRE holds its arguments. SAW gets its account.
WIRE=()
wired() {
	local wire status=0 name value
	: >"$TMP/wire"
	ip netns exec r ./wire -l "$TMP/packets" "${WIRE[@]}" >"$TMP/wire" 2>&1 &
	wire=$!
	until_true 10 grep -q ready "$TMP/wire" || { cat "$TMP/wire"; return 1; }
	"$@" || status=$?
	kill $wire
	wait $wire
	SAW=()
	while read -r name value; do SAW[$name]=$value; done < <(grep -v ready "$TMP/wire")
	SAW[retrans]=$((SAW[ab_again] + SAW[ab_syn] - 1 + SAW[ab_fin] - 1))
	return $status
}

# The cable stays in until both ends are done with their FINs: an orphan would hold its namespace.
no_orphans() { (($(stat a CurrOrphans) + $(stat b CurrOrphans) == 0)); }

transfer_oneway() {
	local v6="" server status=0 before
	[[ $1 == 4 ]] || v6=-6
	prepare "$1" || { echo "no way to the other host"; return 1; }
	PORT=$((PORT + 1))
	: >"$TMP/server"
	ip netns exec b ./oneway -s -p $PORT -d "$2" $v6 ${BUFFER:+-b $BUFFER} >"$TMP/server" 2>&1 &
	server=$!
	until_true 10 grep -q listening "$TMP/server" || { cat "$TMP/server"; return 1; }
	before=$(stat a RetransSegs)
	ip netns exec a cat /proc/net/xtcp_stat >"$TMP/before"
	ip netns exec a timeout 300 ./oneway -p $PORT -d "$2" $v6 -a "$(address "$1" 2)" -n "$3" "${@:4}" || status=$?
	((status == 0)) || kill $server
	wait $server || status=1
	ip netns exec a cat /proc/net/xtcp_stat >"$TMP/after"
	COUNTED=$(($(stat a RetransSegs) - before))
	until_true 60 no_orphans || { echo "an end is still closing"; status=1; }
	grep -q "^ok $3$" "$TMP/server" || { cat "$TMP/server"; status=1; }
	return $status
}

# over_cable FAMILY DOOR BYTES [OPTION OF wire, or -w of oneway]... -- [RULE]...: a transfer from a to b;
# BUFFER limits what may be under way
over_cable() {
	local family=$1 door=$2 bytes=$3 options=() extra=()
	shift 3
	while (($#)) && [[ $1 != -- ]]; do
		if [[ $1 == -w ]]; then extra=(-w "$2"); shift; else options+=("$1"); fi
		shift
	done
	shift
	WIRE=("${options[@]}" to-a to-b "$@")
	wired transfer_oneway "$family" "$door" "$bytes" "${extra[@]}" && return
	show_packets
	return 1
}

# The beginning, the end, and what lies around losses and retransmissions.
show_packets() {
	awk '{ line[NR] = $0 } /DROPPED|again|in vain/ { for (i = NR - 4; i <= NR + 4; i++) near[i] }
		END { for (i = 1; i <= NR; i++) if (i <= 12 || i > NR - 6 || i in near) {
			if (i > last + 1) print "..."
			print line[last = i] } }' "$TMP/packets" | head -n 150
	cat "$TMP/wire"
	# the sender's counters that moved
	awk 'NR == FNR { old[$1] = $2; next } $2 != old[$1] { print $1, $2 - old[$1] }' "$TMP/before" "$TMP/after"
}

# expect NAME RELATION VALUE...: of what the cable saw; a failure shows the packets
expect() {
	local bad=""
	while (($#)); do
		(("${SAW[$1]:-0}" $2 "$3")) || { echo "expected: $1 $2 $3, it is ${SAW[$1]:-nothing}"; bad=1; }
		shift 3
	done
	[[ ! $bad ]] || { show_packets; return 1; }
}
