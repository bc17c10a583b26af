// SPDX-License-Identifier: GPL-2.0-only
/* The shared bit: see include/tdx_gpa.h. */
#include "tdx_gpa.h"

bool tdx_gpaw_legal(unsigned int gpaw)
{
	return gpaw == TDX_GPAW_4LEVEL || gpaw == TDX_GPAW_5LEVEL;
}

gpa_t tdx_shared_bit(unsigned int gpaw)
{
	return gpaw == TDX_NO_TD ? 0 : BIT_ULL(gpaw - 1);
}

gpa_t tdx_gpa_to_shared(unsigned int gpaw, gpa_t gpa)
{
	return gpa | tdx_shared_bit(gpaw);
}

gpa_t tdx_gpa_to_private(unsigned int gpaw, gpa_t gpa)
{
	return gpa & ~tdx_shared_bit(gpaw);
}

bool tdx_gpa_is_private(unsigned int gpaw, gpa_t gpa)
{
	const gpa_t shared = tdx_shared_bit(gpaw);

	return shared && !(gpa & shared);
}

bool tdx_gpa_too_wide(unsigned int gpaw, gpa_t gpa)
{
	return gpaw != TDX_NO_TD && gpa >> gpaw;
}
