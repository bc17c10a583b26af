// SPDX-License-Identifier: GPL-2.0-only
/* The native engine: the guest's CPU executes the access. */
#include "engine.h"

static const char *native_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	(void)guest;
	/* Loading an LDT register takes a turn of its own through the careful driver. */
	return batch->access == AGENT_LDT && !batch->careful ? "careful batches only" : NULL;
}

const struct engine engine_native = {
	.name = "native",
	.does = "the guest's CPU executes the instruction",
	.via = VIA_NATIVE,
	.in_place = true,
	.host_lacks = engine_lacks_nothing,
	.unsupported = native_unsupported,
	.run = agent_run,
};
