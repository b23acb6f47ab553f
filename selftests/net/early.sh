#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Early demultiplexing: a connection's segments come in by the route it remembers, which the counter
# EarlyDemux tells; and never by one that does not hold any more, nor to a connection that they are
# not for, however addresses, routes and devices change below it.
. ./lib.sh
plan 45

two_hosts
ip link add two netns a type veth peer name two netns b
for h in a b; do
	ip netns exec $h sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n $h link set two up
done
# Addresses whose sums are those of 10.0.1.2 and fd00:1::2: a change of them leaves the checksum right.
OTHER4=10.1.1.1 OTHER6=fd00:2::1
ip -n a addr add 10.0.2.1/24 dev two
ip -n b addr add 10.0.2.2/24 dev two
ip -n a addr add fd00:3::1/64 dev two nodad
ip -n b addr add fd00:3::2/64 dev two nodad
ip -n a route add $OTHER4 via 10.0.1.2
ip -n a route add $OTHER6 via fd00:1::2
settled() { ip netns exec a ping -q -c 1 -W 1 10.0.2.2 && ip netns exec a ping -q -c 1 -W 1 fd00:3::2; }
until_true 10 settled

other() { if [[ $1 == 4 ]]; then echo $OTHER4; else echo $OTHER6; fi; }
length() { if [[ $1 == 4 ]]; then echo 32; else echo 128; fi; }

# begin FAMILY DOOR ADDRESS...: a server in b, and a client in a connected to it
begin() {
	local family=$1 door=$2 v6="" to=()
	shift 2
	[[ $family == 4 ]] || v6=-6
	PORT=$((PORT + 1))
	: >"$TMP/server"
	ip netns exec b ./ask -s -p $PORT -d "$door" $v6 >"$TMP/server" 2>&1 &
	SERVER=$!
	until_true 10 grep -q listening "$TMP/server" || { cat "$TMP/server"; return 1; }
	for address; do to+=(-a "$address"); done
	mkfifo "$TMP/in" "$TMP/out"
	ip netns exec a ./ask -p $PORT -d "$door" $v6 "${to[@]}" <"$TMP/in" >"$TMP/out" 2>"$TMP/errors" &
	CLIENT=$!
	exec 3>"$TMP/in" 4<"$TMP/out"
	says connected
}

end() {
	exec 3>&- 4<&-
	kill "$CLIENT" "$SERVER" 2>/dev/null
	wait "$CLIENT" "$SERVER" 2>/dev/null
	rm -f "$TMP/in" "$TMP/out"
}

says() {
	local line=""
	read -r -t 60 line <&4
	[[ $line == "$1" ]] || { echo "the client says: $line $(cat "$TMP/errors")"; return 1; }
}

# answers N: so many questions, and all are answered in time
answers() { echo "$1 20000" >&3; says ok; }
no_answer() { echo "1 3000" >&3; says late; }

# early HOST LOW HIGH COMMAND...: it moves the counter of HOST by LOW to HIGH
early() {
	local host=$1 low=$2 high=$3 was
	shift 3
	was=$(stat "$host" EarlyDemux)
	"$@" || return 1
	was=$(($(stat "$host" EarlyDemux) - was))
	((low <= was && was <= high)) || { echo "EarlyDemux of $host: $was"; return 1; }
}

set_early() {
	ip netns exec a sysctl -qw net.xtcp.early_demux="$1" && ip netns exec b sysctl -qw net.xtcp.early_demux="$1"
}
out_of_range() { ! ip netns exec a sysctl -qw net.xtcp.early_demux=2; }

# The segment that brings a new way in takes the usual one, and so may one or two behind it.
for family in 4 6; do
	for door in inet xtcp; do
		begin $family $door "$(address $family 2)" >"$TMP/begin" || cat "$TMP/begin"
		check "IPv$family $door: the server remembers its route" early b 28 99 answers 30
		check "IPv$family $door: the client too" early a 28 99 answers 30
		[[ $door == inet ]] || { end; continue; }

		check "IPv$family: not with early_demux=0" eval 'set_early 0 && early b 0 0 answers 30'
		check "IPv$family: again with early_demux=1" eval 'set_early 1 && early b 28 99 answers 30'

		# other segments of the same connection, by another device: the same route to the address
		ip -n a route add "$(address $family 2)/$(length $family)" via "$( ((family == 4)) && echo 10.0.2.2 || echo fd00:3::2)"
		check "IPv$family: segments come by another device" early b 25 99 answers 30
		ip -n a route del "$(address $family 2)/$(length $family)"
		check "IPv$family: and by the first one again" early b 25 99 answers 30

		# any change makes every remembered route invalid
		check "IPv$family: other routes come and go" eval \
			'ip -n b route add blackhole default && ip -n b -6 route add blackhole default &&
			 early b 25 99 answers 30 && ip -n b route del blackhole default &&
			 ip -n b -6 route del blackhole default && early b 25 99 answers 30'

		# the socket would still take the segments, the host does not
		ip -n b addr del "$(address $family 2)/$( ((family == 4)) && echo 24 || echo 64)" dev eth-a
		check "IPv$family: nothing arrives once the address is gone" early b 0 0 no_answer
		nodad=
		((family == 4)) || nodad=nodad
		ip -n b addr add "$(address $family 2)/$( ((family == 4)) && echo 24 || echo 64)" dev eth-a $nodad
		ip -n a neigh flush dev eth-b
		check "IPv$family: all arrives when it is back" early b 25 99 answers 30
		end
	done
