// SPDX-License-Identifier: GPL-2.0-only
/* Cases of pdpte_test by the guest's own instructions, many to a script. */
#include <stdio.h>
#include <string.h>

#include "pdpte_cases.h"
#include "x86.h"

/* Registers that a script has to write, and what they hold before and behind the event. */
struct plan {
	struct kvm_sregs from;
	u64 to;        /* the register that the event writes */
	u64 back;      /* what it held */
	u32 op;
};

static struct plan plan_of(const struct pdpte_rig *rig, const struct pdpte_event *event)
{
	static const u32 ops[] = {
		[BY_CR0] = SCRIPT_CR0,   [BY_CR3] = SCRIPT_CR3,       [BY_CR4] = SCRIPT_CR4,
		[BY_EFER] = SCRIPT_EFER, [BY_LMSW] = SCRIPT_LMSW,     [BY_INVLPG] = SCRIPT_INVLPG,
	};
	struct plan p = { .from = pdpte_sregs(rig, event), .op = ops[event->by] };

	p.back = event->by == BY_CR3	? p.from.cr3 :
		 event->by == BY_CR4	? p.from.cr4 :
		 event->by == BY_EFER	? p.from.efer :
		 event->by == BY_INVLPG ? pdpte_gva(0) :
					  p.from.cr0;
	p.to = p.back ^ event->toggles;
	return p;
}

static void set_accesses(struct pdpte_rig *rig, const struct pdpte_event *event)
{
	const struct mmu_state state = pdpte_state(rig, event);
	const struct actor supervisor = { 0 };
	unsigned int gib;

	for (gib = 0; gib < NR_GIB; gib++)
		script_set_case(rig->guest, gib, &state, &supervisor, AGENT_READ, VIA_NATIVE,
				pdpte_gva(gib));
}

/* QEMU's CPU marks PDPTEs; KVM would refuse to load those. */
static void add_clean(const struct pdpte_rig *rig, struct script *script)
{
	if (rig->guest->marks_pdptes)
		script_add(script, SCRIPT_CLEAN, PDPTE_CR3);
}

/* Can the pages be looked at?  Without paging nothing is there. */
static bool can_look(const struct pdpte_rig *rig, const struct pdpte_case *c)
{
	const enum pdpte_rule rule = pdpte_outcome(&rig->guest->cpu, rig->on_demand, c,
						   pdpte_value(rig, c));

	return c->event->from != MODE_NOPG || rule == PDPTE_LOADED || rule == PDPTE_EITHER;
}

/* [the try][the registers][four pages], and back to where it came from. */
static void add_case(struct pdpte_rig *rig, struct script *script, const struct plan *p,
		     const struct pdpte_case *c)
{
	script_add_store(script, PDPTE_CR3 + 8 * c->entry, pdpte_value(rig, c));
	script_add(script, SCRIPT_TRY, 0);
	/* A itself is reserved in a PDPTE: there it is the case. */
	if (c->bit != 5 || c->change != CHANGE_BIT)
		add_clean(rig, script);
	script_add(script, p->op, p->to);
	script_add(script, SCRIPT_TRIED, 0);
	script_add(script, SCRIPT_REGS, 0);
	if (can_look(rig, c))
		script_add_cases(script, 0, NR_GIB);
	script_add_store(script, PDPTE_CR3 + 8 * c->entry, rig->good[c->entry]);
	if (p->back != p->to) {
		add_clean(rig, script);
		script_add(script, p->op, p->back);
	}
	add_clean(rig, script);
	script_add(script, SCRIPT_CR3, p->from.cr3);
}

static void read_try(const struct agent_result *r, struct pdpte_result *result)
{
	if (r->status == STATUS_DONE) {
		result->how = EVENT_ACCEPTED;
	} else if (r->status == (STATUS_FAULT | GP_VECTOR) && !r->error) {
		result->how = EVENT_REFUSED;
	} else {
		result->how = EVENT_ELSE;
		snprintf(result->text, sizeof(result->text), "exception-%u(%#x)", r->status & 0xff,
			 r->error);
	}
}

