// SPDX-License-Identifier: GPL-2.0-only
/* Accesses to memory, to read-only memory and to none: see include/gpa_outcome.h. */
#include "gpa_outcome.h"
#include "x86.h"

const struct gpa_rule_text gpa_rules[NR_GPA_RULES] = {
#define GPA_RULE(id, name, says, source) { name, says, source },
	GPA_RULES(GPA_RULE)
#undef GPA_RULE
};

enum gpa_rule gpa_outcome(const struct walk_result *code, const struct walk_result *access,
			  enum access_kind kind, enum gpa_target target, bool table_read_only)
{
	if (code->outcome != WALK_OK)
		return GPA_RULE_DEAD;
	if (access->outcome == WALK_NO_MEMORY)
		return GPA_RULE_TABLE_NOTHING;
	if (access->outcome == WALK_FAULT)
		return GPA_RULE_FAULT;
	if (target == GPA_NOTHING)
		return kind == ACCESS_FETCH ? GPA_RULE_FETCH_NOTHING : GPA_RULE_MMIO;
	if (target == GPA_READ_ONLY && kind == ACCESS_WRITE)
		return GPA_RULE_READ_ONLY;
	return table_read_only ? GPA_RULE_TABLE_READ_ONLY : GPA_RULE_MEMORY;
}

bool gpa_table_fault_allowed(u32 error, u32 access)
{
	return error == access || error == (access | PFERR_PRESENT | PFERR_RSVD);
}
