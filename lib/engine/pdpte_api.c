// SPDX-License-Identifier: GPL-2.0-only
/* Cases of pdpte_test through KVM's API. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pdpte_cases.h"
#include "test_assert.h"

/* A slot that is in nobody's way. */
#define SPARE_SLOT 200
#define SPARE_GPA 0x06000000ull
#define SPARE_SIZE 0x1000ull

static void slot_comes_and_goes(struct pdpte_rig *rig)
{
	struct kvm_userspace_memory_region region = {
		.slot = SPARE_SLOT,
		.guest_phys_addr = SPARE_GPA,
		.memory_size = SPARE_SIZE,
		.userspace_addr = (uintptr_t)vm_gpa2hva(rig->guest->vm, 0),
	};
	int err = __vm_ioctl(rig->guest->vm, KVM_SET_USER_MEMORY_REGION, &region);

	region.memory_size = 0;
	err = err ?: __vm_ioctl(rig->guest->vm, KVM_SET_USER_MEMORY_REGION, &region);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u: %s", SPARE_SLOT, strerror(err));
}

static int set_sregs(struct pdpte_rig *rig, struct vcpu *from, struct vcpu *to)
{
	struct kvm_sregs s;

	vcpu_sregs_get(from, &s);
	/* KVM_GET_SREGS tells of a busy TSS, QEMU's CPU needs another: see emulator_quirks(). */
	s.tr.type = rig->guest->tss32_type;
	return __vcpu_sregs_set(to, &s);
}

/* given: NULL, as KVM_GET_SREGS2 says if keep, or these. */
static int set_sregs2(struct pdpte_rig *rig, struct vcpu *from, struct vcpu *to, bool keep,
		      const u64 *given, struct kvm_sregs2 *s)
{
	int err = __vcpu_ioctl(from, KVM_GET_SREGS2, s);
	struct kvm_sregs2 set;

	TEST_ASSERT(!err, "KVM_GET_SREGS2: %s", strerror(err));
	TEST_ASSERT(s->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID, "KVM_GET_SREGS2 has no PDPTEs");
	set = *s;
	set.tr.type = rig->guest->tss32_type;
	if (!keep)
		set.flags = 0;
	if (given) {
		set.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		memcpy(set.pdptrs, given, sizeof(set.pdptrs));
	}
	return __vcpu_ioctl(to, KVM_SET_SREGS2, &set);
}

/* What KVM_GET_SREGS2 must tell is what a CPU without a look at memory holds. */
static const char *wrong_pdptes(const struct pdpte_rig *rig, const struct kvm_sregs2 *s)
{
	if (!rig->on_demand && memcmp(s->pdptrs, rig->good, sizeof(rig->good)))
		return "KVM_GET_SREGS2 tells of other PDPTEs";
	return NULL;
}

static int do_event(struct pdpte_rig *rig, const struct pdpte_case *c, struct pdpte_result *result)
{
	struct vcpu *vcpu = rig->guest->vcpu;
	u64 given[NR_GIB];
	struct kvm_sregs2 s2;
	int err = 0;

	switch (c->event->api) {
	case API_RUN:
		break;
	case API_MEMSLOT:
		slot_comes_and_goes(rig);
		break;
	case API_SREGS:
		err = set_sregs(rig, vcpu, vcpu);
		break;
	case API_SREGS2:
		err = set_sregs2(rig, vcpu, vcpu, false, NULL, &s2);
		result->more = wrong_pdptes(rig, &s2);
		break;
	case API_SREGS2_GIVEN:
		memcpy(given, rig->good, sizeof(given));
		given[c->entry] = pdpte_value(rig, c);
		err = set_sregs2(rig, vcpu, vcpu, false, given, &s2);
		break;
	case API_COPY_SREGS:
		err = set_sregs(rig, vcpu, rig->copy);
		break;
	case API_COPY_SREGS2:
		err = set_sregs2(rig, vcpu, rig->copy, true, NULL, &s2);
		result->more = wrong_pdptes(rig, &s2);
		break;
	}
	return err;
}

void pdpte_by_api(struct pdpte_rig *rig, const struct pdpte_case *c, struct pdpte_result *result)
{
	const bool copies = c->event->api == API_COPY_SREGS || c->event->api == API_COPY_SREGS2;
	const enum pdpte_rule rule = pdpte_outcome(&rig->guest->cpu, rig->on_demand, c,
						   pdpte_value(rig, c));
	struct vcpu *vcpu = rig->guest->vcpu;
	int err;

	memset(result, 0, sizeof(*result));
	if (!rig->copy)
		rig->copy = vm_vcpu_add(rig->guest->vm, 1);
	err = pdpte_enter(rig, vcpu, c->event);
	TEST_ASSERT(!err, "KVM_SET_SREGS of the start: %s", strerror(err));
	/* Old translations are there, and the CPU's PDPTEs have been used. */
	if (!pdpte_look(rig, vcpu, c->event, result))
		return;
	result->looked = false;
	if (c->event->api != API_SREGS2_GIVEN) {
		unsigned int i;

		/* As new: where the CPU marks them, KVM must not find that. */
		for (i = 0; i < NR_GIB; i++)
			pdpte_put(rig, i, rig->good[i]);
		pdpte_put(rig, c->entry, pdpte_value(rig, c));
	}
	err = do_event(rig, c, result);
	result->how = !err ? EVENT_ACCEPTED : err == EINVAL ? EVENT_REFUSED : EVENT_ELSE;
	if (result->how == EVENT_ELSE)
		snprintf(result->text, sizeof(result->text), "%s", strerror(err));
	/* Where it should have been refused the guest may end in any way. */
	if (result->how == EVENT_ELSE || (rule == PDPTE_REFUSED && result->how == EVENT_ACCEPTED))
		return;
	if (copies && result->how == EVENT_ACCEPTED)
		vcpu = rig->copy;
	pdpte_look(rig, vcpu, c->event, result);
}
