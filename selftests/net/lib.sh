# SPDX-License-Identifier: GPL-2.0
# What the network tests share: hosts (namespaces), links, impairments, waiting with a deadline, the
# proof that traffic ran over XTCP, results in KTAP. Sourced, never run.
set -u
cd "$(dirname "$0")" || exit 1
HERE=$PWD
TMP=$(mktemp -d)
MEGABYTES=${MEGABYTES:-10}
[[ -z ${XTCP_SLOW:-} ]] || MEGABYTES=1		# sanitized and emulated at once
NUM=0 FAILS=0 PLAN=""

plan() { PLAN=$1; echo "TAP version 13"; echo "1..$1"; }
pass() { NUM=$((NUM + 1)); echo "ok $NUM $*"; }
fail() { NUM=$((NUM + 1)); FAILS=$((FAILS + 1)); echo "not ok $NUM $*"; }
skip() { NUM=$((NUM + 1)); echo "ok $NUM # SKIP $*"; }
note() { echo "# $*"; }

# check NAME COMMAND...: a result by the command's exit status
check() {
	local name=$1
	shift
	if "$@" >"$TMP/check.log" 2>&1; then
		pass "$name"
	else
		sed 's/^/# /' "$TMP/check.log"
		fail "$name"
	fi
}

finished() {
	[[ $NUM == "$PLAN" ]] || { echo "Bail out! $NUM results of $PLAN"; exit 1; }
	exit $((FAILS > 0))
}

cleanup() {
	local ns
	jobs -p | xargs -r kill 2>/dev/null
	wait
	for ns in ${HOSTS:-}; do
		# a FIN on its way when the cable goes would hold the namespace for minutes
		ip netns exec "$ns" sysctl -qw net.xtcp.abort_orphans=1 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$TMP"
}
trap cleanup EXIT

# User Mode Linux with virtual time: programs cost none, so a time on the wire is exact.
time_is_virtual() { grep -q time-travel /proc/cmdline; }

only_in_virtual_time() {
	time_is_virtual && return
	plan 1
	skip "reference: $1: needs virtual time, runs on User Mode Linux"
	finished
}

# until_true SECONDS COMMAND...: polls; false when the time is over
until_true() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# ---- hosts and links ----

HOSTS=""
host() {
	local ns
	for ns; do
		ip netns add "$ns" && ip -n "$ns" link set lo up || exit 1
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv4.tcp_timestamps=1 2>/dev/null
		HOSTS+=" $ns"
	done
}

# link A B N: veth eth-B in A and eth-A in B, 10.0.N.1 and .2, fd00:N::1 and ::2
link() {
	ip link add "eth-$2" netns "$1" type veth peer name "eth-$1" netns "$2"
	ip -n "$1" addr add "10.0.$3.1/24" dev "eth-$2"
	ip -n "$2" addr add "10.0.$3.2/24" dev "eth-$1"
	ip -n "$1" addr add "fd00:$3::1/64" dev "eth-$2" nodad
	ip -n "$2" addr add "fd00:$3::2/64" dev "eth-$1" nodad
	ip -n "$1" link set "eth-$2" up
	ip -n "$2" link set "eth-$1" up
}

two_hosts() {
	host a b
	link a b 1
}

# impair ARGUMENTS OF NETEM...: both directions of the link between a and b
impair() {
	tc -n a qdisc replace dev eth-b root netem limit 10000 "$@" &&
		tc -n b qdisc replace dev eth-a root netem limit 10000 "$@"
}

heal() {
	tc -n a qdisc del dev eth-b root 2>/dev/null
	tc -n b qdisc del dev eth-a root 2>/dev/null
}

# Below 1280 a device loses its IPv6 addresses.
set_mtu() {
	ip -n a link set eth-b mtu "$1" && ip -n b link set eth-a mtu "$1" || return
	(($1 < 1280)) || { ip -n a addr replace fd00:1::1/64 dev eth-b nodad &&
		ip -n b addr replace fd00:1::2/64 dev eth-a nodad; }
}

