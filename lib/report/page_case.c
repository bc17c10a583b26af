// SPDX-License-Identifier: GPL-2.0-only
/*
 * One failing case in full.  What a record lacks of registers, role and rule is made from what
 * it has: the state in the case's id and the rule's name.
 */
#include <ctype.h>
#include <stdlib.h>

#include "control_bits.h"
#include "json_get.h"
#include "mmu_state.h"
#include "page_internal.h"
#include "results_file.h"
#include "rule.h"
#include "run_load.h"

/* Those that have a place of their own; the others are listed as they are. */
static const char *const placed[] = {
	"engine", "native", "pass", "ad_checked", "role", "rule", "path", "gva", "registers",
	"cr0", "cr3", "cr4", "efer", "pkru", "from", "to", "came_from", "path_taken",
};

static bool has_place(const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(placed); i++)
		if (!strcmp(placed[i], key))
			return true;
	return false;
}

/*
 * Registers and role
 */

/* "PG WP b27" */
static void put_bits(const struct page *page, enum control_reg reg, unsigned long long value)
{
	const char *name, *at;
	int bit;

	for (bit = 0; bit < 64; bit++) {
		/* CR3 is an address; what it has below bit 12 is not all flags. */
		if (!(value >> bit & 1) || (reg == REG_CR3 && bit >= 12 && bit < 52))
			continue;
		name = control_bit_name(reg, bit);
		markup(page->to, "<span class=bit>");
		for (at = name ?: ""; *at; at++)
			fputc(toupper((unsigned char)*at), page->to);
		if (!name)
			markup(page->to, "bit %d", bit);
		markup(page->to, "</span> ");
	}
}

/* The keys that the protection-key register says something about. */
static void put_keys(const struct page *page, unsigned long long pkru)
{
	int key;

	for (key = 0; key < 16; key++)
		if (pkru >> 2 * key & 3)
			markup(page->to, "<span class=bit>%d:%s%s</span> ", key,
			       pkru >> 2 * key & 1 ? " AD" : "", pkru >> 2 * key & 2 ? " WD" : "");
}

static void put_register(const struct page *page, const char *name, const char *value)
{
	unsigned long long number = strtoull(value, NULL, 0);
	int reg;

	markup(page->to, "<tr><th scope=row>%s</th><td><code>%s</code></td><td>", name, value);
	for (reg = 0; reg < NR_CONTROL_REGS; reg++)
		if (!strcmp(name, control_reg_names[reg]))
			put_bits(page, reg, number);
	if (!strcmp(name, "pkru"))
		put_keys(page, number);
	markup(page->to, "</td></tr>\n");
}

static void put_registers(const struct page *page, const json_t *from, const char *title)
{
	static const char *const names[] = { "cr0", "cr3", "cr4", "efer", "pkru" };
	size_t i;

	if (!json_object_get(from, "cr0"))
		return;
	markup(page->to, "<div class=scroll tabindex=0 role=region aria-label=\"%s\"><table "
			 "class=regs><caption>%s</caption>\n", title, title);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get(from, names[i]))
			put_register(page, names[i], text_of(from, names[i]));
	markup(page->to, "</table></div>\n");
}

/* "cr0 0x80000031 cr3 0x3011000 pdptr 0x1 0x2" as an object of texts. */
static json_t *registers_from_text(const char *text)
{
	json_t *registers = json_object();
	char *copy = strdup(text), *word, *state, *name = NULL;

	for (word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (!isdigit((unsigned char)*word))
			name = word;
		else if (name && !json_object_get(registers, name))
			json_object_set_new(registers, name, json_text(word));
	}
	free(copy);
	return registers;
}

/* The next state, "4level/wp,nx", that an id or a name holds; returns what follows, or NULL. */
static const char *next_state(const char *text, struct mmu_state *state)
{
	const char *slash, *end;

	for (; (slash = strchr(text, '/')); text = slash + 1) {
		end = slash + 1 + strcspn(slash + 1, "/");
		if (!state_parse(text, end - text, state))
			return end;
	}
	return NULL;
}

