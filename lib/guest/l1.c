// SPDX-License-Identifier: GPL-2.0-only
/* The host side of an L1, as far as it is the same for all vendors: see include/l1.h. */
#include <stdlib.h>
#include <string.h>

#include "guest_internal.h"
#include "l1_internal.h"
#include "nested_state.h"
#include "test_assert.h"
#include "vcpu_copy.h"
#include "x86.h"

const struct mmu_state l1_usual_state = { MODE_4LEVEL, FLAG_WP | FLAG_NX };

struct mmu_state l1_unlike(const struct guest *guest, const struct mmu_state *l2)
{
	struct mmu_state l1 = l1_usual_state;

	l1.flags = (FLAG_WP | FLAG_NX | FLAG_SMEP | FLAG_SMAP) & ~l2->flags;
	if (state_missing(&l1, &guest->cpu))
		l1.flags &= FLAG_WP | FLAG_NX;
	return l1;
}

static const struct l1_vendor *vendor_of(const struct guest *guest)
{
	return guest->cpu.vendor == VENDOR_AMD ? &l1_svm : &l1_vmx;
}

const char *l1_lacks(struct guest *guest, bool nested)
{
	return vendor_of(guest)->lacks(guest, nested);
}

const char *l1_cannot(const struct guest *guest, const struct mmu_state *state, bool nested)
{
	const struct l1_vendor *vendor = vendor_of(guest);

	return vendor->cannot ? vendor->cannot(guest, state, nested) : NULL;
}

/* On first use: L1's code, and what its vendor needs besides. */
static struct l1 *l1_of(struct guest *guest)
{
	const struct l1_vendor *vendor = vendor_of(guest);

	if (guest->l1)
		return guest->l1;
	guest->l1 = calloc(1, sizeof(*guest->l1));
	TEST_ASSERT(guest->l1, "out of memory");
	guest->l1->next_table = L1_TABLES;
	guest->l1->next_nested = L1_NESTED;
	memcpy(vm_gpa2hva(guest->vm, L1_CODE), vendor->code, vendor->code_end - vendor->code);
	vendor->init(guest);
	return guest->l1;
}

void l1_free(struct guest *guest)
{
	free(guest->l1);
	guest->l1 = NULL;
}

/* L1's own entries: the supervisor's, so that SMEP and SMAP may be set. */
static u64 own_entry(enum paging_mode mode, int level, bool leaf)
{
	u64 entry = variant_full(mode, level);

	return leaf ? entry & ~PTE_U : entry;
}

/* Both of 32-bit L1s' widths and long mode have tables that differ in nothing but format. */
static gpa_t own_root(struct guest *guest, enum state_mode mode)
{
	struct l1 *l1 = l1_of(guest);
	struct l1_map map = {
		.guest = guest,
		.mode = state_modes[mode].paging,
		.next = &l1->next_table,
		.end = L1_TABLES_END,
		.full = own_entry,
	};

	if (!l1->own_root[mode]) {
		l1_map_begin(&map);
		l1_map_range(&map, 0, GUEST_RAM_SIZE, 1);
		l1->own_root[mode] = map.root;
	}
	return l1->own_root[mode];
}

u64 l1_identity(struct guest *guest, enum state_mode mode, int page_level)
{
	const struct l1_vendor *vendor = vendor_of(guest);
	struct l1 *l1 = l1_of(guest);
	struct l1_map map = {
		.guest = guest,
		.mode = state_modes[mode].paging,
		.next = &l1->next_nested,
		.end = L1_NESTED_END,
		.full = vendor->full,
	};
	u64 limit = paging_formats[map.mode].linear_bits == 32 ? BIT_ULL(32) : ~0ull;
	unsigned int i;

	if (!l1->identity[page_level][mode]) {
		l1_map_begin(&map);
		for (i = 0; i < guest->vm->nr_slots; i++) {
			const struct vm_slot *slot = &guest->vm->slot[i];
			/* Of sparse memory only the beginning is used. */
			u64 size = slot->size > GUEST_RAM_SIZE ? 0x400000 : slot->size;

			if (!(slot->id >> 16) && slot->gpa < limit)
				l1_map_range(&map, slot->gpa, size, page_level);
		}
		/* What is no memory of L1's is none of L2's either, and the VMM's to answer for. */
		l1_map_range(&map, HOLE_GPA, 0x1000, 1);
		l1->identity[page_level][mode] = map.root;
	}
	return vendor->root(mode, l1->identity[page_level][mode]);
}

gpa_t l1_nested_page(struct guest *guest)
{
	struct l1 *l1 = l1_of(guest);

	TEST_ASSERT(l1->next_nested < L1_NESTED_END, "no memory left for nested tables");
	l1->next_nested += 0x1000;
	return l1->next_nested - 0x1000;
}

const char *l1_use(struct guest *guest, const struct l1_setup *setup)
{
	const char *missing = state_missing(&setup->state, &guest->cpu);

	if (missing)
		return missing;
	if (state_modes[setup->state.mode].paging == PAGING_NONE)
		return "an L1 has paging";
	l1_of(guest)->setup = *setup;
	return NULL;
}

