// SPDX-License-Identifier: GPL-2.0-only
/* All engines. */
#include <string.h>

#include "engine.h"

const struct engine *const engines[] = {
	&engine_native,
	&engine_forced,
	&engine_translate,
	&engine_string,
	&engine_mmio,
	&engine_l2,
	&engine_l2_tdp,
	&engine_l2_forced,
	&engine_l2_translate,
	&engine_l2_string,
	&engine_l2_mmio,
};
const unsigned int nr_engines = ARRAY_SIZE(engines);

const char *engine_lacks_nothing(struct guest *guest)
{
	(void)guest;
	return NULL;
}

const struct engine *engine_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_engines; i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}

const char *engine_names(void)
{
	static char names[256];
	unsigned int i;

	for (i = 0; i < nr_engines && !strstr(names, engines[nr_engines - 1]->name); i++) {
		if (i)
			strcat(names, ", ");
		strcat(names, engines[i]->name);
	}
	return names;
}

struct agent_batch engine_batch(const struct engine *engine, const struct mmu_state *state,
				const struct actor *actor, enum agent_access access,
				enum agent_care care)
{
	return (struct agent_batch){
		.state = *state,
		.actor = *actor,
		.access = access,
		.via = engine->via,
		.careful = care == CARE_EACH,
		.ad_behind = care == CARE_BEHIND,
		.no_error = engine->no_error & 1u << access,
	};
}