static json_t *state_registers(const struct mmu_state *state)
{
	struct role_regs regs = state_regs(state);
	char cr0[24], cr4[24], efer[24];

	snprintf(cr0, sizeof(cr0), "%#llx", (unsigned long long)regs.cr0);
	snprintf(cr4, sizeof(cr4), "%#llx", (unsigned long long)regs.cr4);
	snprintf(efer, sizeof(efer), "%#llx", (unsigned long long)regs.efer);
	return json_pack("{s:s, s:s, s:s}", "cr0", cr0, "cr4", cr4, "efer", efer);
}

static const char *role_field_means(const char *name, size_t length)
{
	int i;

	for (i = 0; i < NR_ROLE_FIELDS; i++)
		if (strlen(role_fields[i].name) == length &&
		    !memcmp(role_fields[i].name, name, length))
			return role_fields[i].means;
	return "";
}

/* A role's text, field by field with what each means. */
static void put_role(const struct page *page, const char *role, const char *title)
{
	char *copy = strdup(role), *word, *state;

	markup(page->to, "<details><summary>%s: <code>%s</code></summary><dl class=pairs>\n", title,
	       role);
	for (word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		markup(page->to, "<dt><code>%s</code></dt><dd>%s</dd>\n", word,
		       role_field_means(word, strcspn(word, "=")));
	markup(page->to, "</dl></details>\n");
	free(copy);
}

/* Of a record that has no more: nested cases have two states, L1's and L2's. */
static void put_named_states(const struct page *page, const json_t *failure)
{
	enum role_rules rules = role_rules_of_release(host_kernel(page->run, failure));
	struct role_context context = { .rules = rules, .maxphyaddr = 52 };
	const char *at = text_of(failure, "case");
	char name[STATE_NAME_LEN], title[96], role[ROLE_WORDS_LEN];
	struct mmu_state state;
	struct role_regs regs;
	struct mmu_role made;
	json_t *registers;

	if (!next_state(at, &state))
		at = text_of(failure, "subtest");
	while ((at = next_state(at, &state))) {
		state_name(&state, name);
		snprintf(title, sizeof(title), "Registers of state %s", name);
		registers = state_registers(&state);
		put_registers(page, registers, title);
		json_decref(registers);
		regs = state_regs(&state);
		made = kvm_calc_cpu_role(&context, &regs);
		role_words(&made, rules, role);
		put_role(page, role, "KVM's CPU role of that state");
	}
}

static void put_state(const struct page *page, const json_t *failure, const json_t *detail)
{
	json_t *registers;

	if (*text_of(detail, "registers")) {
		registers = registers_from_text(text_of(detail, "registers"));
		put_registers(page, registers, "Registers");
		json_decref(registers);
	} else if (json_object_get(detail, "from")) {
		put_registers(page, json_object_get(detail, "from"), "Registers before");
		put_registers(page, json_object_get(detail, "to"), "Registers to be set");
	} else if (json_object_get(detail, "cr0")) {
		put_registers(page, detail, "Registers");
	}
	if (*text_of(detail, "role"))
		put_role(page, text_of(detail, "role"), "KVM's CPU role");
	else
		put_named_states(page, failure);
}

/*
 * The path of the walk
 */

/* "PTE   0x..  page  0x1000000, bits p,w,u": what it is, where it leads, a box for each bit. */
static void put_step(const struct page *page, const char *step)
{
	size_t name = strcspn(step, " ");
	const char *bits = strstr(step, ", bits "), *rest;
	char text[256];

	/* "level 2 at ..." */
	if (!strncmp(step, "level ", 6))
		name = 6 + strcspn(step + 6, " ");
	rest = step + name + strspn(step + name, " ");
	snprintf(text, sizeof(text), "%.*s", (int)name, step);
	markup(page->to, "<li><b>%s</b> ", text);
	snprintf(text, sizeof(text), "%.*s", bits > rest ? (int)(bits - rest) : bits ? 0 : 255, rest);
	markup(page->to, "<code>%s</code> ", text);
	for (bits = bits ? bits + 7 : ""; *bits; bits += strcspn(bits, ","), bits += *bits == ',') {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(bits, ","), bits);
		markup(page->to, "<span class=bit>%s</span> ", text);
	}
	markup(page->to, "</li>\n");
}

/* The entries in a case's id, ".../4=p,w,u/3=p", of a record that has no path. */
static json_t *path_from_id(const char *id)
{
	json_t *path = json_array();

	for (; id; id = strchr(id, '/') ? strchr(id, '/') + 1 : NULL)
		if (isdigit((unsigned char)id[0]) && id[1] == '=')
			json_array_append_new(path, json_sprintf("level %c entry, bits %.*s", id[0],
								 (int)strcspn(id + 2, "/"), id + 2));
	return path;
}

