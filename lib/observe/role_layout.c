// SPDX-License-Identifier: GPL-2.0-only
/* Layouts of role words: the kernel's bit-fields matched with the model's fields. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "role_layout.h"

static int field_by_name(const char *name)
{
	for (int i = 0; i < NR_ROLE_FIELDS; i++)
		if (!strcmp(role_fields[i].name, name))
			return i;
	return -1;
}

/* A rule set fits if these are where it has them; other fields come and go within one. */
static const char *misfit(const struct role_layout *layout, enum role_rules rules)
{
	static const u8 telling[] = {
		ROLE_FIELD_level,    ROLE_FIELD_has_4_byte_gpte, ROLE_FIELD_gpte_is_8_bytes,
		ROLE_FIELD_quadrant, ROLE_FIELD_direct,          ROLE_FIELD_access,
		ROLE_FIELD_efer_nx,  ROLE_FIELD_cr0_wp,          ROLE_FIELD_smep_andnot_wp,
		ROLE_FIELD_cr4_smep, ROLE_FIELD_smap_andnot_wp,
	};

	for (size_t i = 0; i < ARRAY_SIZE(telling); i++) {
		enum role_field_index f = telling[i];
		bool base = role_field_part(f, rules) == ROLE_PART_BASE;

		if (layout->width[f] != (base ? role_field_width(f, rules) : 0))
			return role_fields[f].name;
	}
	return NULL;
}

const char *role_layout_init(struct role_layout *layout, const struct role_member *members,
			     unsigned int nr)
{
	static char why[160];
	const char *odd;
	unsigned int i;

	*layout = (struct role_layout){ .rules = ROLE_RULES_2021 };
	for (i = 0; i < nr; i++) {
		const struct role_member *m = &members[i];
		int field = field_by_name(m->name);

		if (!m->width || m->offset + m->width > 32)
			return "a field of the kernel's role lies outside of its word";
		if (field < 0 || m->width > 8) {
			if (layout->nr_unknown < ROLE_MAX_MEMBERS)
				layout->unknown[layout->nr_unknown++] = *m;
			continue;
		}
		layout->offset[field] = m->offset;
		layout->width[field] = m->width;
	}
	if (layout->width[ROLE_FIELD_cr4_smep])
		layout->rules = ROLE_RULES_7;
	else if (!layout->width[ROLE_FIELD_gpte_is_8_bytes])
		layout->rules = ROLE_RULES_6_1;
	odd = misfit(layout, layout->rules);
	if (!odd)
		return NULL;
	snprintf(why, sizeof(why),
		 "the kernel's role word is none that the model knows: closest is rule set %s, but for %s",
		 role_rules_name(layout->rules), odd);
	return why;
}

static u32 bits_get(u32 word, u8 offset, u8 width)
{
	return word >> offset & (u32)BITS_ULL(width - 1, 0);
}

u32 role_word(const struct role_layout *layout, const struct mmu_role *role)
{
	u32 word = 0;

	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++)
		if (layout->width[i])
			word |= bits_get(role_field_get(role, i), 0, layout->width[i])
				<< layout->offset[i];
	return word;
}

struct mmu_role role_from_word(const struct role_layout *layout, u32 word)
{
	struct mmu_role role = { 0 };

	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++)
		if (layout->width[i])
			role_field_set(&role, i,
				       bits_get(word, layout->offset[i], layout->width[i]));
	return role;
}

const char *role_not_in_layout(const struct role_layout *layout, const struct mmu_role *role)
{
	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++)
		if (!layout->width[i] && role_field_get(role, i) &&
		    role_field_part(i, layout->rules) == ROLE_PART_BASE)
			return role_fields[i].name;
	return NULL;
}

/* Fields first, then unknown members, then what is left: one list for all who print. */
struct part {
	const char *name;
	u32 mask;
	u8 offset;
	bool unknown;
};

static unsigned int parts_of(const struct role_layout *layout,
			     struct part parts[NR_ROLE_FIELDS + ROLE_MAX_MEMBERS + 1])
{
	unsigned int nr = 0, i;
	u32 rest = ~0u;

	for (i = 0; i < NR_ROLE_FIELDS; i++)
		if (layout->width[i])
			parts[nr++] = (struct part){
				.name = role_fields[i].name,
				.mask = (u32)BITS_ULL(layout->width[i] - 1, 0) << layout->offset[i],
				.offset = layout->offset[i],
			};
	for (i = 0; i < layout->nr_unknown; i++)
		parts[nr++] = (struct part){
			.name = layout->unknown[i].name,
			.mask = (u32)BITS_ULL(layout->unknown[i].width - 1, 0)
				<< layout->unknown[i].offset,
			.offset = layout->unknown[i].offset,
			.unknown = true,
		};
	for (i = 0; i < nr; i++)
		rest &= ~parts[i].mask;
	parts[nr++] = (struct part){ .name = "reserved", .mask = rest, .unknown = true };
	return nr;
}

/* Adds to a text, which may be full. */
static void __printf(2, 3) add(char text[ROLE_TEXT_LEN], const char *fmt, ...)
{
	size_t at = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + at, ROLE_TEXT_LEN - at, fmt, args);
	va_end(args);
}

void role_word_text(const struct role_layout *layout, u32 word, char text[ROLE_TEXT_LEN])
{
	struct part parts[NR_ROLE_FIELDS + ROLE_MAX_MEMBERS + 1];
	unsigned int nr = parts_of(layout, parts), i;

	text[0] = '\0';
	for (i = 0; i < nr; i++) {
		u32 value = (word & parts[i].mask) >> parts[i].offset;

		if (!value)
			continue;
		add(text, "%s%s", text[0] ? " " : "", parts[i].name);
		if (parts[i].unknown || parts[i].mask >> parts[i].offset > 1)
			add(text, parts[i].unknown ? "=%#x?" : "=%u", value);
	}
}

const char *role_word_differs(const struct role_layout *layout, u32 a, u32 b)
{
	struct part parts[NR_ROLE_FIELDS + ROLE_MAX_MEMBERS + 1];
	unsigned int nr = parts_of(layout, parts), i;

	for (i = 0; i < nr; i++)
		if ((a ^ b) & parts[i].mask)
			return parts[i].name;
	return NULL;
}

void role_word_difference(const struct role_layout *layout, u32 seen, u32 predicted,
			  char text[ROLE_TEXT_LEN])
{
	struct part parts[NR_ROLE_FIELDS + ROLE_MAX_MEMBERS + 1];
	unsigned int nr = parts_of(layout, parts), i;

	text[0] = '\0';
	for (i = 0; i < nr; i++)
		if ((seen ^ predicted) & parts[i].mask)
			add(text, "%s%s is %#x, predicted %#x", text[0] ? "; " : "", parts[i].name,
			    (seen & parts[i].mask) >> parts[i].offset,
			    (predicted & parts[i].mask) >> parts[i].offset);
}
