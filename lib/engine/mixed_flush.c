// SPDX-License-Identifier: GPL-2.0-only
/* The steps of a scenario by which vCPUs flush their TLBs: see include/mixed_role.h. */
#include <stdio.h>

#include "mixed_role.h"

bool mixed_offers_pcid(const struct guest *guest)
{
	const struct kvm_cpuid_entry2 *leaf1 = cpuid_entry(guest->vcpu->cpuid, 1, 0);
	const struct kvm_cpuid_entry2 *leaf7 = cpuid_entry(guest->vcpu->cpuid, 7, 0);

	return leaf1 && leaf1->ecx & 1u << 17 && leaf7 && leaf7->ebx & 1u << 10;
}

static void privileged(struct mixed *m, struct seat *seat, enum seat_op op, gva_t gva,
		       const struct mixed_step *step)
{
	struct seat_result r;
	char observed[96];

	shared_clean_pdptes(m->shared);
	if (seat_enter(seat, 0))
		shared_load_pdptrs(m->shared, seat);
	if (op == SEAT_INVPCID)
		seat_invpcid(seat, step->size, step->value, gva, &r);
	else
		seat_run(seat, op, gva, 1, &r);
	if (op == SEAT_CR3)
		shared_load_pdptrs(m->shared, seat);
	if (r.status == STATUS_DONE)
		return;
	snprintf(observed, sizeof(observed), "status %#x error %#x rip %#llx", r.status, r.error,
		 (unsigned long long)r.rip);
	mixed_failure(m, seat_op_names[op], "done", observed);
}

/* Not where KVM finds A in PDPTEs that it loads for MOV to CR4, see struct guest.marks_pdptes. */
static bool changes_pge(const struct seat *seat)
{
	return seat->state.mode != MODE_PAE || !seat->guest->marks_pdptes;
}

static void flush_one(struct mixed *m, struct seat *seat, const struct mixed_step *step)
{
	switch (step->op) {
	case MIXED_FLUSH:
		privileged(m, seat, SEAT_CR3, seat->cr3, step);
		break;
	case MIXED_CR3:
		privileged(m, seat, SEAT_CR3, shared_root(&seat->state, step->value) | step->gpa, step);
		break;
	case MIXED_PGE:
		privileged(m, seat, changes_pge(seat) ? SEAT_PGE : SEAT_CR3, seat->cr3, step);
		break;
	case MIXED_PCIDE:
		privileged(m, seat, SEAT_PCIDE, 0, step);
		break;
	case MIXED_INVPCID:
		privileged(m, seat, SEAT_INVPCID, step->gpa, step);
		break;
	default:
		if (state_modes[seat->state.mode].code64 || step->gpa >> 32 == 0)
			privileged(m, seat, SEAT_INVLPG, step->gpa, step);
	}
}

void mixed_flush(struct mixed *m, const struct mixed_step *step)
{
	unsigned int i;

	for (i = 0; i < m->shared->nr_seats; i++)
		if (step->seat & 1 << i && m->shared->usable[i])
			flush_one(m, &m->shared->seat[i], step);
}
