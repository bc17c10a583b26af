// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths through system-management mode: an SMI in the old state; in SMM, a look at the
 * registers and at memory that is other memory there; RSM into the new state, which the VMM
 * has written to the save area meanwhile, or back into the old one, with nothing written.
 *
 * SMM begins without paging: CR0.PE and PG and CR4 are 0 (SDM 3C table 32-4, APM 2 10.3.3), and
 * EFER where the save area holds it.  The handler's second access goes to an address that
 * every state with paging maps elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "smm.h"
#include "test_assert.h"
#include "transition.h"
#include "x86.h"

/* A VM with two address spaces; its vCPU's save area has one map or the other. */
struct smm_machine {
	bool map64;
	const struct guest *guest;
	struct vm *vm;
	struct vcpu *vcpu;
	struct smm_view view;
};

static struct smm_machine machine64 = { .map64 = true }, machine32 = { .map64 = false };

static const char *smm_lacks(struct journey *j)
{
	if (vm_check_cap(j->guest->vm, KVM_CAP_X86_SMM) <= 0)
		return "KVM_CAP_X86_SMM";
	return vm_check_cap(j->guest->vm, KVM_CAP_MULTI_ADDRESS_SPACE) > 1 ?
		       NULL : "KVM_CAP_MULTI_ADDRESS_SPACE";
}

static void hide_long_mode(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vcpu->vm->kvm_fd);
	struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, 0x80000001, 0);

	TEST_ASSERT(e, "no CPUID leaf 0x80000001");
	e->edx &= ~(1u << 29);
	vcpu_set_cpuid(vcpu, cpuid);
	free(cpuid);
}

static struct vcpu *machine_vcpu(struct smm_machine *m, const struct guest *guest)
{
	if (m->guest == guest) {
		vcpu_settle(m->vcpu);
		return m->vcpu;
	}
	m->guest = guest;
	m->vm = vm_create_sharing(guest->vm);
	m->vcpu = vm_vcpu_add(m->vm, 0);
	if (!m->map64)
		hide_long_mode(m->vcpu);
	m->view = smm_install(m->vm);
	return m->vcpu;
}

static struct vcpu *vcpu64(struct journey *j)
{
	return machine_vcpu(&machine64, j->guest);
}

static struct vcpu *vcpu32(struct journey *j)
{
	return machine_vcpu(&machine32, j->guest);
}

/* To the handler's exit. */
static void run_handler(struct journey *j, const char *from)
{
	int error = 0;
	u32 exit = script_run_other(j->guest, j->vcpu, &error);

	TEST_ASSERT(exit == KVM_EXIT_IO && j->vcpu->run->io.port == SMM_PORT,
		    "SMI in %s: exit %s, errno %d", from, exit_reason_str(exit), error);
}

/* What the handler has seen; efer: what EFER must be there. */
static void check_notes(const struct smm_notes *notes, const struct walk_regs *was, u64 efer,
			const char *from)
{
	const u32 cleared = X86_CR0_PE | X86_CR0_TS | X86_CR0_PG;

	TEST_ASSERT((notes->cr0 & (cleared | X86_CR0_WP)) == (was->cr0 & X86_CR0_WP) &&
		    !notes->cr4 && notes->efer == efer,
		    "CR0 %#x CR4 %#x EFER %#x in SMM, entered from %s", notes->cr0, notes->cr4,
		    notes->efer, from);
	TEST_ASSERT(notes->data == SMM_DATA_VALUE && notes->alias == SMM_ALIAS_VALUE,
		    "%#x and %#x read at %#x and %#x in SMM, entered from %s", notes->data,
		    notes->alias, DATA_PAGE, BOOT_ALIAS, from);
}

/* A store in SMM goes to SMM's memory, and to no other. */
static void check_memory(const struct guest *guest, const struct smm_view *view, const char *from)
{
	u32 there, alias, here;

	memcpy(&there, view->data + SMM_STORE_OFFSET, sizeof(there));
	memcpy(&alias, view->alias + (BOOT_ALIAS & 0xfff), sizeof(alias));
	memcpy(&here, vm_gpa2hva(guest->vm, DATA_PAGE + SMM_STORE_OFFSET), sizeof(here));
	TEST_ASSERT(there == SMM_STORED && alias == SMM_STORED && here != SMM_STORED,
		    "%#x stored at %#x in SMM, entered from %s: SMM's memory has %#x and %#x, the other %#x",
		    SMM_STORED, DATA_PAGE + SMM_STORE_OFFSET, from, there, alias, here);
}

