// SPDX-License-Identifier: GPL-2.0-only
/* The architecture walker against answers written down from the manuals. */
#include <stdio.h>
#include <string.h>

#include "golden_answer.h"
#include "golden_canonical.h"

int main(void)
{
	unsigned int i, failed = 0;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(golden_cases) + ARRAY_SIZE(golden_canonical));
	for (i = 0; i < ARRAY_SIZE(golden_cases); i++) {
		char text[OUTCOME_TEXT_LEN];

		golden_answer(&golden_cases[i], text);
		if (strcmp(text, golden_cases[i].expected)) {
			printf("# expected %s\n# got      %s\nnot ", golden_cases[i].expected, text);
			failed++;
		}
		printf("ok %u %s\n", i + 1, golden_cases[i].id);
	}
	for (i = 0; i < ARRAY_SIZE(golden_canonical); i++) {
		const struct golden_canonical *g = &golden_canonical[i];
		char text[OUTCOME_TEXT_LEN];

		golden_canonical_answer(g, text);
		if (strcmp(text, g->expected)) {
			printf("# expected %s\n# got      %s\nnot ", g->expected, text);
			failed++;
		}
		printf("ok %zu %s %#llx%s\n", ARRAY_SIZE(golden_cases) + i + 1, g->state,
		       (unsigned long long)g->gva, g->stack ? " stack" : "");
	}
	return failed ? KSFT_FAIL : KSFT_PASS;
}
