// SPDX-License-Identifier: GPL-2.0-only
/* What a run says of known issues at its end. */
#include <stdio.h>

#include "known_issues.h"
#include "results_file.h"

void known_issues_print_ids(const struct known_issues *issues, const u64 *cases)
{
	const char *comma = "";
	int nr;

	for (nr = 0; nr < known_issues_nr(issues); nr++)
		if (cases[nr]) {
			printf("%s%s", comma, known_issue_id(issues, nr));
			comma = ", ";
		}
}

void known_issues_tell_stale(const struct known_issues *issues, const char *path)
{
	int nr;

	for (nr = 0; nr < known_issues_nr(issues); nr++) {
		if (!known_issue_unused(issues, nr))
			continue;
		printf("# stale known issue: %s matched no case (%s)\n", known_issue_id(issues, nr),
		       path);
		results_write(json_pack("{s:s, s:s}", "event", "stale_known_issue", "id",
					known_issue_id(issues, nr)));
	}
}

void known_issues_tell_expired(const struct known_issues *issues)
{
	const char *day;
	int nr;

	for (nr = 0; nr < known_issues_nr(issues); nr++) {
		day = known_issue_expired(issues, nr);
		if (!day || !known_issue_selected(issues, nr))
			continue;
		printf("# expired known issue: %s was to be looked at again after %s\n",
		       known_issue_id(issues, nr), day);
		results_write(json_pack("{s:s, s:s, s:s}", "event", "expired_known_issue", "id",
					known_issue_id(issues, nr), "expires", day));
	}
}
