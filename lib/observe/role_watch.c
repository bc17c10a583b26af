// SPDX-License-Identifier: GPL-2.0-only
/* Seen against predicted: the pages of one VM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role_watch.h"
#include "test_assert.h"

#define PAGE_TEXT_LEN (ROLE_TEXT_LEN + 64)
#define LARGE_SIZE 0x200000

static void allow(struct role_watch *watch, const struct role_page *pages, unsigned int nr,
		  bool must)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		const char *lacking = role_not_in_layout(watch->layout, &pages[i].role);
		u32 word = role_word(watch->layout, &pages[i].role);

		TEST_REQUIRE(!lacking, "this kernel's role words have no %s", lacking);
		page_set_add(&watch->allowed, pages[i].gfn, word);
		if (must)
			page_set_add(&watch->required, pages[i].gfn, word);
	}
}

/* Code, tables and data of the agent: whatever of it KVM shadows. */
static void allow_agent(struct role_watch *watch, const struct mmu_state *state,
			const struct walk_regs *regs)
{
	const struct guest *guest = watch->guest;
	struct role_page pages[ROLE_PAGES_MAX];
	struct walk_result walked;
	struct walk_access access = { .kind = ACCESS_READ };

	for (; access.gva < AGENT_LINEAR_END; access.gva += LARGE_SIZE) {
		walk(&guest->cpu, regs, &guest->memory, &access, &walked);
		TEST_ASSERT(walked.nr_steps && walked.step[walked.nr_steps - 1].leaf,
			    "the agent's memory is not mapped at %#llx in %s",
			    (unsigned long long)access.gva, state_modes[state->mode].name);
		allow(watch, pages,
		      role_walk_pages(&watch->tables, regs, &access, &walked, pages), false);
	}
}

void role_watch_begin(struct role_watch *watch, const struct mmu_state *state,
		      const struct role_tables *tables)
{
	const struct walk_regs regs = guest_walk_regs(watch->guest, state);
	struct role_page pages[ROLE_PAGES_MAX];

	watch->tables = *tables;
	page_set_clear(&watch->allowed);
	page_set_clear(&watch->required);
	allow(watch, pages, role_root_pages(tables, &regs, pages), true);
	if (!tables->root.direct)
		allow_agent(watch, state, &regs);
	watch->events = watch->created = watch->found = 0;
	if (watch->stats && kvm_stats_get(watch->stats, "mmu_cache_miss", &watch->misses)) {
		kvm_stats_close(watch->stats);
		watch->stats = NULL;
	}
}

void role_watch_expect(struct role_watch *watch, const struct walk_regs *regs,
		       const struct walk_access *access, const struct walk_result *walk, bool must)
{
	const struct role_tables *tables = &watch->tables;
	struct role_page pages[ROLE_PAGES_MAX];
	u8 level;

	if (!tables->root.direct) {
		allow(watch, pages, role_walk_pages(tables, regs, access, walk, pages), must);
		return;
	}
	for (level = 1; level < (tables->root.level > 3 ? tables->root.level : 2); level++) {
		pages[0] = role_direct_page(tables, level, walk->gpa);
		allow(watch, pages, 1, must);
	}
}

static void page_text(const struct role_watch *watch, u64 gfn, u32 word, char text[PAGE_TEXT_LEN])
{
	char role[ROLE_TEXT_LEN];

	role_word_text(watch->layout, word, role);
	snprintf(text, PAGE_TEXT_LEN, "gfn=%#llx word=%#x: %s", (unsigned long long)gfn, word, role);
}

/* KVM may map anything under a direct root, its own memslots too: the role is what counts. */
static bool direct_page_is_right(const struct role_watch *watch, const struct role_event *event)
{
	struct mmu_role role = role_from_word(watch->layout, event->word);
	u8 top = watch->tables.root.level > 3 ? watch->tables.root.level : 2;
	struct role_page page;

	if (!role.level || role.level >= top)
		return false;
	page = role_direct_page(&watch->tables, role.level, event->gfn << 12);
	return page.gfn == event->gfn && role_word(watch->layout, &page.role) == event->word;
}

/* The prediction that comes closest: of this table if possible, with fewest bits to flip. */
static bool closest(const struct role_watch *watch, const struct role_event *event,
		    struct page_key *best)
{
	struct mmu_role role = role_from_word(watch->layout, event->word);
	unsigned int least = ~0u;
	u32 i;

