// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the role rules read of the host.  A parameter that a kernel does not have stands for
 * a feature that it does not have either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role_observer.h"

/* Is the word in the first line of /proc/cpuinfo that begins with key? */
static bool cpuinfo_has(const char *key, const char *word)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL, *token, *rest;
	bool found = false;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, key, strlen(key)))
			continue;
		rest = line;
		while (!found && (token = strsep(&rest, " \t\n")))
			found = !strcmp(token, word);
		break;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

struct role_context role_context_of_host(const struct host_card *card, enum role_rules rules,
					 const struct cpu_facts *cpu)
{
	struct role_context context = { .rules = rules, .maxphyaddr = cpu->maxphyaddr };

	if (!strcmp(card->backend, "kvm_amd")) {
		/* The kernel takes the flag away where it does not use 5 levels itself. */
		context.tdp_root_level = cpuinfo_has("flags", "la57") ? 5 : 4;
		context.max_tdp_level = context.tdp_root_level;
		context.ad_enabled = true;
		context.tdp_user_bit = true;
		context.tdp_has_smep = module_parameter(card->backend, "gmet") == YES;
	} else {
		context.max_tdp_level = cpuinfo_has("vmx flags", "ept_5level") ? 5 : 4;
		context.ad_enabled = module_parameter(card->backend, "eptad") == YES;
		context.tdp_has_smep = module_parameter(card->backend, "mbec") == YES;
	}
	return context;
}