# address FAMILY HOST(1|2) [LINK]: of link $LINK, or 1, where none is named
address() {
	if [[ $1 == 4 ]]; then echo "10.0.${3:-${LINK:-1}}.$2"; else echo "fd00:${3:-${LINK:-1}}::$2"; fi
}

# ---- proof of the stack ----

stat() { ip netns exec "$1" awk -v n="$2" '$1 == n { print $2 }' /proc/net/xtcp_stat; }
tcp_out_segs() { ip netns exec "$1" awk '/^Tcp:/ && NR % 2 == 0 || /^Tcp: [0-9]/ { print $12 }' /proc/net/snmp; }

# moved N HOST COUNTER COMMAND...: the counter has grown by N, or by more than 0 with N = +
moved() {
	local before by
	before=$(stat "$2" "$3")
	"${@:4}" || return
	by=$(($(stat "$2" "$3") - before))
	if [[ $1 == + ]]; then ((by > 0)); else ((by == $1)); fi || { echo "$3 of $2 moved by $by"; return 1; }
}

# over_xtcp COMMAND...: runs it and demands that in host a XTCP's counter of segments sent moved and
# kernel TCP's did not.
over_xtcp() {
	local tcp xtcp status=0
	tcp=$(tcp_out_segs a) xtcp=$(stat a OutSegs)
	"$@" || status=$?
	if [[ $(tcp_out_segs a) != "$tcp" ]]; then
		echo "kernel TCP sent segments: $tcp, $(tcp_out_segs a)"
		return 1
	elif (($(stat a OutSegs) <= xtcp)); then
		echo "XTCP sent nothing"
		return 1
	fi
	return $status
}

# ---- transfers ----

PORT=5000
# transfer FAMILY DOOR BYTES CONNECTIONS [HOW]: from a to b and back at once; SHA-256 on both ends. HOW is
# xfer's way to send: copy (default), file, zerocopy.
transfer() {
	local v6="" server status=0
	[[ $1 == 4 ]] || v6=-6
	PORT=$((PORT + 1))
	: >"$TMP/server"
	ip netns exec b ./xfer -s -p $PORT -d "$2" $v6 -n "$3" -c "$4" -m "${5:-copy}" >"$TMP/server" 2>&1 &
	server=$!
	until_true 20 grep -q listening "$TMP/server" || { cat "$TMP/server"; return 1; }
	ip netns exec a timeout "${LIMIT:-300}" ./xfer -p $PORT -d "$2" $v6 -n "$3" -c "$4" -m "${5:-copy}" \
		-a "$(address "$1" 2)" >"$TMP/client" 2>&1 || status=$?
	((status == 0)) || { echo "client: status $status"; cat "$TMP/client"; kill $server 2>/dev/null; }
	wait $server || { echo "server: failed"; cat "$TMP/server"; status=1; }
	[[ $(grep -c ^ok "$TMP/client") == "$4" && $(grep -c ^ok "$TMP/server") == "$4" ]] || return 1
	return $status
}

# flow FAMILY DOOR [OPTIONS OF THE CLIENT...]: one direction from a to b; sets RATE and LATE (bytes/s, over
# all of it and over its second half), SECONDS_TAKEN and RETRANS
flow() {
	local v6="" server status=0
	[[ $1 == 4 ]] || v6=-6
	PORT=$((PORT + 1))
	: >"$TMP/server"
	ip netns exec b ./flow -s -p $PORT -d "$2" $v6 >"$TMP/server" 2>&1 &
	server=$!
	until_true 20 grep -q listening "$TMP/server" || { cat "$TMP/server"; return 1; }
	ip netns exec a timeout "${LIMIT:-300}" ./flow -p $PORT -d "$2" $v6 -a "$(address "$1" 2)" "${@:3}" \
		>"$TMP/client" 2>&1 || status=$?
	((status == 0)) || { cat "$TMP/client"; kill $server 2>/dev/null; }
	wait $server || { cat "$TMP/server"; status=1; }
	read -r _ _ SECONDS_TAKEN RATE LATE < <(grep ^flow "$TMP/server")
	read -r _ _ RETRANS < <(grep ^sender "$TMP/client")
	return $status
}
