// SPDX-License-Identifier: GPL-2.0-only
/* The native engine: the guest's CPU executes the access. */
#include "engine.h"

static const char *native_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	(void)guest;
	/* Loading an LDT register takes a turn of its own through the careful driver. */
	return batch->access == AGENT_LDT && !batch->careful ? "careful batches only" : NULL;
}

static const char *native_lacks(struct guest *guest)
{
	(void)guest;
	return NULL;
}

const struct engine engine_native = {
	.name = "native",
	.does = "the guest's CPU executes the instruction",
	.via = VIA_NATIVE,
	.host_lacks = native_lacks,
	.unsupported = native_unsupported,
	.run = agent_run,
};
