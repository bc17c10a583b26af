// SPDX-License-Identifier: GPL-2.0-only
/*
 * Role words of hand-made layouts: which rule set a layout belongs to, words to roles and
 * back, and each wrong field of a word reported by its name.
 *
 * Would catch: a field taken from the wrong bits, a field of a new kernel that is ignored, a
 * layout taken for another rule set's, a difference that is not told.  Needs nothing.
 */
#include <stdio.h>
#include <string.h>

#include "role_layout.h"

static unsigned int number, nr_failed;

static void result(bool ok, const char *layout, const char *what)
{
	printf("%s %u - %s: %s\n", ok ? "ok" : "not ok", ++number, layout, what);
	nr_failed += !ok;
}

/* Bit-fields from bit 0 up, as in a kernel; "" is padding. */
struct made_layout {
	const char *name;
	struct {
		const char *name;
		u8 width;
	} member[ROLE_MAX_MEMBERS];
	int rules;            /* -1: none fits */
	const char *unknown;  /* a member that has to be reported */
	struct mmu_role role; /* and its word: */
	u32 word;
	const char *text;
};

#define FIRST { "level", 4 }, { "has_4_byte_gpte", 1 }, { "quadrant", 2 }, { "direct", 1 }
#define MIDDLE { "invalid", 1 }, { "efer_nx", 1 }, { "cr0_wp", 1 }
#define ANDNOT { "smep_andnot_wp", 1 }, { "smap_andnot_wp", 1 }
#define LAST { "ad_disabled", 1 }, { "guest_mode", 1 }, { "passthrough", 1 }
#define ROLE_6_1                                                                         \
	.role = { .level = 1, .has_4_byte_gpte = 1, .quadrant = 3, .access = 5, .efer_nx = 1, \
		  .smap_andnot_wp = 1, .smm = 1 },                                           \
	.word = 0x01009571,                                                              \
	.text = "level=1 has_4_byte_gpte quadrant=3 access=5 efer_nx smap_andnot_wp smm=1"

static const struct made_layout layouts[] = {
	{ "2021",
	  { { "level", 4 }, { "gpte_is_8_bytes", 1 }, { "quadrant", 2 }, { "direct", 1 },
	    { "access", 3 }, MIDDLE, ANDNOT, { "ad_disabled", 1 }, { "guest_mode", 1 }, { "", 6 },
	    { "smm", 8 } },
	  ROLE_RULES_2021, NULL,
	  .role = { .level = 5, .gpte_is_8_bytes = 1, .direct = 1, .access = 7, .cr0_wp = 1,
		    .guest_mode = 1 },
	  .word = 0x00022795,
	  .text = "level=5 gpte_is_8_bytes direct access=7 cr0_wp guest_mode" },
	{ "6.1", { FIRST, { "access", 3 }, MIDDLE, ANDNOT, LAST, { "", 5 }, { "smm", 8 } },
	  ROLE_RULES_6_1, NULL, ROLE_6_1 },
	{ "6.1 before passthrough",
	  { FIRST, { "access", 3 }, MIDDLE, ANDNOT, { "ad_disabled", 1 }, { "guest_mode", 1 },
	    { "", 6 }, { "smm", 8 } },
	  ROLE_RULES_6_1, NULL, ROLE_6_1 },
	{ "6.1 with is_mirror and a stranger",
	  { FIRST, { "access", 3 }, MIDDLE, ANDNOT, LAST, { "is_mirror", 1 }, { "shiny", 2 }, { "", 2 },
	    { "smm", 8 } },
	  ROLE_RULES_6_1, "shiny", ROLE_6_1 },
	{ "7",
	  { FIRST, { "access", 4 }, MIDDLE, { "smap_andnot_wp", 1 }, LAST, { "is_mirror", 1 },
	    { "cr4_smep", 1 }, { "", 3 }, { "smm", 8 } },
	  ROLE_RULES_7, NULL,
	  .role = { .level = 2, .direct = 1, .access = 11, .efer_nx = 1, .passthrough = 1, .cr4_smep = 1 },
	  .word = 0x00142b82,
	  .text = "level=2 direct access=11 efer_nx passthrough cr4_smep" },
	{ "7 with too few access bits",
	  { FIRST, { "access", 3 }, MIDDLE, { "smap_andnot_wp", 1 }, LAST, { "cr4_smep", 1 }, { "", 5 },
	    { "smm", 8 } },
	  .rules = -1 },
	{ "7 that kept smep_andnot_wp",
	  { FIRST, { "access", 4 }, MIDDLE, ANDNOT, LAST, { "cr4_smep", 1 }, { "", 3 }, { "smm", 8 } },
	  .rules = -1 },
	{ "without a level", { { "direct", 1 }, { "access", 3 } }, .rules = -1 },
	{ "nothing", { { NULL, 0 } }, .rules = -1 },
};

