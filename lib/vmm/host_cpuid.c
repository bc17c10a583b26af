// SPDX-License-Identifier: GPL-2.0-only
/* In a file of its own, so that a test can put another CPU in its place. */
#include <cpuid.h>

#include "host_file.h"

struct host_cpuid host_cpuid(u32 leaf, u32 subleaf)
{
	struct host_cpuid c = {};

	if (__get_cpuid_max(leaf & 0x80000000, NULL) >= leaf)
		__cpuid_count(leaf, subleaf, c.eax, c.ebx, c.ecx, c.edx);
	return c;
}
