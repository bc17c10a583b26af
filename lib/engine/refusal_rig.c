// SPDX-License-Identifier: GPL-2.0-only
/* The VM that attempts are made in: vCPUs, start states, witnesses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "cpuid_bits.h"
#include "refusal_internal.h"
#include "test_assert.h"

const struct refusal_way_info refusal_ways[NR_REFUSAL_WAYS] = {
	[WAY_SREGS] = { "sregs", false, REG_CR0 },
	[WAY_SREGS2] = { "sregs2", false, REG_CR0 },
	[WAY_SET_MSRS] = { "set-msrs", false, REG_EFER },
	[WAY_MOV_CR0] = { "mov-cr0", true, REG_CR0 },
	[WAY_MOV_CR3] = { "mov-cr3", true, REG_CR3 },
	[WAY_MOV_CR4] = { "mov-cr4", true, REG_CR4 },
	[WAY_WRMSR] = { "wrmsr", true, REG_EFER },
};

static void copy_cpuid(struct refusal_rig *rig, struct kvm_cpuid2 *to)
{
	memcpy(to, rig->cpuid, sizeof(*to) + rig->cpuid->nent * sizeof(to->entries[0]));
}

static struct kvm_cpuid2 *hidden_cpuid(struct refusal_rig *rig, unsigned int bit)
{
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(rig->guest->vm->kvm_fd);

	copy_cpuid(rig, cpuid);
	if (bit == NARROW_CPU) {
		struct kvm_cpuid_entry2 *e8 = cpuid_entry(cpuid, 0x80000008, 0);

		e8->eax = (e8->eax & ~0xffu) | NARROW_WIDTH;
		return cpuid;
	}
	cpuid_hide(cpuid, &control_bits[bit]);
	return cpuid;
}

static void open_vm(struct refusal_rig *rig)
{
	unsigned int i;

	rig->guest = guest_create(NULL);
	rig->tdp = rig->guest->vm->card.tdp == YES;
	script_install(rig->guest);
	rig->cpuid = rig->guest->vcpu->cpuid;
	rig->cpu = cpuid_legal_cpu(rig->cpuid, rig->tdp);
	for (i = 0; i < MAX_CONTROL_BITS; i++) {
		struct kvm_cpuid2 *cpuid;

		rig->can_hide[i] = i == NARROW_CPU ? rig->cpu.maxphyaddr > NARROW_WIDTH :
				   i < nr_control_bits && !control_bits[i].always &&
					   cpuid_offers(rig->cpuid, &control_bits[i]);
		if (!rig->can_hide[i])
			continue;
		cpuid = hidden_cpuid(rig, i);
		rig->hidden_cpu[i] = cpuid_legal_cpu(cpuid, rig->tdp);
		free(cpuid);
	}
	/* Tables behind address bits that NARROW_CPU lacks, should a host take them from CR3. */
	for (i = NARROW_WIDTH; i < rig->cpu.maxphyaddr && i < 48; i++)
		vm_mem_alias(rig->guest->vm, 0, DATA_PAGE, BIT_ULL(i));
	rig->sets = witness_sets_make(rig->guest, rig->states, rig->nr_states);
}

static void close_vm(struct refusal_rig *rig)
{
	witness_sets_free(rig->sets);
	guest_free(rig->guest);
	memset(rig->hidden, 0, sizeof(rig->hidden));
}

struct refusal_rig *refusal_rig_create(const struct mmu_state *states, unsigned int nr_states)
{
	struct refusal_rig *rig = calloc(1, sizeof(*rig));

	TEST_ASSERT(rig, "out of memory");
	TEST_ASSERT(nr_control_bits <= NARROW_CPU, "%u control bits", nr_control_bits);
	rig->states = states;
	rig->nr_states = nr_states;
	open_vm(rig);
	return rig;
}

void refusal_rig_free(struct refusal_rig *rig)
{
	if (!rig)
		return;
	close_vm(rig);
	free(rig);
}

const char *refusal_way_lacks(struct refusal_rig *rig, enum refusal_way way)
{
	if (way == WAY_SREGS2 && vm_check_cap(rig->guest->vm, KVM_CAP_SREGS2) <= 0)
		return "KVM_CAP_SREGS2";
	return NULL;
}

struct vcpu *rig_vcpu(struct refusal_rig *rig, const struct attempt *attempt)
{
	const int bit = attempt->hidden;
	struct kvm_cpuid2 *cpuid;

	if (bit == NOTHING_HIDDEN)
		return rig->guest->vcpu;
	if (!rig->hidden[bit]) {
		rig->hidden[bit] = vm_vcpu_add(rig->guest->vm, 1 + bit);
		cpuid = hidden_cpuid(rig, bit);
		vcpu_set_cpuid(rig->hidden[bit], cpuid);
		free(cpuid);
	}
	return rig->hidden[bit];
}

bool attempt_walks_on(const struct attempt *a)
{
	const u64 moved = a->to.cr3 ^ a->from.cr3;

	return a->verdict.legality == LEGAL && a->to.cr0 == a->from.cr0 &&
	       a->to.cr4 == a->from.cr4 && a->to.efer == a->from.efer &&
	       a->to.cs_l == a->from.cs_l && moved &&
	       (!(moved & BITS_ULL(60, 12)) || a->pdptes == PDPTES_AT_CR3);
}

void rig_set_pdptes(struct refusal_rig *rig, const struct attempt *a)
{
	u8 *page = vm_gpa2hva(rig->guest->vm, REFUSAL_PDPT);
	const struct mmu_state pae = { .mode = MODE_PAE };
	const struct walk_regs good = guest_walk_regs(rig->guest, &pae);

	memset(page, 0, 0x1000);
	memcpy(page + (a ? a->to.cr3 & 0xfe0 : 0), a ? a->pdpte : good.pdptr, sizeof(good.pdptr));
}

