// SPDX-License-Identifier: GPL-2.0-only
/* See outcome_classes.h. */
#include <string.h>

#include "outcome_classes.h"
#include "report.h"

u32 outcome_class_find(struct outcome_classes *classes, const struct comparison *c)
{
	struct outcome_class class;
	u32 i;

	if (!outcome_class(c, &class))
		return NO_CLASS;
	for (i = 0; i < classes->nr; i++)
		if (!memcmp(&classes->list[i].class, &class, sizeof(class)))
			return i;
	if (i < MAX_CLASSES) {
		classes->list[i].class = class;
		classes->list[i].asked = false;
		classes->nr++;
	}
	return i;
}

bool outcome_class_counted(const struct outcome_classes *classes, u32 class)
{
	return class < classes->nr && classes->list[class].asked &&
	       report_issue_again(classes->list[class].issue);
}

bool outcome_class_known(struct outcome_classes *classes, u32 class, const char *expected,
			 const char *observed, const char *engine)
{
	if (class >= classes->nr || classes->list[class].asked)
		return false;
	classes->list[class].asked = true;
	classes->list[class].issue = report_issue_of_every_case(expected, observed, engine);
	return outcome_class_counted(classes, class);
}
