// SPDX-License-Identifier: GPL-2.0-only
/* Attempts by the guest's own instructions, many to a script. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "refusal_internal.h"
#include "x86.h"

static const u32 way_ops[NR_REFUSAL_WAYS] = {
	[WAY_MOV_CR0] = SCRIPT_CR0,
	[WAY_MOV_CR3] = SCRIPT_CR3,
	[WAY_MOV_CR4] = SCRIPT_CR4,
	[WAY_WRMSR] = SCRIPT_EFER,
};

/* One attempt in a script: what is stored is [the try][the registers][accesses]. */
static unsigned int add_attempt(struct refusal_rig *rig, struct script *script,
				const struct attempt *a)
{
	const struct state_mode_info *m = &state_modes[rig->state.mode];
	struct legal_regs to = a->to;
	bool compat = m->long_mode && !m->code64;

	if (compat)
		script_add(script, SCRIPT_TO32, 0);
	script_add(script, SCRIPT_TRY, 0);
	/* QEMU's CPU marks PDPTEs; KVM would refuse to load those. */
	if (rig->guest->marks_pdptes && rig->state.mode == MODE_PAE)
		script_add(script, SCRIPT_CLEAN, a->from.cr3);
	script_add(script, way_ops[rig->way], *legal_reg(&to, refusal_ways[rig->way].reg));
	script_add(script, SCRIPT_TRIED, 0);
	script_add(script, SCRIPT_REGS, 0);
	if (compat)
		script_add(script, SCRIPT_TO64, 0);
	if ((a->verdict.legality == LEGAL && !attempt_walks_on(a)) || a->verdict.legality == OPEN)
		return 0;
	return rig_add_witnesses(rig, script, false);
}

static void read_try(const struct agent_result *r, struct attempt_outcome *o)
{
	if (r->status == STATUS_DONE) {
		o->how = ATTEMPT_ACCEPTED;
	} else if (r->status == (STATUS_FAULT | GP_VECTOR) && !r->error) {
		o->how = ATTEMPT_REFUSED;
	} else {
		o->how = ATTEMPT_ELSE;
		if ((r->status & 0xff) == GP_VECTOR)
			snprintf(o->text, sizeof(o->text), "#GP(%#x)", r->error);
		else
			snprintf(o->text, sizeof(o->text), "exception-%u(%#x)", r->status & 0xff,
				 r->error);
	}
}

static struct legal_regs read_regs(const struct agent_result *r)
{
	return (struct legal_regs){ .cr0 = r->error, .cr4 = r->value, .efer = r->ad, .cr3 = r->cr2 };
}

static bool unchanged(const struct attempt *a, const struct made *made)
{
	const u32 low = ~0u;
	const struct legal_regs *now = &made->outcome.after;

	return !made->walk && !((now->cr0 ^ a->from.cr0) & low) && now->cr3 == a->from.cr3 &&
	       !((now->cr4 ^ a->from.cr4) & low) && !((now->efer ^ a->from.efer) & low);
}

/* Upper halves, too, and whatever else KVM tells, behind the last attempt of a script. */
static void check_in_full(struct vcpu *vcpu, const struct kvm_sregs *before, struct made *made)
{
	struct kvm_sregs now;

	vcpu_sregs_get(vcpu, &now);
	made->outcome.after = rig_regs(&now);
	made->mask = ~0ull;
	if (made->outcome.how == ATTEMPT_REFUSED && memcmp(&now.gdt, &before->gdt, sizeof(now.gdt)))
		made->outcome.more = "another GDTR";
}

unsigned int refusal_by_guest(struct refusal_rig *rig, struct vcpu *vcpu,
			      const struct attempt *attempts, unsigned int n, struct made *made)
{
	unsigned int accesses[MAX_IN_SCRIPT] = { 0 }, i, all = 0;
	struct kvm_sregs before;
	struct script_end end;
	struct script script;
	u32 result = 0;

	if (n > MAX_IN_SCRIPT)
		n = MAX_IN_SCRIPT;
	vcpu_sregs_get(vcpu, &before);
	rig_begin(rig, &script);
	for (i = 0; i < n; i++)
		accesses[i] = add_attempt(rig, &script, &attempts[i]);
	if (accesses[n - 1])
		all = rig_add_witnesses(rig, &script, true);
	if (attempts[0].pdptes != PDPTES_NONE)
		rig_set_pdptes(rig, &attempts[0]);
	end = script_run(&script, vcpu);
	rig->ran = true;
	rig_set_pdptes(rig, NULL);
	for (i = 0; i < n; i++) {
		struct agent_result tried, regs;

		made[i] = (struct made){ .mask = ~0u };
		if (end.nr_results < result + 2 + accesses[i] ||
		    (!end.done && end.nr_results == result + 2 + accesses[i] && i == n - 1)) {
			made[i].outcome.how = ATTEMPT_ELSE;
			exit_text(end.exit, end.detail, made[i].outcome.text);
			vcpu_events_clear(vcpu);
			return i + 1;
		}
		tried = script_result(rig->guest, result);
		regs = script_result(rig->guest, result + 1);
		read_try(&tried, &made[i].outcome);
		made[i].outcome.after = read_regs(&regs);
		made[i].walk = rig_check_witnesses(rig, result + 2, accesses[i]);
		result += 2 + accesses[i];
		if (i < n - 1 && !unchanged(&attempts[i], &made[i]))
			return i + 1;
	}
	if (!made[n - 1].walk)
		made[n - 1].walk = rig_check_witnesses(rig, result, all);
	if (end.done)
		check_in_full(vcpu, &before, &made[n - 1]);
	else
		vcpu_events_clear(vcpu);
	return n;
}