struct legal_regs rig_regs(const struct kvm_sregs *s)
{
	return (struct legal_regs){ .cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer,
				    .cs_l = s->cs.l };
}

int rig_enter(struct refusal_rig *rig, struct vcpu *vcpu, const struct attempt *a)
{
	const struct kvm_regs regs = script_regs(&rig->state, false);
	struct kvm_sregs s = script_sregs(rig->guest, &rig->state);
	int err;

	rig_set_pdptes(rig, NULL);
	/* As new: KVM takes no PDPTEs that QEMU's CPU has marked. */
	if (rig->state.mode == MODE_PAE)
		memcpy(vm_gpa2hva(rig->guest->vm, s.cr3),
		       guest_walk_regs(rig->guest, &rig->state).pdptr, 4 * sizeof(u64));
	if (a) {
		s.cr0 = a->from.cr0;
		s.cr3 = a->from.cr3;
		s.cr4 = a->from.cr4;
		s.efer = a->from.efer;
	}
	err = __vcpu_sregs_set(vcpu, &s);
	if (!err)
		err = __vcpu_ioctl(vcpu, KVM_SET_REGS, (void *)&regs);
	rig->ran = false;
	return err;
}

void rig_begin(struct refusal_rig *rig, struct script *script)
{
	script_begin(script, rig->guest);
	script_add_start(script, &rig->state);
}

unsigned int rig_add_witnesses(struct refusal_rig *rig, struct script *script, bool all)
{
	unsigned int nr = rig->nr_witnesses;

	if (!all && nr > FEW_WITNESSES)
		nr = FEW_WITNESSES;
	script_add_cases(script, 0, nr);
	return nr;
}

static bool check_witness(struct refusal_rig *rig, u32 result, const struct witness_case *w,
			  const char **text)
{
	static char what[OUTCOME_TEXT_LEN * 2 + 32];
	const struct test_case tc = { rig->state, w->actor, w->access, { 0 } };
	const struct walk_access access = case_access(&tc, w->gva);
	const struct walk_regs regs = guest_walk_regs(rig->guest, &rig->state);
	const struct agent_batch batch = script_batch(&rig->state, &w->actor, w->access);
	const struct agent_result observed = script_result(rig->guest, result);
	char e[OUTCOME_TEXT_LEN], o[OUTCOME_TEXT_LEN];
	struct walk_result expected;
	const struct comparison c = { rig->guest, &batch, w->gva, &expected, &observed };

	walk(&rig->guest->cpu, &regs, &rig->guest->memory, &access, &expected);
	if (outcome_matches(&c))
		return true;
	outcome_texts(&c, e, o);
	snprintf(what, sizeof(what), "%s %s at %#llx: %s and not %s", actor_name(&w->actor),
		 agent_access_names[w->access], (unsigned long long)w->gva, o, e);
	*text = what;
	return false;
}

const char *rig_check_witnesses(struct refusal_rig *rig, u32 result, unsigned int nr)
{
	const char *text = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!check_witness(rig, result + i, &rig->sets->cases[rig->witness[i]], &text))
			return text;
	return NULL;
}

/* Those accesses that end as they must without any attempt; the others are walk_test's. */
static void choose_witnesses(struct refusal_rig *rig)
{
	const struct witness_set *set = &rig->sets->set[rig->nr];
	const char *text;
	struct script_end end;
	struct script script;
	unsigned int i, nr = set->nr < MAX_WITNESSES ? set->nr : MAX_WITNESSES;

	rig->nr_witnesses = 0;
	for (i = 0; i < nr; i++) {
		const struct witness_case *w = &rig->sets->cases[set->first + i];

		script_set_case(rig->guest, i, &rig->state, &w->actor, w->access, VIA_NATIVE,
				w->gva);
	}
	rig_begin(rig, &script);
	script_add_cases(&script, 0, nr);
	end = script_run(&script, rig->guest->vcpu);
	rig->runs = end.done;
	exit_text(end.exit, end.detail, rig->why_not);
	if (!end.done)
		vcpu_events_clear(rig->guest->vcpu);
	for (i = 0; i < nr && rig->runs; i++) {
		const struct witness_case *w = &rig->sets->cases[set->first + i];

		if (!check_witness(rig, i, w, &text))
			continue;
		rig->witness[rig->nr_witnesses] = set->first + i;
		script_set_case(rig->guest, rig->nr_witnesses++, &rig->state, &w->actor, w->access,
				VIA_NATIVE, w->gva);
	}
}

/* Does KVM tell of the registers that it was given? */
static bool took(struct refusal_rig *rig)
{
	struct kvm_sregs s;
	struct legal_regs now;

	vcpu_sregs_get(rig->guest->vcpu, &s);
	now = rig_regs(&s);
	return now.cr0 == rig->regs.cr0 && now.cr3 == rig->regs.cr3 && now.cr4 == rig->regs.cr4 &&
	       now.efer == rig->regs.efer;
}

static int go(struct refusal_rig *rig)
{
	struct kvm_sregs s = script_sregs(rig->guest, &rig->state);
	int err = rig_enter(rig, rig->guest->vcpu, NULL);

	rig->runs = false;
	rig->regs = rig_regs(&s);
	if (!err && !took(rig))
		return ENODATA;
	if (!err)
		choose_witnesses(rig);
	return err;
}

int rig_go(struct refusal_rig *rig, unsigned int nr)
{
	int err;

	rig->nr = nr;
	rig->state = rig->states[nr];
	err = go(rig);
	if (!err && rig->runs)
		return 0;
	/* Is it the state, or what became of the vCPU before? */
	close_vm(rig);
	open_vm(rig);
	return go(rig);
}
