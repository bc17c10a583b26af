/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expected against observed, and both as text.
 *
 * The texts are canonical: known_issues entries match "EXPECTED => OBSERVED".
 *   ok page=0x1000000                        the access completed and met that page
 *   #PF(p,w,rsvd)  #GP(0x0)                  a fault, with the error code's bits
 *   fault                                    the same from an engine that tells no more
 *   exit SHUTDOWN                            the guest did not survive the access
 *   l2-exit 0x400 gpa=0x1000                 it ended L2: exit code, L2-physical address
 * What differs besides is added: " cr2=...", " rip=...", " ad=..." (accessed and dirty
 * bits newly set, per level), " entry-corrupt".
 */
#ifndef KMC_COMPARE_H
#define KMC_COMPARE_H

#include "case.h"

#define OUTCOME_TEXT_LEN 160

struct comparison {
	const struct guest *guest;
	const struct agent_batch *batch; /* state, actor, access, care */
	gva_t gva;
	const struct walk_result *expected;
	const struct agent_result *observed;
};

/*
 * A/D bits that the access newly set and must have, and others that it may have set, in
 * agent_result.ad's form.
 */
void expected_ad(const struct comparison *c, u32 *must, u32 *may);

bool outcome_matches(const struct comparison *c);
/* For a mismatch: both sides, with just the parts that differ. */
void outcome_texts(const struct comparison *c, char expected[OUTCOME_TEXT_LEN],
		   char observed[OUTCOME_TEXT_LEN]);

/*
 * What both texts are made of, so that cases of one guest whose classes are equal (memcmp) have
 * equal texts.  False if they tell more: an address of the case's own, an exit.
 */
struct outcome_class {
	gpa_t page;              /* expected */
	u32 vector, error;       /* expected, or 0 for none */
	u32 status, seen;        /* observed; error code or value */
	u32 ad_must, ad, ad_differs;
	u32 access, no_error;
};
bool outcome_class(const struct comparison *c, struct outcome_class *class);

/* "p,w,u" for PFERR_* bits; "0" for none. */
void error_code_text(u32 error, char text[48]);
/* Expected outcome alone, as --case prints it. */
void walk_result_text(const struct walk_result *r, char text[OUTCOME_TEXT_LEN]);

#endif
