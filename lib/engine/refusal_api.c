// SPDX-License-Identifier: GPL-2.0-only
/* Attempts through KVM's API. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "refusal_internal.h"
#include "x86.h"

static struct kvm_sregs wanted_sregs(const struct refusal_rig *rig, const struct kvm_sregs *now,
				     const struct attempt *a)
{
	const struct kvm_sregs entry = script_sregs(rig->guest, &rig->state);
	struct kvm_sregs s = *now;

	/* KVM_GET_SREGS tells of a busy TSS, QEMU's CPU needs another: see emulator_quirks(). */
	s.tr = entry.tr;
	/* A script ends in 64-bit code, also in compatibility mode. */
	s.cs = entry.cs;
	s.cr0 = a->to.cr0;
	s.cr3 = a->to.cr3;
	s.cr4 = a->to.cr4;
	s.efer = a->to.efer;
	if (a->to.cs_l != a->from.cs_l) {
		s.cs.l = a->to.cs_l;
		s.cs.db = !a->to.cs_l;
	}
	return s;
}

static int try_it(struct refusal_rig *rig, struct vcpu *vcpu, const struct kvm_sregs *now,
		  const struct attempt *a)
{
	const struct kvm_sregs s = wanted_sregs(rig, now, a);

	switch (rig->way) {
	case WAY_SREGS:
		return __vcpu_sregs_set(vcpu, &s);
	case WAY_SREGS2:
		return __vcpu_sregs2_set(vcpu, &s,
					 a->pdptes == PDPTES_GIVEN ? a->pdpte : NULL);
	default:
		return __vcpu_set_msr(vcpu, MSR_EFER, a->to.efer);
	}
}

const char *refusal_walk(struct refusal_rig *rig, struct vcpu *vcpu)
{
	const struct kvm_regs regs = script_regs(&rig->state, rig->ran);
	static char text[EXIT_TEXT_LEN];
	struct script script;
	struct script_end end;
	unsigned int nr;
	u32 first;

	vcpu_regs_set(vcpu, &regs);
	rig_begin(rig, &script);
	first = script.nr_results;
	nr = rig_add_witnesses(rig, &script, false);
	end = script_run(&script, vcpu);
	rig->ran = true;
	if (end.done)
		return rig_check_witnesses(rig, first, nr);
	vcpu_events_clear(vcpu);
	exit_text(end.exit, end.detail, text);
	return text;
}

void refusal_by_api(struct refusal_rig *rig, struct vcpu *vcpu, const struct attempt *a,
		    struct made *made)
{
	struct attempt_outcome *o = &made->outcome;
	struct kvm_sregs before, after;
	int err;

	*made = (struct made){ .mask = ~0ull };
	vcpu_sregs_get(vcpu, &before);
	if (a->pdptes == PDPTES_AT_CR3)
		rig_set_pdptes(rig, a);
	err = try_it(rig, vcpu, &before, a);
	vcpu_sregs_get(vcpu, &after);
	o->after = rig_regs(&after);
	o->how = !err ? ATTEMPT_ACCEPTED : err == EINVAL ? ATTEMPT_REFUSED : ATTEMPT_ELSE;
	if (o->how == ATTEMPT_ELSE)
		snprintf(o->text, sizeof(o->text), "%s", strerror(err));
	if (o->how == ATTEMPT_ACCEPTED && attempt_walks_on(a) && rig->runs) {
		rig->ran = false; /* CS is the state's again */
		made->walk = refusal_walk(rig, vcpu);
	}
	if (o->how != ATTEMPT_REFUSED)
		return;
	if (memcmp(&before, &after, sizeof(before)))
		o->more = "other registers have changed";
	else if (rig->runs)
		made->walk = refusal_walk(rig, vcpu);
}
