-- SPDX-License-Identifier: GPL-2.0
-- Wireshark and tshark: protocol 253 decoded as TCP, and the XTCP option (kind 253, ExID 0x5854) of
-- SYN and SYN,ACK in a tree of its own.
--	tshark -X lua_script:scripts/xtcp.lua -r capture.pcap -Y xtcp.version
-- The layout is in module/core/wire.h.

local EXID, LENGTH = 0x5854, 8
local NOT_UNDERSTOOD = "not understood: the receiver ignores it"

local xtcp = Proto("xtcp", "XTCP option")
local f = {
	version = ProtoField.uint8("xtcp.version", "Version", base.DEC, nil, 0xf0),
	unit = ProtoField.uint8("xtcp.unit", "Unit of timestamps", base.DEC,
		{ [0] = "milliseconds", [1] = "microseconds" }, 0x0f),
	delay = ProtoField.uint24("xtcp.ack_delay", "Maximum ACK delay in microseconds", base.DEC),
}
xtcp.fields = f

local bad = ProtoExpert.new("xtcp.bad", NOT_UNDERSTOOD, expert.group.PROTOCOL, expert.severity.WARN)
xtcp.experts = { bad }

local options = Field.new("tcp.options")

-- One option with our ExID.
local function show(opt, tree)
	local t = tree:add(xtcp, opt, "XTCP option")
	if opt:len() ~= LENGTH then
		t:add_proto_expert_info(bad)
		return
	end
	local version, unit = opt(4, 1):bitfield(0, 4), opt(4, 1):bitfield(4, 4)
	local delay = opt(5, 3):uint()
	t:add(f.version, opt(4, 1))
	t:add(f.unit, opt(4, 1))
	t:add(f.delay, opt(5, 3))
	t:append_text(string.format(": version %d, timestamps in %s, ACKs within %d us", version,
		unit == 1 and "us" or "ms", delay))
	if version ~= 1 or unit > 1 or delay > 1000000 then
		t:add_proto_expert_info(bad)
	end
end

-- The options of a segment, one after the other (RFC 9293 3.1).
local function walk(range, tree)
	local i, n = 0, range:len()
	while i < n do
		local kind = range(i, 1):uint()
		if kind == 0 then return end
		local len = 1
		if kind ~= 1 then
			if i + 2 > n then return end
			len = range(i + 1, 1):uint()
			if len < 2 or i + len > n then return end
			if kind == 253 and len >= 4 and range(i + 2, 2):uint() == EXID then
				show(range(i, len), tree)
			end
		end
		i = i + len
	end
end

function xtcp.dissector(_, _, tree)
	for _, o in ipairs({ options() }) do
		walk(o.range, tree)
	end
end

register_postdissector(xtcp)
DissectorTable.get("ip.proto"):add(253, Dissector.get("tcp"))
