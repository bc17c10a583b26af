// SPDX-License-Identifier: GPL-2.0-only
/* The VM of pdpte_test: its tables, its states. */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pdpte_cases.h"
#include "test_assert.h"
#include "x86.h"

#define PAGE 0x1000ull
#define SUPERVISOR (PTE_P | PTE_W | PTE_A | PTE_D)
#define LOOK_OFFSET 0x08000000u

/* Pages of the arena. */
#define PD(set, gib) (PDPTE_ARENA + (1 + 4 * (set) + (gib)) * PAGE)
#define PT(set, gib) (PDPTE_ARENA + (9 + 4 * (set) + (gib)) * PAGE)
#define PT_AGENT (PDPTE_ARENA + 21 * PAGE)
#define PT_ARENA (PDPTE_ARENA + 22 * PAGE)
#define LOOK_PAGE(set, gib) (PDPTE_ARENA + (32 + 4 * (set) + (gib)) * PAGE)

gva_t pdpte_gva(unsigned int gib)
{
	return ((gva_t)gib << 30) + LOOK_OFFSET;
}

static void put(struct pdpte_rig *rig, gpa_t gpa, u64 entry, int bytes)
{
	memcpy(rig->image + (gpa - PDPTE_ARENA), &entry, bytes);
}

/* The pages of one gigabyte, in each of the sets. */
static void write_gib(struct pdpte_rig *rig, unsigned int gib)
{
	const u32 pd_2level = pdpte_gva(gib) >> 22;
	int set;

	for (set = SET_GOOD; set <= SET_OTHER; set++) {
		put(rig, PD(set, gib) + 8 * (LOOK_OFFSET >> 21), PT(set, gib) | SUPERVISOR, 8);
		put(rig, PT(set, gib), LOOK_PAGE(set, gib) | SUPERVISOR, 8);
	}
	put(rig, PDPTE_ARENA + 4 * pd_2level, PT(SET_2LEVEL, gib) | SUPERVISOR, 4);
	put(rig, PT(SET_2LEVEL, gib), LOOK_PAGE(SET_2LEVEL, gib) | SUPERVISOR, 4);
	rig->good[gib] = PD(SET_GOOD, gib) | PTE_P;
	rig->other[gib] = PD(SET_OTHER, gib) | PTE_P;
	put(rig, PDPTE_CR3 + 8 * gib, rig->good[gib], 8);
}

/* The agent's 4 MiB and the arena, one to one, behind PDPTE 0 and in 2-level tables. */
static void write_low(struct pdpte_rig *rig)
{
	u64 a;
	int set;

	for (set = SET_GOOD; set <= SET_OTHER; set++) {
		for (a = 0; a < AGENT_SIZE; a += 0x200000)
			put(rig, PD(set, 0) + 8 * (a >> 21), a | SUPERVISOR | PTE_PS, 8);
		a = PDPTE_ARENA;
		put(rig, PD(set, 0) + 8 * (a >> 21), a | SUPERVISOR | PTE_PS, 8);
	}
	for (a = 0; a < AGENT_SIZE; a += PAGE)
		put(rig, PT_AGENT + 4 * (a >> 12), a | SUPERVISOR, 4);
	for (a = 0; a < PDPTE_ARENA_SIZE; a += PAGE)
		put(rig, PT_ARENA + 4 * (a >> 12), (PDPTE_ARENA + a) | SUPERVISOR, 4);
	put(rig, PDPTE_ARENA, PT_AGENT | SUPERVISOR, 4);
	put(rig, PDPTE_ARENA + 4 * (PDPTE_ARENA >> 22), PT_ARENA | SUPERVISOR, 4);
}

static void open_vm(struct pdpte_rig *rig)
{
	unsigned int gib;
	int set;

	rig->guest = guest_create(NULL);
	script_install(rig->guest);
	memset(rig->image, 0, PDPTE_ARENA_SIZE);
	write_low(rig);
	for (gib = 0; gib < NR_GIB; gib++)
		write_gib(rig, gib);
	memcpy(vm_gpa2hva(rig->guest->vm, PDPTE_ARENA), rig->image, PDPTE_ARENA_SIZE);
	for (gib = 0; gib < NR_GIB; gib++)
		for (set = 0; set < NR_PDPTE_SETS; set++)
			guest_tag_page(rig->guest, LOOK_PAGE(set, gib));
	rig->copy = NULL;
}