	for (i = 0; i < watch->allowed.size; i++) {
		const struct page_key *key = &watch->allowed.slot[i];
		unsigned int distance;

		if (!key->used)
			continue;
		distance = __builtin_popcount(key->word ^ event->word) +
			   (key->gfn == event->gfn ? 0 : 64) +
			   (role_from_word(watch->layout, key->word).level == role.level ? 0 : 32);
		if (distance < least) {
			least = distance;
			*best = *key;
		}
	}
	return least != ~0u;
}

static void find(struct role_watch *watch, u64 gfn, const char *expected, const char *observed,
		 const char *field)
{
	const struct role_finding finding = { gfn, expected, observed, field };

	watch->finding(&finding, watch->context);
}

static void not_predicted(struct role_watch *watch, const struct role_event *event)
{
	char expected[PAGE_TEXT_LEN] = "no page", observed[2 * PAGE_TEXT_LEN];
	char difference[ROLE_TEXT_LEN] = "";
	const char *field = NULL;
	struct page_key best;
	size_t at;

	page_text(watch, event->gfn, event->word, observed);
	if (closest(watch, event, &best)) {
		page_text(watch, best.gfn, best.word, expected);
		field = role_word_differs(watch->layout, event->word, best.word);
		role_word_difference(watch->layout, event->word, best.word, difference);
		at = strlen(observed);
		snprintf(observed + at, sizeof(observed) - at, " (%s)",
			 field ? difference : "no such table is walked");
	}
	find(watch, event->gfn, expected, observed, field ?: "gfn");
}

struct reading {
	struct role_watch *watch;
	struct page_set *words, reported;
};

static void on_event(const struct role_event *event, void *context)
{
	struct reading *reading = context;
	struct role_watch *watch = reading->watch;
	char text[PAGE_TEXT_LEN];

	watch->events++;
	watch->created += event->created;
	watch->found += !event->created;
	page_set_add(reading->words, 0, event->word);
	if (!page_set_has(&watch->allowed, event->gfn, event->word) &&
	    !(watch->tables.root.direct && direct_page_is_right(watch, event)) &&
	    page_set_add(&reading->reported, event->gfn, event->word))
		not_predicted(watch, event);
	if (page_set_add(&watch->seen, event->gfn, event->word) || !event->created)
		return;
	page_text(watch, event->gfn, event->word, text);
	find(watch, event->gfn, "found: this VM has it already", text, "created");
}

static void check_required(struct role_watch *watch)
{
	char text[PAGE_TEXT_LEN];
	u32 i;

	for (i = 0; i < watch->required.size; i++) {
		const struct page_key *key = &watch->required.slot[i];

		if (!key->used || page_set_has(&watch->seen, key->gfn, key->word))
			continue;
		page_text(watch, key->gfn, key->word, text);
		find(watch, key->gfn, text, "never seen", "missing");
	}
}

static void check_misses(struct role_watch *watch)
{
	char expected[64], observed[64];
	u64 now;

	if (!watch->stats || watch->tdp_mmu || kvm_stats_get(watch->stats, "mmu_cache_miss", &now))
		return;
	now -= watch->misses;
	if (now == watch->created)
		return;
	snprintf(expected, sizeof(expected), "mmu_cache_miss +%llu", (unsigned long long)watch->created);
	snprintf(observed, sizeof(observed), "mmu_cache_miss +%llu", (unsigned long long)now);
	find(watch, 0, expected, observed, "mmu_cache_miss");
}

void role_watch_check(struct role_watch *watch, struct page_set *words)
{
	struct reading reading = { .watch = watch, .words = words };
	const char *trouble = role_observer_read(watch->observer, on_event, &reading);

	page_set_free(&reading.reported);
	TEST_ASSERT(!trouble, "%s", trouble);
	check_required(watch);
	check_misses(watch);
}

static void on_unjudged(const struct role_event *event, void *context)
{
	struct role_watch *watch = context;

	page_set_add(&watch->seen, event->gfn, event->word);
}

void role_watch_drain(struct role_watch *watch)
{
	const char *trouble = role_observer_read(watch->observer, on_unjudged, watch);

	TEST_ASSERT(!trouble, "%s", trouble);
}

void role_watch_forget(struct role_watch *watch)
{
	page_set_clear(&watch->seen);
}

void role_watch_free(struct role_watch *watch)
{
	kvm_stats_close(watch->stats);
	page_set_free(&watch->seen);
	page_set_free(&watch->allowed);
	page_set_free(&watch->required);
}