/* L1's own state. */
static struct kvm_sregs own_sregs(struct guest *guest, const struct mmu_state *state)
{
	struct kvm_sregs s = state_sregs(guest, state, 0, false, false);

	s.cr3 = own_root(guest, state->mode);
	/* Nothing is raised in L1; what is raised nevertheless shuts the vCPU down. */
	s.idt.limit = 0;
	return s;
}

/* VMRUN without nested paging loads PDPTEs, see struct guest.marks_pdptes. */
static void clean_pdptes(struct guest *guest, gpa_t cr3)
{
	u64 *pdpte = vm_gpa2hva(guest->vm, cr3);
	int i;

	for (i = 0; guest->marks_pdptes && i < 4; i++)
		pdpte[i] &= ~(u64)PTE_A;
}

/* Those that it has in L2, but for the handlers, which are the batch's. */
static void resume(struct guest *guest, struct kvm_sregs *sregs)
{
	const struct kvm_dtable idt = sregs->idt;

	vcpu_sregs_get(guest->vcpu, sregs);
	sregs->idt = idt;
	if (!(sregs->efer & X86_EFER_LMA))
		sregs->tr.type = guest->tss32_type;
	guest->l1->resumed = false;
}

void l1_enter(struct guest *guest, struct kvm_sregs *sregs, struct kvm_regs *regs)
{
	struct kvm_sregs own = own_sregs(guest, &guest->l1->setup.state);
	/* Only those of the cases to come: earlier ones of the batch keep theirs. */
	u32 first = ((u32)(regs->rdi + regs->rdx) - AGENT_RESULTS) / RESULT_SIZE;

	memset((struct l1_exit *)vm_gpa2hva(guest->vm, L1_EXITS) + first, 0,
	       regs->rcx * L1_EXIT_SIZE);
	if (guest->l1->resumed) {
		resume(guest, sregs);
		return;
	}
	if (sregs->cr0 & X86_CR0_PG && sregs->cr4 & X86_CR4_PAE && !(sregs->efer & X86_EFER_LMA))
		clean_pdptes(guest, sregs->cr3);
	if (guest->l1->setup.state.mode == MODE_PAE)
		clean_pdptes(guest, own.cr3);
	vendor_of(guest)->enter(guest, sregs, &own, regs);
	regs->rsp = L1_STACK_TOP;
	*sregs = own;
}

struct agent_batch l1_stop_batch(const struct agent_batch *like,
				 const struct agent_service *service)
{
	return (struct agent_batch){
		.state = like->state,
		.actor = like->actor,
		.access = AGENT_WRITE,
		.via = VIA_STRING,
		.in_l2 = true,
		.service = service,
	};
}

/* Where the vCPU is to go, once it has stopped in L2; NULL when it is there. */
static struct vcpu *move_to;

static bool stopped(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	struct vcpu *from = guest->vcpu;
	struct kvm_nested_state *state;

	(void)batch;
	(void)i;
	if (exit != KVM_EXIT_IO || from->run->io.port != AGENT_STRING_PORT || !move_to)
		return false;
	vcpu_run_complete_io(from);
	state = vcpu_nested_state_get(from);
	if (state && state->flags & KVM_STATE_NESTED_GUEST_MODE) {
		vcpu_copy(guest, from, move_to);
		l1_prepare(guest, move_to);
		vcpu_nested_state_set(move_to, state);
		move_to = NULL;
	}
	free(state);
	return false;
}

const char *l1_move(struct guest *guest, const struct agent_batch *batch, struct vcpu *to)
{
	static const struct agent_service service = { stopped, NULL };
	const struct agent_batch stop = l1_stop_batch(batch, &service);
	const char *why;

	move_to = to;
	why = agent_probe(guest, &stop, agent_run);
	if (move_to)
		return why ? why : "L2 does not stop";
	guest->l1->resumed = true;
	/* It took PKRU along. */
	guest->state_valid = true;
	return NULL;
}

void l1_prepare(struct guest *guest, struct vcpu *vcpu)
{
	struct vcpu *usual = guest->vcpu;

	l1_of(guest);
	guest->vcpu = vcpu;
	vendor_of(guest)->init(guest);
	guest->vcpu = usual;
}

void l1_quit(struct guest *guest)
{
	vcpu_leave_nested(guest->vcpu);
	guest->l1->stayed = false;
}

void l1_leave(struct guest *guest, u32 exit, struct agent_result *result)
{
	const struct kvm_run *run = guest->vcpu->run;
	struct l1_exit last;

	l1_quit(guest);
	if (exit != KVM_EXIT_IO || run->io.port != L1_EXIT_PORT)
		return;
	last = vendor_of(guest)->last_exit(guest);
	result->status = STATUS_EXIT | STATUS_L2_EXIT | (last.code & STATUS_EXIT_MASK);
	result->cr2 = last.gpa;
}

const struct l1_exit *l1_case_exit(struct guest *guest, u32 i)
{
	return (struct l1_exit *)vm_gpa2hva(guest->vm, L1_EXITS) + i;
}