struct pdpte_rig *pdpte_rig_create(void)
{
	struct pdpte_rig *rig = calloc(1, sizeof(*rig));
	struct host_card card;

	TEST_ASSERT(rig, "out of memory");
	rig->image = calloc(1, PDPTE_ARENA_SIZE);
	TEST_ASSERT(rig->image, "out of memory");
	rig->range = (struct phys_range){ PDPTE_ARENA, PDPTE_ARENA_SIZE, rig->image };
	rig->memory = (struct phys_memory){ &rig->range, 1 };
	host_card_read(&card);
	open_vm(rig);
	rig->on_demand = rig->guest->cpu.vendor == VENDOR_AMD && card.tdp == YES;
	return rig;
}

void pdpte_rig_free(struct pdpte_rig *rig)
{
	if (!rig)
		return;
	guest_free(rig->guest);
	free(rig->image);
	free(rig);
}

void pdpte_rig_renew(struct pdpte_rig *rig)
{
	guest_free(rig->guest);
	open_vm(rig);
}

const char *pdpte_event_lacks(struct pdpte_rig *rig, const struct pdpte_event *event)
{
	const struct cpu_facts *cpu = &rig->guest->cpu;
	const bool sregs2 = event->by == BY_API &&
			    (event->api == API_SREGS2 || event->api == API_SREGS2_GIVEN ||
			     event->api == API_COPY_SREGS2);

	if (event->by == BY_CR4 && event->toggles & X86_CR4_SMEP && !cpu->smep)
		return "SMEP";
	if (event->by == BY_CR4 && event->toggles & X86_CR4_SMAP && !cpu->smap)
		return "SMAP";
	if (event->by == BY_CR4 && event->toggles & X86_CR4_PKE && !cpu->pku)
		return "PKU";
	if (event->by == BY_EFER && !cpu->nx)
		return "NX";
	if (sregs2 && vm_check_cap(rig->guest->vm, KVM_CAP_SREGS2) <= 0)
		return "KVM_CAP_SREGS2";
	return NULL;
}

struct mmu_state pdpte_state(const struct pdpte_rig *rig, const struct pdpte_event *event)
{
	struct mmu_state state = { event->from, rig->flags };

	/* PKE under 2-level or PAE paging means nothing; the guest would want PKRU loaded. */
	state.flags &= ~FLAG_PKE;
	/* SMEP and SMAP have findings of their own where paging comes and goes. */
	if (event->from != MODE_PAE)
		state.flags &= FLAG_WP | FLAG_NX;
	return state;
}

struct kvm_sregs pdpte_sregs(const struct pdpte_rig *rig, const struct pdpte_event *event)
{
	const struct mmu_state state = pdpte_state(rig, event);
	struct kvm_sregs s = script_sregs(rig->guest, &state);

	s.cr3 = PDPTE_CR3;
	s.cr0 |= event->prepared;
	if (event->from == MODE_NOPG)
		s.cr4 |= X86_CR4_PAE;
	return s;
}

void pdpte_put(struct pdpte_rig *rig, unsigned int entry, u64 value)
{
	memcpy((u8 *)vm_gpa2hva(rig->guest->vm, PDPTE_CR3) + 8 * entry, &value, sizeof(value));
}

int pdpte_enter(struct pdpte_rig *rig, struct vcpu *vcpu, const struct pdpte_event *event)
{
	const struct kvm_sregs s = pdpte_sregs(rig, event);
	unsigned int i;

	/* All four anew: see struct guest.marks_pdptes. */
	for (i = 0; i < NR_GIB; i++)
		pdpte_put(rig, i, rig->good[i]);
	rig->ran = false;
	return __vcpu_sregs_set(vcpu, &s);
}

u64 pdpte_value(const struct pdpte_rig *rig, const struct pdpte_case *c)
{
	return pdpte_changed(c, rig->good[c->entry], rig->other[c->entry]);
}
