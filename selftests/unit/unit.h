/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every unit test of the core includes: the contract under test, the
 * kselftest harness, and the rig (random numbers, allocator).
 */
#ifndef _UNIT_H
#define _UNIT_H

#include <linux/kernel.h>
#include <linux/string.h>
#include "tcb.h"
#include "cc.h"
#include "rig.h"
#include "kselftest_harness.h"

#endif
