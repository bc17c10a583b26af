/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known issues: mismatches that are explained, and by what.
 *
 * An entry covers a failing case when its host predicate, its test names, its
 * case globs and its mismatch expression all match (docs/known-issues.md has the
 * format).  A covered case is counted apart instead of failing the test, and an
 * entry that covers nothing on its own host is reported as stale.
 */
#ifndef KMC_KNOWN_ISSUES_H
#define KMC_KNOWN_ISSUES_H

#include <jansson.h>

#include "host.h"
#include "report.h"
#include "types.h"

struct known_issues;

/*
 * Reads and checks a file.  NULL if it cannot be used: then error holds one line
 * that names the file, the entry and what is wrong with it.
 */
struct known_issues *known_issues_load(const char *path, char *error, size_t size);
void known_issues_free(struct known_issues *issues);

/* Keeps the entries for this host and this test; the others cover nothing. */
void known_issues_select(struct known_issues *issues, const struct host_card *host,
			 const char *test);

/* The first entry that covers this mismatch, or -1. */
int known_issues_match(struct known_issues *issues, const struct case_failure *failure);
/*
 * The entry that known_issues_match() finds for every failure with this text ("EXPECTED =>
 * OBSERVED") and engine, whatever its id and state before, and for which it has nothing else to note.
 * -1: that depends.
 */
int known_issues_match_every_case(struct known_issues *issues, const char *mismatch,
				  const char *engine);

/* Number of entries in the file; an entry is named by its place, 0..nr-1. */
int known_issues_nr(const struct known_issues *issues);
const char *known_issue_id(const struct known_issues *issues, int nr);
/* This engine makes accesses in this run. */
void known_issues_engine(struct known_issues *issues, const char *engine);
/*
 * Selected for this host and test, and nothing matched it so far, though an engine it names (if
 * it names any) made accesses.
 */
bool known_issue_unused(const struct known_issues *issues, int nr);
/* What known_issue_unused() goes by, for another process's copy of the same file. */
u8 known_issue_seen(const struct known_issues *issues, int nr);
void known_issue_add_seen(struct known_issues *issues, int nr, u8 seen);
/* Kept by known_issues_select()? */
bool known_issue_selected(const struct known_issues *issues, int nr);
/* The day after which it was to be looked at again, if that is over (UTC); else NULL. */
const char *known_issue_expired(const struct known_issues *issues, int nr);
/* "id1, id2" on standard output, of the entries that have cases. */
void known_issues_print_ids(const struct known_issues *issues, const u64 *cases);
/*
 * A line on standard output and an event in the results for each entry that covered nothing
 * where it should have (fixed, or written wrongly), for each that nobody has looked at since its day.
 */
void known_issues_tell_stale(const struct known_issues *issues, const char *path);
void known_issues_tell_expired(const struct known_issues *issues);
/* The entries as they are in the file, owned by issues. */
json_t *known_issues_entries(const struct known_issues *issues);

#endif
