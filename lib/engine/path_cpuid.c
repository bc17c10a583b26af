// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths through KVM_SET_CPUID2.  What a vCPU's CPUID offers decides which bits of CR4 and EFER
 * may be set, and so which roles it may have; as long as it never ran this may change, and
 * the role and the reserved bits are computed anew.  Once it ran, KVM refuses another
 * CPUID, accepts the same one, and neither may change how the vCPU walks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_assert.h"
#include "transition.h"

/* VMs have room for more, but are not made for it. */
#define VCPUS_PER_VM 64

/* What can be hidden that a state may or may not have. */
struct feature {
	u8 flag;           /* of struct mmu_state; 0: LA57 */
	u32 function, bit;
	bool in_ebx, in_ecx; /* else EDX */
	bool sregs_know;   /* KVM_SET_SREGS refuses the bit where it is hidden */
};

static const struct feature features[] = {
	{ FLAG_SMEP, 7, 7, true, false, true },
	{ FLAG_SMAP, 7, 20, true, false, true },
	{ FLAG_PKE, 7, 3, false, true, true },
	{ 0, 7, 16, false, true, true },
	{ FLAG_NX, 0x80000001, 20, false, false, false },
};

static bool has_feature(const struct mmu_state *s, const struct feature *f)
{
	return f->flag ? s->flags & f->flag : state_modes[s->mode].paging == PAGING_5LEVEL;
}

/* Is there anything to hide? */
static bool hide(struct kvm_cpuid2 *cpuid, const struct feature *f)
{
	struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, f->function, 0);
	u32 *word;

	if (!e)
		return false;
	word = f->in_ebx ? &e->ebx : f->in_ecx ? &e->ecx : &e->edx;
	if (!(*word & 1u << f->bit))
		return false;
	*word &= ~(1u << f->bit);
	return true;
}

/* What the state does not use is hidden. */
static void set_cpuid_for(struct vcpu *vcpu, const struct mmu_state *s)
{
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vcpu->vm->kvm_fd);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (!has_feature(s, &features[i]))
			hide(cpuid, &features[i]);
	vcpu_set_cpuid(vcpu, cpuid);
	free(cpuid);
}

/* Must KVM_SET_SREGS refuse this state on a vCPU with the CPUID for the other? */
static bool must_refuse(const struct mmu_state *s, const struct mmu_state *cpuid_for)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].sregs_know && has_feature(s, &features[i]) &&
		    !has_feature(cpuid_for, &features[i]))
			return true;
	return false;
}

static struct vcpu *own_vcpu(struct journey *j)
{
	return j->guest->vcpu;
}

/* A vCPU that never ran, in a VM that is replaced now and then. */
static struct vcpu *fresh_vcpu(const struct guest *guest)
{
	static const struct guest *made_for;
	static unsigned int nr_vcpus;
	static struct vm *vm;

	if (made_for != guest || nr_vcpus == VCPUS_PER_VM) {
		vm_free(vm);
		vm = vm_create_sharing(guest->vm);
		made_for = guest;
		nr_vcpus = 0;
	}
	return vm_vcpu_add(vm, nr_vcpus++);
}

/*
 * A vCPU that never ran, with what the old state needs and nothing else; it is put into the
 * old state, gets the CPUID of the new one, and is put into that.
 */
static void go_cpuid(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	const struct kvm_sregs sregs = script_sregs(j->guest, from);
	char old[STATE_NAME_LEN], new[STATE_NAME_LEN];
	int err;

	j->vcpu = fresh_vcpu(j->guest);
	set_cpuid_for(j->vcpu, from);
	vcpu_sregs_set(j->vcpu, &sregs);
	set_cpuid_for(j->vcpu, to);
	if (must_refuse(from, to)) {
		err = __vcpu_sregs_set(j->vcpu, &sregs);
		state_name(from, old);
		state_name(to, new);
		TEST_ASSERT(err == EINVAL, "KVM_SET_SREGS of %s with the CPUID of %s: %s", old, new,
			    strerror(err));
	}
	journey_enter(j, to);
}

/* Every bit of every mode in both directions, and every mode from every other. */
static bool one_step(const struct mmu_state *from, const struct mmu_state *to)
{
	u8 changed = from->flags ^ to->flags;

	return from->mode == to->mode ? !(changed & (changed - 1)) : !changed;
}

const struct transition_path path_cpuid = {
	.name = "cpuid",
	.does = "on a vCPU that never ran: KVM_SET_CPUID2 and KVM_SET_SREGS for the old and the new state, each with a CPUID that offers no more than the state has",
	.applies = one_step,
	.vcpu = own_vcpu,
	.other_vcpu = true,
	.by_vmm = go_cpuid,
};

/* As many entries as were set: older kernels (6.1) do not say how many there are. */
static struct kvm_cpuid2 *get_cpuid(struct vcpu *vcpu)
{
	const u32 nent = vcpu->cpuid->nent;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + nent * sizeof(cpuid->entries[0]));
	int err;

	TEST_ASSERT(cpuid, "out of memory");
	cpuid->nent = nent;
	err = __vcpu_ioctl(vcpu, KVM_GET_CPUID2, cpuid);
	TEST_ASSERT(!err, "KVM_GET_CPUID2 nent %u: %s", nent, strerror(err));
	return cpuid;
}

/* kvm_pvm keeps another CPUID than was set. EBX of leaf 7 has nothing that changes with CR4. */
static bool is_as_set(struct vcpu *vcpu, struct kvm_cpuid2 *now)
{
	const struct kvm_cpuid_entry2 *was7 = cpuid_entry(vcpu->cpuid, 7, 0);
	const struct kvm_cpuid_entry2 *now7 = cpuid_entry(now, 7, 0);

	return now->nent == vcpu->cpuid->nent &&
	       (was7 ? was7->ebx : 0) == (now7 ? now7->ebx : 0);
}

static void set_same(struct vcpu *vcpu, struct kvm_cpuid2 *cpuid, const char *state)
{
	int err = __vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);

	TEST_ASSERT(!err, "KVM_SET_CPUID2 with the CPUID it has, in %s: %s", state, strerror(err));
}

static void go_cpuid_late(struct journey *j, const struct mmu_state *from,
			  const struct mmu_state *to)
{
	const struct kvm_regs regs = script_regs(to, true);
	struct kvm_cpuid2 *cpuid = get_cpuid(j->vcpu);
	char name[STATE_NAME_LEN];
	unsigned int i;
	int err;

	state_name(from, name);
	set_same(j->vcpu, cpuid, name);
	/* Also as it was set, without what the guest's CR4 has changed in it. */
	if (is_as_set(j->vcpu, cpuid))
		set_same(j->vcpu, j->vcpu->cpuid, name);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (!hide(cpuid, &features[i]))
			continue;
		err = __vcpu_ioctl(j->vcpu, KVM_SET_CPUID2, cpuid);
		TEST_ASSERT(err == EINVAL, "KVM_SET_CPUID2 with another CPUID after KVM_RUN, in %s: %s",
			    name, strerror(err));
	}
	free(cpuid);
	vcpu_regs_set(j->vcpu, &regs);
}

const struct transition_path path_cpuid_late = {
	.name = "cpuid-late",
	.does = "KVM_SET_CPUID2 after KVM_RUN, which must be refused: the state must stay what it is",
	.applies = same_state,
	.by_vmm = go_cpuid_late,
};