done
ip -n a route replace $OTHER4 via 10.0.1.2
ip -n a route replace $OTHER6 via fd00:1::2

check "early_demux=2 is refused" out_of_range
switched() {
	local pid status=0 n=0
	transfer "$1" inet $((MEGABYTES * 1000000)) 4 >"$TMP/switched" 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		set_early $((++n % 2))
		sleep 0.01
	done
	set_early 1
	wait $pid || { cat "$TMP/switched"; return 1; }
	((n >= 2)) || { echo "switched only $n times"; return 1; }
}
for family in 4 6; do
	check "IPv$family: switched on and off under traffic" switched $family
done

# ---- addresses that change on the way in ----

# Before routing: the hook finds them as the socket knows them.
translate() {
	ip netns exec b nft -f - <<-END
		table inet other {
			chain in {
				type filter hook prerouting priority -100;
				ip protocol 253 ip daddr $OTHER4 ip daddr set 10.0.1.2
				ip6 nexthdr 253 ip6 daddr $OTHER6 ip6 daddr set fd00:1::2
			}
			chain out {
				type filter hook postrouting priority 100;
				ip protocol 253 ip saddr 10.0.1.2 ip saddr set $OTHER4
				ip6 nexthdr 253 ip6 saddr fd00:1::2 ip6 saddr set $OTHER6
			}
		}
	END
}
if translate; then
	for family in 4 6; do
		check "IPv$family: to an address that is translated" begin $family inet "$(other $family)"
		check "IPv$family: found behind the translation" early b 28 99 answers 30
		end
	done
	ip netns exec b nft delete table inet other
else
	for n in 1 2 3 4; do skip "nft cannot change addresses here"; done
fi

# On input, when the hook has run: two connections that differ in b's address only, and each gets the
# segments of the other's address.
swap() {
	ip netns exec b nft -f - <<-END
		table inet other {
			chain in {
				type filter hook input priority 0;
				ip protocol 253 ip daddr $OTHER4 ip daddr set 10.0.1.2 accept
				ip protocol 253 ip daddr 10.0.1.2 ip daddr set $OTHER4 accept
				ip6 nexthdr 253 ip6 daddr $OTHER6 ip6 daddr set fd00:1::2 accept
				ip6 nexthdr 253 ip6 daddr fd00:1::2 ip6 daddr set $OTHER6 accept
			}
			chain out {
				type filter hook postrouting priority 100;
				ip protocol 253 ip saddr $OTHER4 ip saddr set 10.0.1.2 accept
				ip protocol 253 ip saddr 10.0.1.2 ip saddr set $OTHER4 accept
				ip6 nexthdr 253 ip6 saddr $OTHER6 ip6 saddr set fd00:1::2 accept
				ip6 nexthdr 253 ip6 saddr fd00:1::2 ip6 saddr set $OTHER6 accept
			}
		}
	END
}
ip -n b addr add $OTHER4/32 dev lo
ip -n b addr add $OTHER6/128 dev lo nodad
if swap; then
	for family in 4 6; do
		check "IPv$family: two connections, addresses swapped on input" begin $family xtcp "$(address $family 2)" "$(other $family)"
		check "IPv$family: the hook finds the wrong one, and each gets its own" early b 50 199 answers 30
		end
	done
	ip netns exec b nft delete table inet other
else
	for n in 1 2 3 4; do skip "nft cannot change addresses here"; done
fi
for family in 4 6; do
	check "IPv$family: two connections, nothing swapped" begin $family inet "$(address $family 2)" "$(other $family)"
	check "IPv$family: each gets its own" early b 56 199 answers 30
	end
done

# ---- a VRF: both of its devices see the segment ----

if ip -n b link add red type vrf table 10 2>/dev/null; then
	ip -n b link set red up
	ip netns exec b sysctl -qw net.ipv4.tcp_l3mdev_accept=1
	ip -n b link set eth-a master red
	ip -n b addr replace fd00:1::2/64 dev eth-a nodad
	for family in 4 6; do
		check "IPv$family: a listener takes a connection of a VRF" begin $family inet "$(address $family 2)"
		check "IPv$family: its segments go the usual way" early b 0 0 answers 30
		end
	done
	ip -n b link set eth-a nomaster
	ip -n b addr replace fd00:1::2/64 dev eth-a nodad
	for family in 4 6; do
		check "IPv$family: outside of the VRF" begin $family inet "$(address $family 2)"
		check "IPv$family: by the route it remembers" early b 28 99 answers 30
		end
	done
else
	for n in 1 2 3 4 5 6 7 8; do skip "no VRF here"; done
fi
finished
