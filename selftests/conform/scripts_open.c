// SPDX-License-Identifier: GPL-2.0
#include "peer.h"
SCRIPT(handshake_active, "x")
{
	stack_connect();
	expect(SYN, .seq = 0, .mss = MSS, .sackok = 1);
	state_is(SYN_SENT);
	inject(SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
	expect(ACK, .seq = 1, .ack = 1);
	state_is(ESTABLISHED);
	inject(ACK, .seq = 1, .ack = 1, .len = 10);
	expect(ACK, .seq = 1, .ack = 11);
	stack_read(10);
}
SCRIPT(handshake_passive, "x")
{
	stack_listen(5);
	inject(SYN, .seq = 0, .mss = 1460);
	expect(SYN | ACK, .seq = 0, .ack = 1);
	state_is(SYN_RECEIVED);
	inject(ACK, .seq = 1, .ack = 1);
	expect_nothing();
	stack_accept();
	state_is(ESTABLISHED);
}
SCRIPT_MAIN
