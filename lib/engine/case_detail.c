// SPDX-License-Identifier: GPL-2.0-only
/* A case in full, as JSON for the results and as text for a reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "case_run.h"
#include "role.h"

enum role_rules kernel_role_rules(void)
{
	static enum role_rules rules;
	static bool known;
	struct utsname u = {};

	/* Asked for each case that differs, of which there may be 100,000. */
	if (!known)
		rules = role_rules_of_release(uname(&u) ? "" : u.release);
	known = true;
	return rules;
}

static void state_role_text(const struct comparison *c, char text[ROLE_WORDS_LEN])
{
	struct role_regs regs = state_regs(&c->batch->state);
	struct role_context context = {
		.rules = kernel_role_rules(),
		.maxphyaddr = c->guest->cpu.maxphyaddr,
	};
	struct mmu_role role = kvm_calc_cpu_role(&context, &regs);

	role_words(&role, context.rules, text);
}

static void step_text(const struct comparison *c, const struct walk_step *s, char *text, size_t len)
{
	const struct table_image *t = &c->guest->area[state_area(&c->batch->state)];
	const struct paging_level *l = &paging_formats[t->shape.mode].level[s->level];
	char bits[VARIANT_TEXT_LEN];
	gpa_t address = entry_address(t->shape.mode, s->level, s->leaf, s->entry, &c->guest->cpu);
	/* Entries beyond the target's address are shown as bits. */
	u64 flags = s->entry & ~(address & BITS_ULL(31, 12));

	variant_text(t->shape.mode, s->level, flags, bits);
	snprintf(text, len, "%-5s %#018llx  %s %#llx, bits %s", l->name,
		 (unsigned long long)s->entry, s->leaf ? "page " : "table",
		 (unsigned long long)address, bits);
}

json_t *case_detail(const struct comparison *c, const struct test_case *tc,
		    const struct engine *engine)
{
	struct walk_regs r = guest_walk_regs(c->guest, &tc->state);
	const struct rule_text *rule = rule_text(c->expected->rule);
	json_t *path = json_array(), *detail;
	char text[ROLE_WORDS_LEN], hex[24];
	int i;

	for (i = 0; i < c->expected->nr_steps; i++) {
		char step[200];

		step_text(c, &c->expected->step[i], step, sizeof(step));
		json_array_append_new(path, json_string(step));
	}
	state_role_text(c, text);
	detail = json_pack("{s:s, s:s, s:b, s:s, s:{s:s, s:s, s:s}, s:o}", "engine", engine->name,
			   "pass", agent_care_names[agent_care(c->batch)], "ad_checked",
			   agent_reports_ad(c->batch), "role", text, "rule", "says", rule->says, "manual",
			   rule->manual, "kernel", rule->kernel, "path", path);
	snprintf(hex, sizeof(hex), "%#llx", (unsigned long long)c->gva);
	json_object_set_new(detail, "gva", json_string(hex));
#define REGISTER(name, value)                                                          \
	do {                                                                           \
		snprintf(hex, sizeof(hex), "%#llx", (unsigned long long)(value));      \
		json_object_set_new(detail, name, json_string(hex));                   \
	} while (0)
	REGISTER("cr0", r.cr0);
	REGISTER("cr3", r.cr3);
	REGISTER("cr4", r.cr4);
	REGISTER("efer", r.efer);
	REGISTER("pkru", r.pkru);
#undef REGISTER
	return detail;
}

void case_print(const struct comparison *c, const struct test_case *tc, const struct engine *engine)
{
	struct walk_regs r = guest_walk_regs(c->guest, &tc->state);
	const struct rule_text *rule = rule_text(c->expected->rule);
	char text[ROLE_WORDS_LEN], expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	int i;

	printf("# engine    %s, %s pass%s\n", engine->name,
	       c->batch->no_ad ? "transition" : agent_care_names[agent_care(c->batch)],
	       agent_reports_ad(c->batch) ? " (A/D checked)" : "");
	printf("# registers cr0=%#llx cr3=%#llx cr4=%#llx efer=%#llx pkru=%#x\n",
	       (unsigned long long)r.cr0, (unsigned long long)r.cr3, (unsigned long long)r.cr4,
	       (unsigned long long)r.efer, r.pkru);
	state_role_text(c, text);
	printf("# cpu role  %s\n", text);
	printf("# address   %#llx\n", (unsigned long long)c->gva);
	for (i = 0; i < c->expected->nr_steps; i++) {
		step_text(c, &c->expected->step[i], text, sizeof(text));
		printf("# path      %s\n", text);
	}
	outcome_texts(c, expected, observed);
	printf("# expected  %s\n", expected);
	printf("# observed  %s\n", observed);
	printf("# rule      %s: %s\n", rule->name, rule->says);
	printf("#           %s; KVM: %s\n", rule->manual, rule->kernel);
}
