// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO engine: one operand of the instruction lies in a hole of guest memory, so KVM emulates
 * it (a nested page fault, an EPT misconfiguration, or a reserved-bit fault of the MMIO
 * spte) and walks for the other operand in software.
 *
 * That works if the CPU comes upon the hole first; otherwise the CPU's own walker has tried
 * the other operand already and has raised its fault.
 *
 *   MOVS hole -> memory   write; what is stored must have been read: the hole comes first.
 *   CMPS hole, memory     read; either operand may come first: manuals do not say.  KVM reads
 *                         DS:SI first.  Where the CPU does, too, the hole is at DS:SI; where it
 *                         begins with ES:DI (QEMU's), the hole is there, and the emulator then walks
 *                         for DS:SI before it asks for the hole.  cmps_order() finds out.
 *
 * Not used: MOVS memory -> hole and POP to the hole read memory first, by nature.  PUSH from
 * the hole writes where the next exception of the same privilege level would put its frame.
 *
 * What CMPS read: the VMM answers with the tag of one page after another until they are equal;
 * the carry flag tells which way to go on.
 */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "host.h"
#include "io_answers.h"
#include "test_assert.h"
#include "x86.h"

#define MMIO_SIZE 4
#define MAX_SORTED 4096
#define NR_GUESSES 2

/* All tags, in order, to look one up by comparing. */
static struct tagged {
	u32 tag;
	gpa_t gpa;
} sorted[MAX_SORTED];
static u32 nr_sorted;

/* The case under way: questions asked, and what is left of sorted[]: low up to, not, high. */
static u32 asking, nr_asked, low, high;
/* What the last answer was, by case. */
static gpa_t answered[AGENT_MAX_CASES];

/* Was the hole read? */
static bool hole_exit(const struct kvm_run *run, u32 exit)
{
	return exit == KVM_EXIT_MMIO && !run->mmio.is_write && run->mmio.len == MMIO_SIZE &&
	       run->mmio.phys_addr == HOLE_GPA;
}

static int by_tag(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;

	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void sort_tags(const struct guest *guest)
{
	TEST_ASSERT(guest->nr_frames <= MAX_SORTED, "%llu data pages",
		    (unsigned long long)guest->nr_frames);
	for (nr_sorted = 0; nr_sorted < guest->nr_frames; nr_sorted++) {
		gpa_t gpa = guest->frame[nr_sorted];

		sorted[nr_sorted] = (struct tagged){ guest_page_tag(gpa), gpa };
	}
	qsort(sorted, nr_sorted, sizeof(*sorted), by_tag);
}

/* Is what memory holds above the last answer? CF tells, by CMPS's first operand less its second. */
static bool above(struct guest *guest, const struct agent_batch *batch)
{
	struct kvm_regs regs;

	vcpu_regs_get(guest->vcpu, &regs);
	return !(regs.rflags & X86_EFLAGS_CF) == batch->hole_second;
}

/* CMPS asks again only while the answer was not what is there. */
static bool next_answer(struct guest *guest, const struct agent_batch *batch, gpa_t *gpa)
{
	u32 nr = nr_asked++, middle;

	/* Most often it is the page that should be there. */
	if (nr < NR_GUESSES && page_candidate(guest, batch, asking, nr, gpa))
		return true;
	if (nr > NR_GUESSES) {
		middle = (low + high) / 2;
		if (above(guest, batch))
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= high)
		return false;
	*gpa = sorted[(low + high) / 2].gpa;
	return true;
}

static bool answer_read(struct guest *guest, const struct agent_batch *batch, u32 i, u32 *word)
{
	if (asking != i || !nr_asked) {
		if (asking < i && answered[asking])
			page_found(answered[asking]);
		asking = i;
		nr_asked = low = 0;
		high = nr_sorted;
	}
	if (!next_answer(guest, batch, &answered[i]))
		return false;
	*word = guest_page_tag(answered[i]);
	return true;
}

static bool answer(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	struct kvm_run *run = guest->vcpu->run;
	u32 word;

	if (!hole_exit(run, exit) || i == batch->nr)
		return false;
	if (batch->access == AGENT_WRITE)
		word = stores_word(guest, batch, i);
	else if (!answer_read(guest, batch, i, &word))
		return false;
	memcpy(run->mmio.data, &word, sizeof(word));
	return true;
}

static void settle(struct guest *guest, const struct agent_batch *batch,
		   struct agent_result *results, u32 first, u32 end)
{
	u32 i;

	if (batch->access == AGENT_WRITE) {
		stores_settle(guest, batch, results, first, end);
		return;
	}
	for (i = first; i < end; i++)
		if (agent_result_status(&results[i]) == STATUS_DONE)
			results[i].value = answered[i] ? guest_page_tag(answered[i]) : 0;
}

static const struct agent_service service = { answer, settle };

static bool asked;

static bool note_question(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	struct kvm_run *run = guest->vcpu->run;

	if (!hole_exit(run, exit) || i == batch->nr)
		return false;
	asked = true;
	memset(run->mmio.data, 0, MMIO_SIZE);
	return true;
}

/* The linear address of an entry that is not present, with full entries above it. */
static gva_t absent_address(const struct guest *guest, const struct mmu_state *state)
{
	enum table_area area = state_area(state);
	const struct variant_list *list = &guest->area[area].variants[1];
	u16 variant[MAX_LEVELS + 1] = { 0 };

	while (variant[1] < list->nr && list->bits[variant[1]] & PTE_P)
		variant[1]++;
	return guest_gva(guest, area, variant, 0);
}

/*
 * Does the CPU begin with CMPS's second operand?  With the hole at DS:SI and an absent page at
 * ES:DI: if the fault comes and nobody asked for the hole, yes.
 */
static bool second_first(struct guest *guest, const struct agent_batch *batch)
{
	static const struct agent_service questions = { note_question, NULL };
	static enum tristate known[2] = { UNKNOWN, UNKNOWN };
	enum tristate *order = &known[!!batch->actor.cpl];
	gva_t gva = absent_address(guest, &batch->state);
	struct agent_result result;
	struct agent_batch b = *batch;

	if (*order != UNKNOWN)
		return *order;
	b.careful = false;
	b.gvas = &gva;
	b.nr = 1;
	b.results = &result;
	b.service = &questions;
	asked = false;
	agent_run(guest, &b);
	if (result.status & STATUS_FAULT)
		*order = asked ? NO : YES;
	return *order == YES;
}

static void mmio_run(struct guest *guest, const struct agent_batch *batch)
{
	struct agent_batch b = *batch;

	if (batch->access == AGENT_READ && state_modes[batch->state.mode].paging != PAGING_NONE)
		b.hole_second = second_first(guest, batch);
	b.service = &service;
	asking = nr_asked = 0;
	if (batch->access == AGENT_READ)
		sort_tags(guest);
	memset(answered, 0, sizeof(answered));
	stores_begin();
	agent_run(guest, &b);
}

static const char *mmio_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	(void)guest;
	return batch->access == AGENT_READ || batch->access == AGENT_WRITE ?
		       NULL : "the emulated instructions read (CMPS) and write (MOVS) memory";
}

const struct engine engine_mmio = {
	.name = "mmio",
	.does = "CMPS and MOVS with a hole in memory, for whose other operand KVM walks in software",
	.via = VIA_MMIO,
	.host_lacks = engine_lacks_nothing,
	.unsupported = mmio_unsupported,
	.run = mmio_run,
};
