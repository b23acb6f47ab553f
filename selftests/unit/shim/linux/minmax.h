/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-space stand-in: the kernel's tools/include has min(), max() and clamp()
 * in <linux/kernel.h>.  Used by the unit tests only.
 */
#ifndef _UNIT_LINUX_MINMAX_H
#define _UNIT_LINUX_MINMAX_H

#include <linux/kernel.h>

#endif
