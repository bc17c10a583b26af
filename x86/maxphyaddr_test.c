// SPDX-License-Identifier: GPL-2.0-only
/*
 * maxphyaddr_test - CPUs with fewer physical-address bits, without 1-GByte pages or PSE-36, of
 * the other vendor.
 *
 * Proves: a guest that CPUID offers a MAXPHYADDR below the host's, no 1-GByte pages or no
 * PSE-36 finds every bit reserved that such a CPU reserves, in every entry of every paging
 * mode; a guest of the other vendor's name those of that vendor (bit 8 of PML4E and PML5E); and every 4-MByte PDE leads where its bits 21:13 say, all 512 combinations of them.
 *
 * Would catch: reserved-bit masks that are not made anew for the guest's CPUID, a
 * MAXPHYADDR taken from the host, PSE-36 address bits lost or put in the wrong place.
 *
 * By the guest's CPU, and by KVM's own walker (engines forced and translate), which is to go
 * by the guest's CPUID, too.
 *
 * Needs: /dev/kvm.  With nested paging the CPU walks, and reserves what the host's CPU
 * reserves: only KVM_CAP_SMALLER_MAXPHYADDR promises more (see docs/findings.md).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case_run.h"
#include "cpu_offer.h"
#include "host.h"
#include "report.h"

#define MAX_SUBTESTS 1024
#define NAME_LEN (CPU_OFFER_LEN + STATE_NAME_LEN + 24)

static struct test_about about = {
	.name = "maxphyaddr_test",
	.proves = "what a CPU without some physical-address bits, 1-GByte pages or PSE-36 reserves, is reserved",
	.has_cases = true,
	.replays_all = true,
	.tags = "walk,cpuid,native",
};

/* Filled in at run time: one below what KVM supports. */
#define HOST_LESS_ONE 1

static const struct cpu_offer offers[] = {
	{ .maxphyaddr = HOST_LESS_ONE },
	{ .maxphyaddr = 40 },
	{ .maxphyaddr = 36 },
	{ .maxphyaddr = 32 },
	{ .no_1g = true },
	{ .no_pse36 = true },
	{ .maxphyaddr = 36, .no_1g = true, .no_pse36 = true },
	{ .intel = true },
	{ .amd = true },
};

/* Fewest and most flags of each mode, and NX by itself: it decides over bit 63. */
enum which_flags { FLAGS_NONE, FLAGS_NX, FLAGS_ALL, NR_WHICH_FLAGS };

struct part {
	char name[NAME_LEN];
	struct cpu_offer offer;
	struct mmu_state state;
	bool pse36; /* instead of each bit alone: every combination of bits 21:13 */
	const struct engine *engine;
};

static struct part parts[MAX_SUBTESTS];
static struct subtest subtests[MAX_SUBTESTS];
static unsigned int nr_parts;

/* The guest of the parts that came last; its CPU is theirs. */
static struct guest *guest;
static struct cpu_offer guest_offer;
static bool guest_pse36;
static struct plan_set plans;

static struct variant_list pse36_lists[NR_TABLE_AREAS][MAX_LEVELS + 1];

static bool same_offer(const struct cpu_offer *a, const struct cpu_offer *b)
{
	return a->maxphyaddr == b->maxphyaddr && a->no_1g == b->no_1g &&
	       a->no_pse36 == b->no_pse36 && a->intel == b->intel && a->amd == b->amd;
}

/* 4-MByte PDEs with all combinations of bits 21:13 (without any: walk_test has it). */
static void make_pse36_lists(void)
{
	struct variant_list *list = pse36_lists[AREA_2LEVEL_PSE];
	u64 bits;
	int level;

	for (level = 1; level <= 2; level++)
		list[level] = (struct variant_list){ .nr = 1, .nr_rights = 1, .ps_is_page = level == 2,
						     .bits = { VARIANT_FULL } };
	for (bits = 1; bits < 1 << 9; bits++)
		list[2].bits[list[2].nr++] = VARIANT_FULL | PTE_PS | bits << 13;
}

static void drop_guest(void)
{
	plan_set_free(&plans);
	guest_free(guest);
	guest = NULL;
}

