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

static void translate_run(struct guest *guest, const struct agent_batch *batch)
{
	u32 i;

	agent_enter(guest, batch);
	for (i = 0; i < batch->nr; i++) {
		if (batch->careful)
			guest_restore_path(guest, &batch->state, batch->gvas[i]);
		batch->results[i] = translate(guest, batch->gvas[i]);
		if (batch->careful)
			batch->results[i].ad = guest_path_ad(guest, &batch->state, batch->gvas[i]);
	}
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
	.does = "KVM_TRANSLATE: KVM walks for the VMM",
	.no_error = 1 << AGENT_READ,
	.host_lacks = translate_lacks,
	.unsupported = translate_unsupported,
	.run = translate_run,
};
