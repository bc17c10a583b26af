// SPDX-License-Identifier: GPL-2.0-only
#include "rule.h"

#ifdef SEEDED_FAULTS
int seeded_fault = -1;
#endif

/* The stable name of a rule, made by the compiler: lower case, '_' as '-'. */
#define AT(s, i) ((s)[(i) < sizeof(s) ? (i) : sizeof(s) - 1])
#define CHAR(s, i)                                     \
	(AT(s, i) == '_'                         ? '-' \
	 : AT(s, i) >= 'A' && AT(s, i) <= 'Z' ? AT(s, i) + 'a' - 'A' : AT(s, i))
#define CHARS_4(s, i) CHAR(s, i), CHAR(s, i + 1), CHAR(s, i + 2), CHAR(s, i + 3)
#define CHARS_16(s, i) \
	CHARS_4(s, i), CHARS_4(s, i + 4), CHARS_4(s, i + 8), CHARS_4(s, i + 12)
#define NAME_SIZE 48

static const char names[NR_RULES][NAME_SIZE] = {
#define RULE(id, says, manual, kernel) \
	[RULE_##id] = { CHARS_16(#id, 0), CHARS_16(#id, 16), CHARS_16(#id, 32) },
#include "walk_rules.def"
#include "role_rules.def"
#include "role_page_rules.def"
#include "nested_rules.def"
#include "td_rules.def"
#undef RULE
};

#define RULE(id, says, manual, kernel) \
	_Static_assert(sizeof(#id) <= NAME_SIZE, "name of rule " #id " is too long");
#include "walk_rules.def"
#include "role_rules.def"
#include "role_page_rules.def"
#include "nested_rules.def"
#include "td_rules.def"
#undef RULE

static const struct rule_text texts[NR_RULES] = {
#define RULE(id, says, manual, kernel) \
	[RULE_##id] = { names[RULE_##id], says, manual, kernel },
#include "walk_rules.def"
#include "role_rules.def"
#include "role_page_rules.def"
#include "nested_rules.def"
#include "td_rules.def"
#undef RULE
};

const struct rule_text *rule_text(enum rule rule)
{
	return &texts[rule];
}
