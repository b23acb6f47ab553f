/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-space stand-in: what the kernel's <linux/kernel.h> has and the one in its
 * tools/include lacks.  Used by the unit tests only.
 */
#ifndef _UNIT_LINUX_KERNEL_H
#define _UNIT_LINUX_KERNEL_H

#include_next <linux/kernel.h>

#ifndef min3
#define min3(x, y, z)	min((typeof(x))min(x, y), z)
#define max3(x, y, z)	max((typeof(x))max(x, y), z)
#endif

#endif