/* Both are the VMM's doing, as when it moves a vCPU that is in SMM; nothing runs in between. */
static void out_of_smm_and_back(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vcpu_run_complete_io(vcpu);
	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	TEST_ASSERT(events.smi.smm, "KVM_GET_VCPU_EVENTS tells of no SMM");
	events.flags |= KVM_VCPUEVENT_VALID_SMM;
	events.smi.smm = 0;
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
	events.smi.smm = 1;
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

static void write_state(struct smm_machine *m, struct guest *guest, const struct mmu_state *to)
{
	const struct kvm_sregs sregs = script_sregs(guest, to);
	const struct kvm_regs regs = script_regs(to, false);

	smm_save_area_set(&m->view, m->map64, &sregs, &regs);
}

static void look_around(struct journey *j, struct smm_machine *m, const struct mmu_state *from,
			u32 rounds)
{
	const struct walk_regs was = guest_walk_regs(j->guest, from);
	const struct smm_notes *notes = smm_prepare(&m->view, rounds);
	char name[STATE_NAME_LEN];

	state_name(from, name);
	run_handler(j, name);
	check_notes(notes, &was, m->map64 ? 0 : was.efer, name);
	check_memory(j->guest, &m->view, name);
}

static void go_smm(struct journey *j, struct smm_machine *m, const struct mmu_state *from,
		   const struct mmu_state *to, bool moved)
{
	const struct kvm_regs regs = script_regs(from, true);

	vcpu_regs_set(j->vcpu, &regs);
	vcpu_ioctl(j->vcpu, KVM_SMI, NULL);
	look_around(j, m, from, moved ? 2 : 1);
	if (moved) {
		out_of_smm_and_back(j->vcpu);
		/* The round before is counted when the handler goes on. */
		look_around(j, m, from, 2);
	}
	/* RSM loads them. */
	script_clean_pdptes(j->guest, to);
	if (!same_state(from, to))
		write_state(m, j->guest, to);
	else if (!state_modes[to->mode].long_mode)
		smm_save_area_set_tr_type(&m->view, m->map64, j->guest->tss32_type);
}

static void go_smm64(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	go_smm(j, &machine64, from, to, false);
}

static void go_smm_moved(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	go_smm(j, &machine64, from, to, true);
}

static void go_smm32(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	go_smm(j, &machine32, from, to, false);
}

/* The 32-bit save area has no EFER. */
static bool without_efer(const struct mmu_state *from, const struct mmu_state *to)
{
	return !state_modes[from->mode].long_mode && !state_modes[to->mode].long_mode &&
	       !((from->flags ^ to->flags) & FLAG_NX);
}

const struct transition_path path_smm = {
	.name = "smm",
	.does = "SMI, and RSM from a save area into which the VMM has written the new state",
	.all_pairs = true,
	.lacks = smm_lacks,
	.vcpu = vcpu64,
	.by_vmm = go_smm64,
};

const struct transition_path path_smm_same = {
	.name = "smm-same",
	.does = "SMI and RSM with the save area as it is: the state must stay what it is",
	.applies = same_state,
	.lacks = smm_lacks,
	.vcpu = vcpu64,
	.by_vmm = go_smm64,
};

const struct transition_path path_smm_moved = {
	.name = "smm-moved",
	.does = "as smm-same; in SMM the VMM takes the vCPU out of it and back (KVM_SET_VCPU_EVENTS)",
	.applies = same_state,
	.lacks = smm_lacks,
	.vcpu = vcpu64,
	.by_vmm = go_smm_moved,
};

const struct transition_path path_smm32 = {
	.name = "smm32",
	.does = "both on a vCPU without long mode, whose save area has another format and no EFER",
	.applies = without_efer,
	.lacks = smm_lacks,
	.vcpu = vcpu32,
	.by_vmm = go_smm32,
};
