// SPDX-License-Identifier: GPL-2.0-only
/* All engines. */
#include <string.h>

#include "engine.h"

const struct engine *const engines[] = {
	&engine_native,
};
const unsigned int nr_engines = ARRAY_SIZE(engines);

const struct engine *engine_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_engines; i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