static void put_path(const struct page *page, const json_t *failure, const json_t *detail)
{
	json_t *recorded = json_object_get(detail, "path"), *path, *step;
	size_t i;

	path = json_array_size(recorded) ? json_incref(recorded) :
					   path_from_id(text_of(failure, "case"));
	if (json_array_size(path)) {
		markup(page->to, "<h4>Path of the walk</h4><ol class=path>\n");
		if (*text_of(detail, "gva"))
			markup(page->to, "<li class=end><b>address</b> <code>%s</code></li>\n",
			       text_of(detail, "gva"));
		if (*text_of(detail, "cr3"))
			markup(page->to, "<li class=end><b>CR3</b> <code>%s</code></li>\n",
			       text_of(detail, "cr3"));
		json_array_foreach(path, i, step)
			put_step(page, json_string_value(step) ?: "");
		markup(page->to, "<li class=end><b>must end as</b> <code>%s</code></li></ol>\n",
		       text_of(failure, "expected"));
	}
	json_decref(path);
}

/*
 * Expected and observed
 */

static void put_answer(const struct page *page, const char *who, const char *says,
		       enum outcome outcome)
{
	markup(page->to, "<tr><th scope=row>%s</th><td><code>%s</code></td><td>", who, says);
	page_symbol(page, outcome);
	markup(page->to, "</td></tr>\n");
}

/* Other engines' records of the same case in the same run: one of each. */
static void put_other_engines(const struct page *page, const json_t *failure, const char *engine)
{
	json_t *others = json_object_get(page->by_case, text_of(failure, "case")), *other;
	json_t *seen = json_pack("{s:b, s:b}", engine, 1,
				 json_object_get(json_object_get(failure, "detail"), "native") ?
					 "native" : engine, 1);
	size_t i;

	json_array_foreach(others, i, other) {
		const char *who = text_of(json_object_get(other, "detail"), "engine");

		if (!*who || json_object_get(seen, who) ||
		    number_of(other, "host") != number_of(failure, "host"))
			continue;
		json_object_set_new(seen, who, json_true());
		put_answer(page, who, text_of(other, "observed"),
			   is(other, "verdict", "known") ? OUTCOME_KNOWN : OUTCOME_FAIL);
	}
	json_decref(seen);
}

static void put_answers(const struct page *page, const json_t *failure, const json_t *detail)
{
	const json_t *native = json_object_get(detail, "native");
	const char *engine = text_of(detail, "engine");
	bool known = is(failure, "verdict", "known");

	markup(page->to, "<div class=scroll tabindex=0 role=region aria-label=\"expected and "
			 "observed\"><table class=answers><thead><tr><th scope=col>who</th>"
			 "<th scope=col>says</th><th scope=col>right?</th></tr></thead><tbody>\n");
	put_answer(page, "model (the manuals)", text_of(failure, "expected"), OUTCOME_PASS);
	put_answer(page, *engine ? engine : "observed", text_of(failure, "observed"),
		   known ? OUTCOME_KNOWN : OUTCOME_FAIL);
	if (native)
		put_answer(page, "native (the guest's CPU)", text_of(native, "observed"),
			   flag_of(native, "as_expected") ? OUTCOME_PASS : OUTCOME_FAIL);
	put_other_engines(page, failure, engine);
	markup(page->to, "</tbody></table></div>\n");
}

/* By its name, for records that have no more of it. */
static const struct rule_text *find_rule(const char *name)
{
	int i;

	for (i = 0; i < NR_RULES; i++)
		if (!strcmp(rule_text(i)->name, name))
			return rule_text(i);
	return NULL;
}

static void put_rule(const struct page *page, const json_t *failure, const json_t *detail)
{
	const json_t *recorded = json_object_get(detail, "rule");
	const char *name = text_of(failure, "rule");
	const struct rule_text *rule = find_rule(name);
	const char *says = text_of(recorded, "says"), *manual = text_of(recorded, "manual");
	const char *kernel = text_of(recorded, "kernel");

	if (!*name)
		return;
	if (!*manual)
		manual = *text_of(recorded, "source") ? text_of(recorded, "source") :
							text_of(detail, "source");
	markup(page->to, "<p class=rule><b>Rule %s</b>", name);
	if (*says || rule)
		markup(page->to, ": %s", *says ? says : rule->says);
	if (*manual || rule)
		markup(page->to, "<br>Manual: %s", *manual ? manual : rule->manual);
	if (*kernel || rule)
		markup(page->to, "<br>KVM: <code>%s</code>", *kernel ? kernel : rule->kernel);
	markup(page->to, "</p>\n");
}

