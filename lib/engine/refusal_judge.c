// SPDX-License-Identifier: GPL-2.0-only
/* What came of an attempt, against what must. */
#include <stdio.h>
#include <string.h>

#include "refusal.h"
#include "x86.h"

#define CR4_PCIDE BIT_ULL(17)
#define CR3_NO_FLUSH BIT_ULL(63)

static const char *const demanded[] = {
	[LEGAL] = "accepted",
	[ILLEGAL] = "refused",
	[IGNORED] = "ignored",
	[NO_EFFECT] = "refused or ignored",
	[OPEN] = "accepted or refused",
};

/* The first register that is not as it should be, appended: ", then cr4=0x20 and not 0x1020". */
static bool registers_are(const struct legal_regs *want, const struct legal_regs *got, u64 mask,
			  char text[ATTEMPT_TEXT_LEN])
{
	struct legal_regs w = *want, g = *got;
	size_t n = strlen(text);
	enum control_reg reg;

	for (reg = 0; reg < NR_CONTROL_REGS; reg++) {
		u64 a = *legal_reg(&w, reg), b = *legal_reg(&g, reg);

		/* CR3 is read in full width. */
		if (!((a ^ b) & (reg == REG_CR3 ? ~0ull : mask)))
			continue;
		snprintf(text + n, ATTEMPT_TEXT_LEN - n, ", then %s=%#llx and not %#llx",
			 control_reg_names[reg], (unsigned long long)b, (unsigned long long)a);
		return false;
	}
	return true;
}

static bool how_is_right(enum legality legality, const struct attempt_outcome *o)
{
	switch (legality) {
	case ILLEGAL:
		return o->how == ATTEMPT_REFUSED;
	case LEGAL:
	case IGNORED:
		return o->how == ATTEMPT_ACCEPTED;
	default:
		return o->how != ATTEMPT_ELSE;
	}
}

/* Registers as they must be after this outcome; false: they may be anything. */
static bool must_be(const struct attempt *a, const struct attempt_outcome *o,
		    struct legal_regs *regs)
{
	*regs = a->from;
	if (o->how == ATTEMPT_REFUSED || a->verdict.legality == IGNORED ||
	    a->verdict.legality == NO_EFFECT)
		return true;
	if (a->verdict.legality != LEGAL)
		return false;
	*regs = a->to;
	if (a->to.cr4 & CR4_PCIDE)
		regs->cr3 &= ~CR3_NO_FLUSH;
	return true;
}

bool attempt_judge(const struct attempt *a, const struct attempt_outcome *o, u64 mask,
		   char expected[ATTEMPT_TEXT_LEN], char observed[ATTEMPT_TEXT_LEN])
{
	struct legal_regs must;
	bool good = how_is_right(a->verdict.legality, o);

	snprintf(expected, ATTEMPT_TEXT_LEN, "%s", demanded[a->verdict.legality]);
	snprintf(observed, ATTEMPT_TEXT_LEN, "%s",
		 o->how == ATTEMPT_ELSE    ? o->text :
		 o->how == ATTEMPT_REFUSED ? "refused" :
					     "accepted");
	if (o->how == ATTEMPT_ELSE)
		return false;
	/* What is wrong already needs no register's value: those depend on the state. */
	if (good && must_be(a, o, &must))
		good = registers_are(&must, &o->after, mask, observed);
	else if (o->how == ATTEMPT_REFUSED && !registers_are(&a->from, &o->after, mask, observed))
		good = false;
	if (o->how == ATTEMPT_REFUSED && o->more) {
		snprintf(observed + strlen(observed), ATTEMPT_TEXT_LEN - strlen(observed),
			 ", then %s", o->more);
		good = false;
	}
	return good;
}
