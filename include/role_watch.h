/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that KVM makes for one VM, compared with those that the model predicts.
 *
 * A watch goes with a guest.  What accesses need is added to its expectation, as the model
 * says; then the events are read, and each page seen is looked up there.
 */
#ifndef KMC_ROLE_WATCH_H
#define KMC_ROLE_WATCH_H

#include "guest.h"
#include "kvm_stats.h"
#include "role_observer.h"
#include "role_page.h"

/* A set of (gfn, role word). */
struct page_key {
	u64 gfn;
	u32 word;
	bool used;
};

struct page_set {
	struct page_key *slot;
	u32 nr, size; /* size is a power of two, or 0 */
};

bool page_set_has(const struct page_set *set, u64 gfn, u32 word);
/* True if it was not there. */
bool page_set_add(struct page_set *set, u64 gfn, u32 word);
void page_set_clear(struct page_set *set);
void page_set_free(struct page_set *set);

/* What is wrong with the pages of a VM.  Texts are good for the duration of the call. */
struct role_finding {
	u64 gfn;
	const char *expected, *observed;
	const char *field; /* the first that differs, or what else the finding is about */
};

struct role_watch {
	struct guest *guest;
	struct role_observer *observer;
	const struct role_layout *layout;
	bool tdp_mmu;            /* its pages are not counted by mmu_cache_miss */
	struct kvm_stats *stats; /* of the VM; NULL: none */
	struct page_set seen;    /* pages that this VM has */
	/* Of the present state: */
	struct role_tables tables;
	struct page_set allowed, required;
	u64 events, created, found; /* since role_watch_begin() */
	u64 misses;              /* mmu_cache_miss at role_watch_begin() */
	void (*finding)(const struct role_finding *finding, void *context);
	void *context;
};

/* Begins a state: forgets what was expected, allows the roots and the agent's own pages. */
void role_watch_begin(struct role_watch *watch, const struct mmu_state *state,
		      const struct role_tables *tables);
/* This access, whose walk reached a page, may make pages; must: they have to be seen. */
void role_watch_expect(struct role_watch *watch, const struct walk_regs *regs,
		       const struct walk_access *access, const struct walk_result *walk, bool must);
/*
 * Reads the events since, and calls finding() for each page that is not as predicted: a role
 * word that no access needs, a page made although it was there, one that is needed and was
 * never seen, more or fewer misses counted than pages made.  Also fills events, created and
 * found.  words: every word seen is added, with gfn 0.  Ends the subtest where events were
 * lost.
 */
void role_watch_check(struct role_watch *watch, struct page_set *words);
/* Reads the events since and judges none: something else went wrong. */
void role_watch_drain(struct role_watch *watch);
/* All pages of the VM are gone: the memslots have changed. */
void role_watch_forget(struct role_watch *watch);
void role_watch_free(struct role_watch *watch);

#endif