/* Registers as they must be behind what came of it; EFER and CR4 in their low halves. */
static const char *wrong_register(const struct plan *p, const struct pdpte_event *event,
				  bool accepted, const struct agent_result *r)
{
	struct kvm_sregs want = p->from;
	const u64 to = accepted ? p->to : p->back;

	if (event->by == BY_CR0 || event->by == BY_LMSW)
		want.cr0 = to;
	else if (event->by == BY_CR4)
		want.cr4 = to;
	else if (event->by == BY_EFER)
		want.efer = to;
	if ((r->error ^ want.cr0) & 0xffffffff & ~(u64)X86_CR0_ET)
		return "another CR0";
	if (r->cr2 != want.cr3)
		return "another CR3";
	if (r->value != (u32)want.cr4)
		return "another CR4";
	return r->ad != (u32)want.efer ? "another EFER" : NULL;
}

static u32 nr_results(const struct pdpte_rig *rig, const struct pdpte_case *c)
{
	return 2 + (can_look(rig, c) ? NR_GIB : 0);
}

static void read_case(struct pdpte_rig *rig, const struct plan *p, const struct pdpte_case *c,
		      u32 first, struct pdpte_result *result)
{
	const struct agent_result tried = script_result(rig->guest, first);
	const struct agent_result regs = script_result(rig->guest, first + 1);
	unsigned int i;

	read_try(&tried, result);
	result->more = wrong_register(p, c->event, result->how == EVENT_ACCEPTED, &regs);
	result->looked = can_look(rig, c);
	for (i = 0; i < NR_GIB && result->looked; i++)
		result->page[i] = script_result(rig->guest, first + 2 + i);
}

static void start_vcpu(struct pdpte_rig *rig, struct vcpu *vcpu, const struct pdpte_event *event)
{
	const struct mmu_state state = pdpte_state(rig, event);
	const struct kvm_regs regs = script_regs(&state, rig->ran);

	vcpu_regs_set(vcpu, &regs);
	rig->ran = true;
}

unsigned int pdpte_by_guest(struct pdpte_rig *rig, const struct pdpte_case *cases, unsigned int n,
			    struct pdpte_result *results)
{
	const struct pdpte_event *event = cases[0].event;
	const struct plan p = plan_of(rig, event);
	struct vcpu *vcpu = rig->guest->vcpu;
	struct script script;
	struct script_end end;
	unsigned int i;
	u32 result = 0;
	int err = pdpte_enter(rig, vcpu, event);

	memset(results, 0, n * sizeof(*results));
	if (err) {
		results->how = EVENT_ELSE;
		snprintf(results->text, sizeof(results->text), "KVM_SET_SREGS: %s", strerror(err));
		return 1;
	}
	start_vcpu(rig, vcpu, event);
	set_accesses(rig, event);
	script_begin(&script, rig->guest);
	for (i = 0; i < n; i++)
		add_case(rig, &script, &p, &cases[i]);
	end = script_run(&script, vcpu);
	for (i = 0; i < n; i++) {
		if (end.nr_results < result + nr_results(rig, &cases[i])) {
			results[i].how = EVENT_ELSE;
			snprintf(results[i].text, sizeof(results[i].text), "exit %s %#llx",
				 exit_reason_str(end.exit), (unsigned long long)end.detail);
			vcpu_events_clear(vcpu);
			return i + 1;
		}
		read_case(rig, &p, &cases[i], result, &results[i]);
		result += nr_results(rig, &cases[i]);
	}
	/* The way back from the last case did not work. */
	if (!end.done) {
		results[n - 1].how = EVENT_ELSE;
		snprintf(results[n - 1].text, sizeof(results[n - 1].text), "then exit %s %#llx",
			 exit_reason_str(end.exit), (unsigned long long)end.detail);
		vcpu_events_clear(vcpu);
	}
	return n;
}

bool pdpte_look(struct pdpte_rig *rig, struct vcpu *vcpu, const struct pdpte_event *event,
		struct pdpte_result *result)
{
	struct script script;
	struct script_end end;
	unsigned int i;

	start_vcpu(rig, vcpu, event);
	set_accesses(rig, event);
	script_begin(&script, rig->guest);
	script_add_cases(&script, 0, NR_GIB);
	end = script_run(&script, vcpu);
	if (!end.done) {
		result->how = EVENT_ELSE;
		snprintf(result->text, sizeof(result->text), "exit %s %#llx",
			 exit_reason_str(end.exit), (unsigned long long)end.detail);
		vcpu_events_clear(vcpu);
		return false;
	}
	result->looked = true;
	for (i = 0; i < NR_GIB; i++)
		result->page[i] = script_result(rig->guest, i);
	return true;
}
