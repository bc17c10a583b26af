// SPDX-License-Identifier: GPL-2.0-only
/* Ids of nested cases, written and read: see include/l2_ept.h. */
#include <stdio.h>
#include <string.h>

#include "l2_ept.h"

/* Entries as text depend on nothing but the kind. */
static const struct nested_tables any_ept = { .kind = NESTED_EPT };

static int add_l2(const struct ept_case *c, char *id, int n)
{
	const enum paging_mode mode = state_modes[c->state.mode].paging;
	char text[VARIANT_TEXT_LEN];
	int top, leaf;

	l2_varied_levels(&c->state, c->target, &top, &leaf);
	if (top) {
		variant_text(mode, top, c->l2.top, text);
		n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/%d=%s", top, text);
	}
	if (leaf) {
		variant_text(mode, leaf, c->l2.leaf, text);
		n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/%d=%s", leaf, text);
	}
	return n;
}

void ept_case_id(const struct ept_case *c, char id[EPT_CASE_ID_LEN])
{
	char text[VARIANT_TEXT_LEN];
	int n, level;

	state_name(&c->state, id);
	n = strlen(id);
	n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/%s/%s", actor_name(&c->actor),
		      agent_access_names[c->access]);
	n = add_l2(c, id, n);
	n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/ept%u%s", c->levels, c->ad ? "-ad" : "");
	if (c->target)
		n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/table%u", c->target);
	else
		n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/data");
	/* A fifth level is always full: its second slot is beyond what L2 can address. */
	for (level = 4; level >= 1; level--) {
		nested_variant_text(&any_ept, level, c->ept[level], text);
		n += snprintf(id + n, EPT_CASE_ID_LEN - n, "/%d=%s", level, text);
	}
}

/* The next part is "LEVEL=BITS": where the bits are, and how long; NULL if it is not. */
static const char *entry_part(const char **text, int level, size_t *len)
{
	const char *part = *text, *slash;

	if (!part || part[0] != '0' + level || part[1] != '=')
		return NULL;
	slash = strchr(part, '/');
	*len = (slash ? (size_t)(slash - part) : strlen(part)) - 2;
	*text = slash ? slash + 1 : NULL;
	return part + 2;
}

static const char *parse_l2(const char **text, struct ept_case *c)
{
	const enum paging_mode mode = state_modes[c->state.mode].paging;
	const char *bits, *error;
	size_t len;
	int top, leaf;

	l2_varied_levels(&c->state, c->target, &top, &leaf);
	if (top) {
		bits = entry_part(text, top, &len);
		if (!bits)
			return "after the access come L2's entries, LEVEL=BITS";
		error = variant_parse(mode, top, bits, len, &c->l2.top);
		if (error)
			return error;
	}
	if (!leaf)
		return NULL;
	bits = entry_part(text, leaf, &len);
	if (!bits)
		return "after the access come L2's entries, LEVEL=BITS";
	return variant_parse(mode, leaf, bits, len, &c->l2.leaf);
}

static const char *parse_ept(const char *text, struct ept_case *c)
{
	const char *bits, *error;
	size_t len;
	int level;

	for (level = 4; level >= 1; level--) {
		bits = entry_part(&text, level, &len);
		if (!bits)
			return "at the end come the EPT entries, 4=BITS to 1=BITS";
		error = nested_variant_parse(&any_ept, level, bits, len, &c->ept[level]);
		if (error)
			return error;
	}
	return text ? "text after the last entry" : NULL;
}

/* Who and what: by trying all of them. */
static const char *parse_who(const char *text, struct ept_case *c, const char **rest)
{
	char part[32];
	unsigned int i, k;

	for (i = 0; i < NR_ACTORS; i++)
		for (k = AGENT_READ; k <= AGENT_FETCH; k++) {
			int n = snprintf(part, sizeof(part), "/%s/%s/", actor_name(&all_actors[i]),
					 agent_access_names[k]);

			if (strncmp(text, part, n))
				continue;
			c->actor = all_actors[i];
			c->access = k;
			*rest = text + n;
			return NULL;
		}
	return "after the state come cpl0, cpl0-ac, cpl3 or cpl3-ac, and read, write or fetch";
}

const char *ept_case_parse(const char *id, struct ept_case *c)
{
	const char *ept = strstr(id, "/ept"), *flags = strchr(id, '/'), *text, *error;
	const char *who = flags ? strchr(flags + 1, '/') : NULL;
	unsigned int levels = 0, table = 0;
	int end = 0;

	memset(c, 0, sizeof(*c));
	if (!ept || !who)
		return "a nested case is MODE/FLAGS/ACTOR/ACCESS/L2-ENTRIES/eptN[-ad]/TARGET/ENTRIES";
	error = state_parse(id, who - id, &c->state);
	if (error)
		return error;
	if (sscanf(ept, "/ept%1u%n", &levels, &end) != 1 || levels < 4 || levels > 5)
		return "EPT is ept4 or ept5, with -ad or without";
	c->levels = levels;
	text = ept + end;
	c->ad = !strncmp(text, "-ad", 3);
	text += c->ad ? 3 : 0;
	end = 0;
	if (!strncmp(text, "/data/", 6))
		end = 6;
	else if (sscanf(text, "/table%1u/%n", &table, &end) != 1 || !end || !table)
		return "what lies beneath is data, table1, table2 or table3";
	c->target = table;
	if (!l2_has_target(&c->state, c->target))
		return "no such table is tried in this mode";
	error = parse_ept(text + end, c);
	if (!error)
		error = parse_who(who, c, &text);
	if (!error)
		error = parse_l2(&text, c);
	return error ? error : text == ept + 1 ? NULL : "text before the levels of EPT";
}
