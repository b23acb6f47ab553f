// SPDX-License-Identifier: GPL-2.0
/*
 * A stream of segments, FINs, ACKs and prunings, four bytes each, played into
 * rx.c and its bitmap oracle (unit/rx_model.h).  Any difference aborts.
 */
#include "rx_model.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void expect(bool agree)
{
	if (!agree)
		abort();
}

static void play(const u8 *p)
{
	u64 pos = m.nxt - 40 + (p[1] | (p[2] & 1) << 8);

	m.step++;
	switch (p[0] % 16) {
	case 0:
		step_ack(p[1] * (WINDOW + 1) / 256);
		break;
	case 1:
		step_prune(pos);
		break;
	case 2:
		expect(step_fin(pos));
		break;
	case 3 ... 6:
		expect(step_data(m.nxt, m.nxt + 1 + p[3], p[0] & 0x80));
		break;
	case 7:
		expect(step_data(m.nxt - ((u32)(p[1] | p[2] << 8) << 14),
				 m.nxt - ((u32)(p[1] | p[2] << 8) << 14) + 1 + p[3], false));
		break;
	default:
		expect(step_data(pos, pos + 1 + p[3], p[0] & 0x80));
	}
	expect(step_fin_due());
	expect(check_state());
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 2)
		return 0;
	begin((1ULL << 40) + (data[0] & 1 ? 0x100000000ULL : 0x80000000ULL) - data[1] * 2);
	tcb.sack_ok = !(data[0] & 2);
	for (data += 2, size -= 2; size >= 4; data += 4, size -= 4)
		play(data);
	xtcp_rx_reset(&tcb);
	expect(unit_seg_live == 0);
	return 0;
}