static void prepare(const struct part *part)
{
	if (guest && same_offer(&guest_offer, &part->offer) && guest_pse36 == part->pse36)
		return;
	drop_guest();
	cpu_offer_use(&part->offer);
	guest_offer = part->offer;
	guest_pse36 = part->pse36;
	if (part->pse36)
		make_pse36_lists();
	guest = guest_create(part->pse36 ? pse36_lists : NULL);
	memset(pse36_lists, 0, sizeof(pse36_lists));
}

/* In parts, as writes of one run may end up in that many pages. */
#define PAGES_AT_A_TIME 64

static void run_plan(const struct part *part, const struct actor *actor, enum agent_access access,
		     enum agent_care care)
{
	static const enum plan_kind kinds[NR_CARES] = {
		[CARE_NONE] = PLAN_SINGLE,
		[CARE_BEHIND] = PLAN_SINGLE_FIXED,
		[CARE_EACH] = PLAN_UNFIXED,
	};
	/* Descriptors are read in careful batches only. */
	const enum plan_kind kind = access == AGENT_LDT ? PLAN_SINGLE : kinds[care];
	const struct plan *all = plan_of(&plans, guest, kind, state_area(&part->state));
	const u32 most = guest_pse36 ? PAGES_AT_A_TIME : all->nr;
	u32 i;

	for (i = 0; i < all->nr; i += most) {
		const struct plan some = {
			.mode = all->mode,
			.nr = all->nr - i < most ? all->nr - i : most,
			.choice = all->choice + i,
		};

		cases_run(guest, part->engine, &part->state, actor, access, care, &some);
	}
}

/* Reserved bits care for nobody: a supervisor and a user, and what it costs to be careful. */
static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	static const struct actor actors[] = { { 0, false }, { 3, false } };
	const char *missing;
	unsigned int i;
	int access, care;

	prepare(part);
	missing = part->engine->host_lacks(guest);
	TEST_REQUIRE(!missing, "engine %s: %s", part->engine->name, missing);
	missing = state_missing(&part->state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	for (i = 0; i < ARRAY_SIZE(actors); i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			for (care = CARE_NONE; care < NR_CARES; care++) {
				const struct agent_batch batch = engine_batch(
					part->engine, &part->state, &actors[i], access, care);

				/* A and D at each write and read of one actor: enough. */
				if (care && access == AGENT_FETCH)
					continue;
				if (part->engine->unsupported(guest, &batch) || report_should_stop())
					continue;
				if (cases_probe(guest, part->engine, &part->state, &actors[i],
						access, care))
					run_plan(part, &actors[i], access, care);
			}
	cases_check_memory(guest, &part->state);
}

static void add_part(const struct cpu_offer *offer, const struct mmu_state *state, bool pse36,
		     const struct engine *engine)
{
	struct part *p = &parts[nr_parts];
	char cpu[CPU_OFFER_LEN], name[STATE_NAME_LEN];

	if (nr_parts == MAX_SUBTESTS)
		return;
	*p = (struct part){ .offer = *offer, .state = *state, .pse36 = pse36,
			    .engine = engine };
	cpu_offer_text(offer, cpu);
	state_name(state, name);
	snprintf(p->name, sizeof(p->name), "%s%s%s%s%s", pse36 ? "pse36/" : "",
		 engine == &engine_native ? "" : engine->name, engine == &engine_native ? "" : "/",
		 cpu, name);
	subtests[nr_parts] = (struct subtest){ p->name, run_part, p };
	nr_parts++;
}

/* Where KVM walks the code size does not count, and its emulator is slow: fewer states, fewer CPUs. */
static bool worth_it(const struct engine *engine, const struct cpu_offer *offer,
		     enum state_mode mode, enum which_flags which)
{
	if (engine == &engine_native)
		return true;
	return which == FLAGS_ALL && mode != MODE_COMPAT4 && mode != MODE_COMPAT5 &&
	       offer->maxphyaddr != 32 && !(offer->maxphyaddr && offer->no_1g);
}

/* Does such a CPU's table of this mode differ from the host's at all? */
static bool concerns(const struct cpu_offer *offer, enum state_mode mode)
{
	if (offer->maxphyaddr)
		return state_modes[mode].paging != PAGING_NONE;
	if (offer->no_1g || offer->intel || offer->amd)
		return state_modes[mode].long_mode;
	return mode == MODE_2LEVEL;
}

static void add_states(const struct cpu_offer *offer, const struct cpu_facts *cpu,
		       const struct engine *engine)
{
	int mode, which, flag;

	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		const u8 legal = state_modes[mode].used | state_modes[mode].ignored;

		for (which = 0; which < NR_WHICH_FLAGS && concerns(offer, mode); which++) {
			struct mmu_state state = { mode, which == FLAGS_NX ? FLAG_NX : 0 };

			for (flag = 1; which == FLAGS_ALL && flag < 1 << NR_STATE_FLAGS; flag <<= 1) {
				const struct mmu_state one = { mode, flag };

				if (legal & flag && !state_missing(&one, cpu))
					state.flags |= flag;
			}
			/* 4-MByte pages are what PSE-36 and a width below 40 bits are about. */
			if (mode == MODE_2LEVEL && which == FLAGS_NX)
				state.flags |= FLAG_PSE;
			if (worth_it(engine, offer, mode, which))
				add_part(offer, &state, false, engine);
		}
	}
	if (concerns(offer, MODE_2LEVEL)) {
		const struct mmu_state pse = { MODE_2LEVEL, FLAG_PSE };

		if (worth_it(engine, offer, MODE_2LEVEL, FLAGS_ALL))
			add_part(offer, &pse, true, engine);
	}
}

