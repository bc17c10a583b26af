// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the role rules read of the host.  A parameter that a kernel does not have stands for
 * a feature that it does not have either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role_observer.h"

static bool parameter_is_on(const char *module, const char *parameter)
{
	char path[128];
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, parameter);
	file = fopen(path, "re");
	if (!file)
		return false;
	c = fgetc(file);
	fclose(file);
	return c == 'Y' || c == '1';
}

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
		context.tdp_has_smep = parameter_is_on(card->backend, "gmet");
	} else {
		context.max_tdp_level = cpuinfo_has("vmx flags", "ept_5level") ? 5 : 4;
		context.ad_enabled = parameter_is_on(card->backend, "eptad");
		context.tdp_has_smep = parameter_is_on(card->backend, "mbec");
	}
	return context;
}