/*
 * What else there is, and how to see it again
 */

static void put_rest(const struct page *page, const json_t *detail)
{
	const char *key;
	json_t *value;
	char *text;

	markup(page->to, "<dl class=pairs>\n");
	if (*text_of(detail, "came_from"))
		markup(page->to, "<dt>came from</dt><dd>%s by %s</dd>\n",
		       text_of(detail, "came_from"), text_of(detail, "path_taken"));
	if (*text_of(detail, "pass"))
		markup(page->to, "<dt>how</dt><dd>in the %s pass, A and D bits %s</dd>\n",
		       text_of(detail, "pass"),
		       flag_of(detail, "ad_checked") ? "compared" : "not compared");
	json_object_foreach((json_t *)detail, key, value) {
		if (has_place(key) || (!json_is_string(value) && !json_is_number(value) &&
				       !json_is_boolean(value) && !json_array_size(value) &&
				       !json_object_size(value)))
			continue;
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		markup(page->to, "<dt>%s</dt><dd><code>%s</code></dd>\n", key,
		       json_string_value(value) ?: text);
		free(text);
	}
	markup(page->to, "</dl>\n");
}

static void put_command(const struct page *page, const char *title, const char *before,
			const char *command, const char *after)
{
	markup(page->to, "<p class=replay><span>%s</span> <code>%s%s%s</code> <button type=button "
			 "class=copy hidden>Copy</button></p>\n", title, before, command, after);
}

/* Of a merged run each run has its own. */
static const json_t *lab_of(const struct page *page, const json_t *failure)
{
	return json_object_get(page->run, "lab") ?:
	       json_object_get(json_object_get(page->run, "labs"), text_of(failure, "run"));
}

/* A recorded command; one from an emulated host also as it is called from outside. */
static void put_replay(const struct page *page, const json_t *lab, const char *title,
		       const char *command)
{
	char before[128];

	if (!*command || !strcmp(command, "-"))
		return;
	put_command(page, title, "", command, "");
	/* A quote in a command is rare enough to be left to the reader. */
	if (!lab || strchr(command, '\''))
		return;
	snprintf(before, sizeof(before), "lab/run.sh --host %s --kernel %s --cmd '",
		 text_of(lab, "host"), text_of(lab, "kernel"));
	put_command(page, "on the emulated host:", before, command, "'");
}

void page_case(const struct page *page, const json_t *failure, long long number, bool open)
{
	const json_t *detail = json_object_get(failure, "detail");
	const json_t *lab = lab_of(page, failure);
	bool known = is(failure, "verdict", "known");
	char title[HOST_TITLE_LEN];

	markup(page->to, "<details class=\"case row\" data-outcome=%s", known ? "known" : "fail");
	if (number)
		markup(page->to, " id=case-%lld", number);
	markup(page->to, "%s><summary>", open ? " open" : "");
	page_symbol(page, known ? OUTCOME_KNOWN : OUTCOME_FAIL);
	markup(page->to, " <b>%s</b> %s <code class=id>%s</code> <span class=gist>%s, not %s"
			 "</span></summary>\n",
	       text_of(failure, "test"), text_of(failure, "subtest"), text_of(failure, "case"),
	       text_of(failure, "observed"), text_of(failure, "expected"));
	if (json_object_get(failure, "host")) {
		host_title(page->run, failure, title);
		markup(page->to, "<p>On %s</p>\n", title);
	}
	if (*text_of(failure, "run"))
		markup(page->to, "<p>In run %s</p>\n", text_of(failure, "run"));
	put_answers(page, failure, detail);
	put_rule(page, failure, detail);
	put_path(page, failure, detail);
	put_state(page, failure, detail);
	put_rest(page, detail);
	put_replay(page, lab, "Replay:", text_of(failure, "replay"));
	put_replay(page, lab, "Ask every engine:", text_of(failure, "replay_all"));
	markup(page->to, "</details>\n");
}