/* What KVM offers here; without KVM a guess, as every subtest will be skipped. */
static struct cpu_facts supported_cpu(void)
{
	struct cpu_facts cpu = { .maxphyaddr = 40 };
	struct kvm_cpuid2 *cpuid;
	struct host_card card;
	int fd;

	host_card_read(&card);
	if (card.kvm_error[0])
		return cpu;
	fd = open(kvm_device_path(), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return cpu;
	cpuid = kvm_supported_cpuid(fd);
	cpu = cpuid_facts(cpuid);
	free(cpuid);
	close(fd);
	return cpu;
}

/* The guest's CPU and KVM's own walker; other engines, which have the same, only if asked for. */
static bool engine_wanted(const struct engine *engine, const struct engine *only)
{
	return only ? engine == only :
		      engine == &engine_native || engine == &engine_forced ||
			      engine == &engine_translate;
}

/* only: NULL, or the engine that was asked for. */
static void make_parts(const struct engine *only)
{
	const struct cpu_facts cpu = supported_cpu();
	const struct mmu_state pse = { MODE_2LEVEL, FLAG_PSE };
	const struct cpu_offer all = { 0 };
	unsigned int i, k;

	for (i = 0; i < nr_engines; i++)
		if (engine_wanted(engines[i], only))
			add_part(&all, &pse, true, engines[i]);
	for (i = 0; i < ARRAY_SIZE(offers); i++) {
		struct cpu_offer offer = offers[i];

		if (offer.maxphyaddr == HOST_LESS_ONE)
			offer.maxphyaddr = cpu.maxphyaddr - 1;
		if (offer.maxphyaddr >= cpu.maxphyaddr || (offer.maxphyaddr && offer.maxphyaddr < 32))
			continue;
		if ((offer.intel && cpu.vendor == VENDOR_INTEL) ||
		    (offer.amd && cpu.vendor == VENDOR_AMD))
			continue;
		/* The last width may be one that is in the list, too. */
		for (k = 0; k < nr_parts && !same_offer(&parts[k].offer, &offer);)
			k++;
		if (k < nr_parts)
			continue;
		for (k = 0; k < nr_engines; k++)
			if (engine_wanted(engines[k], only))
				add_states(&offer, &cpu, engines[k]);
	}
}

int main(int argc, char **argv)
{
	struct test_options options;
	const char *rest, *error;
	struct cpu_offer offer;
	int code;

	about.engines = engine_names();
	test_options_parse(&about, argc, argv, &options);
	if (options.case_id) {
		error = cpu_offer_parse(options.case_id, &offer, &rest);
		if (error) {
			fprintf(stderr, "malformed case id '%s': %s\n", options.case_id, error);
			return KSFT_USAGE;
		}
		cpu_offer_use(&offer);
		options.case_id = rest;
		return case_replay(&options);
	}
	make_parts(options.engine ? engine_find(options.engine) : NULL);
	code = report_run(&about, &options, subtests, nr_parts);
	drop_guest();
	return code;
}