static unsigned int make_members(const struct made_layout *made, struct role_member *members)
{
	unsigned int nr = 0, i;
	u8 offset = 0;

	for (i = 0; i < ROLE_MAX_MEMBERS && made->member[i].name; i++) {
		if (*made->member[i].name) {
			members[nr] = (struct role_member){ "", offset, made->member[i].width };
			snprintf(members[nr++].name, sizeof(members->name), "%s", made->member[i].name);
		}
		offset += made->member[i].width;
	}
	return nr;
}

/* One field after the other wrong in a word: the report names it, and no other. */
static void seed_fields(const struct made_layout *made, const struct role_layout *layout)
{
	char text[ROLE_TEXT_LEN], what[64];
	unsigned int i;
	u32 wrong;

	for (i = 0; i < NR_ROLE_FIELDS; i++) {
		const char *name = role_fields[i].name, *told;

		if (!layout->width[i])
			continue;
		wrong = made->word ^ 1u << layout->offset[i];
		told = role_word_differs(layout, wrong, made->word);
		role_word_difference(layout, wrong, made->word, text);
		snprintf(what, sizeof(what), "a wrong %s is told", name);
		result(told && !strcmp(told, name) && !strncmp(text, name, strlen(name)) &&
			       strstr(text, ", predicted ") && !strchr(text, ';'),
		       made->name, what);
	}
	for (i = 0; i < layout->nr_unknown; i++) {
		const struct role_member *m = &layout->unknown[i];

		wrong = made->word | 2u << m->offset;
		role_word_text(layout, wrong, text);
		snprintf(what, sizeof(what), "%s=0x2?", m->name);
		result(strstr(text, what), made->name, "a value of an unknown member is told");
		result(!strcmp(role_word_differs(layout, wrong, made->word) ?: "", m->name), made->name,
		       "and counts as a difference");
	}
	/* No layout here has a field in bit 23. */
	result(!strcmp(role_word_differs(layout, made->word | 1u << 23, made->word) ?: "", "reserved"),
	       made->name, "a bit of no field is told");
	result(!role_word_differs(layout, made->word, made->word), made->name,
	       "equal words do not differ");
}

static void check_words(const struct made_layout *made, const struct role_layout *layout)
{
	struct mmu_role back = role_from_word(layout, made->word);
	char text[ROLE_TEXT_LEN];

	result(role_word(layout, &made->role) == made->word, made->name, "role to word");
	result(!memcmp(&back, &made->role, sizeof(back)), made->name, "word to role");
	role_word_text(layout, made->word, text);
	if (strcmp(text, made->text))
		printf("# expected: %s\n# text:     %s\n", made->text, text);
	result(!strcmp(text, made->text), made->name, "word to text");
	seed_fields(made, layout);
}

static void check_missing_field(void)
{
	struct role_member members[ROLE_MAX_MEMBERS];
	struct mmu_role role = { .level = 5, .valid = 1 };
	struct role_layout layout;

	role_layout_init(&layout, members, make_members(&layouts[2], members));
	result(!role_not_in_layout(&layout, &role), layouts[2].name, "the ext part is no page's");
	role.passthrough = 1;
	result(!strcmp(role_not_in_layout(&layout, &role) ?: "", "passthrough"), layouts[2].name,
	       "a role that its words cannot say is told");
}

static void check_bad_members(void)
{
	const struct role_member outside = { "level", 30, 4 }, empty = { "level", 0, 0 };
	struct role_layout layout;

	result(role_layout_init(&layout, &outside, 1), "a field beyond the word", "is refused");
	result(role_layout_init(&layout, &empty, 1), "a field without width", "is refused");
}

int main(void)
{
	struct role_member members[ROLE_MAX_MEMBERS];
	size_t i;

	puts("KTAP version 1");
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct made_layout *made = &layouts[i];
		struct role_layout layout;
		const char *why = role_layout_init(&layout, members, make_members(made, members));

		if (made->rules < 0) {
			result(why, made->name, "no rule set fits");
			continue;
		}
		if (why)
			printf("# %s\n", why);
		result(!why && layout.rules == (enum role_rules)made->rules, made->name,
		       "the rule set that fits");
		result(layout.nr_unknown == !!made->unknown &&
			       (!made->unknown || !strcmp(layout.unknown[0].name, made->unknown)),
		       made->name, "members that the model does not know");
		check_words(made, &layout);
	}
	check_missing_field();
	check_bad_members();
	printf("1..%u\n", number);
	return nr_failed != 0;
}
