// SPDX-License-Identifier: GPL-2.0-only
/*
 * The translate engine: KVM_TRANSLATE.  No guest code runs; KVM's own walker translates an
 * address for the VMM.
 *
 * It is a supervisor's explicit data read: kvm_mmu_gva_to_gpa_system() asks with access 0, not
 * with PFERR_IMPLICIT_ACCESS, so SMAP applies and the vCPU's EFLAGS.AC lifts it, and PKRU
 * applies (6.1 to 7.3: kvm_arch_vcpu_ioctl_translate(), permission_fault()).  Accessed bits are
 * set, as in every walk.  Of a fault it is told that there was one; "writeable" and "usermode"
 * are constants.
 */
#include <string.h>

#include "engine.h"
#include "l1.h"
#include "nested_state.h"
#include "test_assert.h"
#include "x86.h"

static struct agent_result translate(struct guest *guest, gva_t gva)
{
	struct kvm_translation t = { .linear_address = gva };
	struct agent_result r = { .status = STATUS_FAULT | PF_VECTOR };
	const u8 *host;
	int err = __vcpu_ioctl(guest->vcpu, KVM_TRANSLATE, &t);

	TEST_ASSERT(!err, "KVM_TRANSLATE %#llx: %s", (unsigned long long)gva, strerror(err));
	if (!t.valid)
		return r;
	r.status = STATUS_DONE;
	/* What lies there names the page. */
	host = vm_gpa2hva(guest->vm, t.physical_address);
	if (host)
		memcpy(&r.value, host, sizeof(r.value));
	return r;
}

/* With the vCPU as it stands. */
static void translate_all(struct guest *guest, const struct agent_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->nr; i++) {
		if (agent_reports_ad(batch))
			guest_restore_path(guest, &batch->state, batch->gvas[i]);
		batch->results[i] = translate(guest, batch->gvas[i]);
		if (agent_reports_ad(batch))
			batch->results[i].ad = guest_path_ad(guest, &batch->state, batch->gvas[i]);
	}
}

/* What is to be translated as soon as the vCPU has stopped in L2; NULL when that is done. */
static const struct agent_batch *in_l2;

static bool stopped(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	const struct kvm_run *run = guest->vcpu->run;

	(void)batch;
	(void)i;
	if (exit != KVM_EXIT_IO || run->io.port != AGENT_STRING_PORT || !in_l2)
		return false;
	TEST_ASSERT(vcpu_in_l2(guest->vcpu), "the vCPU stopped outside L2");
	translate_all(guest, in_l2);
	in_l2 = NULL;
	return true;
}

/* KVM_TRANSLATE knows no level: the vCPU is to stop in L2. */
static void translate_in_l2(struct guest *guest, const struct agent_batch *batch)
{
	static const struct agent_service service = { stopped, NULL };
	const gva_t gva = AGENT_PROBE + agent_access_offset(AGENT_WRITE);
	struct agent_result stop;
	struct agent_batch b = l1_stop_batch(batch, &service);
	u32 i;

	b.gvas = &gva;
	b.nr = 1;
	b.results = &stop;
	in_l2 = batch;
	agent_run(guest, &b);
	/* It did not get there: that is what became of the accesses. */
	for (i = 0; in_l2 && i < batch->nr; i++)
		batch->results[i] = stop;
	in_l2 = NULL;
}

static void translate_run(struct guest *guest, const struct agent_batch *batch)
{
	if (batch->in_l2) {
		translate_in_l2(guest, batch);
		return;
	}
	agent_enter(guest, batch);
	translate_all(guest, batch);
}

static const char *translate_lacks(struct guest *guest)
{
	struct kvm_translation t = { 0 };
	int err = __vcpu_ioctl(guest->vcpu, KVM_TRANSLATE, &t);

	return err ? "KVM_TRANSLATE fails" : NULL;
}

static const char *translate_unsupported(const struct guest *guest,
					 const struct agent_batch *batch)
{
	(void)guest;
	return batch->access == AGENT_READ && !batch->actor.cpl ?
		       NULL : "a supervisor's reads only";
}

const struct engine engine_translate = {
	.name = "translate",
	.cheap = true,
	.does = "KVM_TRANSLATE: KVM walks for the VMM",
	.no_error = 1 << AGENT_READ,
	.host_lacks = translate_lacks,
	.unsupported = translate_unsupported,
	.run = translate_run,
};
