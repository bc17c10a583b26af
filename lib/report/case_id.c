// SPDX-License-Identifier: GPL-2.0-only
/* Case ids, written and read. */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "cpu_offer.h"

const struct actor all_actors[NR_ACTORS] = {
	{ 0, false },
	{ 0, true },
	{ 3, false },
	{ 3, true },
};
static const char *const actor_names[NR_ACTORS] = { "cpl0", "cpl0-ac", "cpl3", "cpl3-ac" };

const char *actor_name(const struct actor *actor)
{
	int i;

	for (i = 0; i < NR_ACTORS; i++)
		if (all_actors[i].cpl == actor->cpl && all_actors[i].ac == actor->ac)
			return actor_names[i];
	return "?";
}

void case_id(const struct test_case *c, char id[CASE_ID_LEN])
{
	enum paging_mode mode = state_modes[c->state.mode].paging;
	char text[VARIANT_TEXT_LEN];
	int n, level;

	cpu_offer_text(cpu_offer_used(), id);
	n = strlen(id);
	state_name(&c->state, id + n);
	n += strlen(id + n);
	n += snprintf(id + n, CASE_ID_LEN - n, "/%s/%s", actor_name(&c->actor),
		      agent_access_names[c->access]);
	for (level = paging_formats[mode].levels; level >= 1; level--) {
		variant_text(mode, level, c->entry[level], text);
		n += snprintf(id + n, CASE_ID_LEN - n, "/%d=%s", level, text);
	}
}

/* The next '/'-separated part: its length, with *rest behind it (NULL at the end). */
static size_t part(const char *text, const char **rest)
{
	const char *slash = strchr(text, '/');

	*rest = slash ? slash + 1 : NULL;
	return slash ? (size_t)(slash - text) : strlen(text);
}

/* Index of the name with these len characters, or nr. */
static int name_index(const char *text, size_t len, const char *const *names, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (strlen(names[i]) == len && !memcmp(text, names[i], len))
			break;
	return i;
}

static const char *parse_actor(const char *text, size_t len, struct actor *actor)
{
	int i = name_index(text, len, actor_names, NR_ACTORS);

	if (i == NR_ACTORS)
		return "the third part is cpl0, cpl0-ac, cpl3 or cpl3-ac";
	*actor = all_actors[i];
	return NULL;
}

static const char *parse_access(const char *text, size_t len, enum agent_access *access)
{
	int i = name_index(text, len, agent_access_names, NR_AGENT_ACCESSES);

	if (i == NR_AGENT_ACCESSES)
		return "the fourth part is read, write, fetch or ldt";
	*access = i;
	return NULL;
}

static const char *parse_entries(const char *text, struct test_case *c)
{
	enum paging_mode mode = state_modes[c->state.mode].paging;
	int level = paging_formats[mode].levels;
	const char *error;

	for (; level >= 1; level--) {
		size_t len;
		const char *entry = text;

		if (!text)
			return "an entry is missing: one LEVEL=BITS part per level, top level first";
		len = part(entry, &text);
		if (len < 2 || entry[0] != '0' + level || entry[1] != '=')
			return "entries are LEVEL=BITS, top level first, e.g. 2=p,w,u";
		error = variant_parse(mode, level, entry + 2, len - 2, &c->entry[level]);
		if (error)
			return error;
	}
	return text ? "text after the last entry" : NULL;
}

const char *case_parse(const char *id, struct test_case *c)
{
	const char *rest, *text = id, *error;
	size_t len;

	memset(c, 0, sizeof(*c));
	len = part(text, &rest);
	if (!rest)
		return "a case id is MODE/FLAGS/ACTOR/ACCESS/ENTRIES...";
	len += 1 + part(rest, &rest);
	error = state_parse(text, len, &c->state);
	if (error)
		return error;
	if (!rest)
		return "actor and access are missing";
	text = rest;
	len = part(text, &rest);
	error = parse_actor(text, len, &c->actor);
	if (error)
		return error;
	if (!rest)
		return "the access is missing";
	text = rest;
	len = part(text, &rest);
	error = parse_access(text, len, &c->access);
	return error ? error : parse_entries(rest, c);
}

struct walk_access case_access(const struct test_case *c, gva_t gva)
{
	static const enum access_kind kinds[NR_AGENT_ACCESSES] = {
		[AGENT_READ] = ACCESS_READ,
		[AGENT_WRITE] = ACCESS_WRITE,
		[AGENT_FETCH] = ACCESS_FETCH,
		[AGENT_LDT] = ACCESS_READ,
	};

	return (struct walk_access){
		.gva = gva,
		.kind = kinds[c->access],
		.cpl = c->actor.cpl,
		.ac = c->actor.ac,
		.implicit = c->access == AGENT_LDT,
	};
}
