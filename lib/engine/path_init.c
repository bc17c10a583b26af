// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths through INIT: by KVM's interface to a bootstrap processor, and by an INIT and a SIPI
 * that another vCPU's local APIC sends.  The guest starts in real mode (include/boot.h); the
 * VMM sets no register on the way.
 *
 * SDM 3A table 10-1 and APM 2 table 14-1: CR0 is 60000010H with CD and NW as they were, CR2,
 * CR3, CR4 and EFER are 0, DS has base 0, and the TLB is empty.  KVM_SET_MP_STATE alone does
 * not make an INIT: KVM_MP_STATE_INIT_RECEIVED is the state behind one.
 */
#include <errno.h>
#include <string.h>

#include "boot.h"
#include "test_assert.h"
#include "transition_internal.h"
#include "x86.h"

/* A VM with local APICs, on the memory of the guest. */
static struct {
	const struct guest *guest;
	struct vm *vm;
	struct vcpu *bootstrap, *other;
} apic;

static const char *init_lacks(struct journey *j)
{
	return vm_check_cap(j->guest->vm, KVM_CAP_SPLIT_IRQCHIP) > 0 ? NULL :
								       "KVM_CAP_SPLIT_IRQCHIP";
}

/*
 * KVM builds its map of APIC IDs while a vCPU is being created, without that one, and drops
 * what is sent to an ID that is not in it.  It builds it anew when an APIC is set, as VMMs do.
 */
static void know_apic_ids(struct vcpu *vcpu)
{
	struct kvm_lapic_state state;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &state);
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &state);
}

static void make_vm(struct guest *guest)
{
	if (apic.guest == guest)
		return;
	apic.guest = guest;
	apic.vm = vm_create_sharing(guest->vm);
	vm_add_local_apics(apic.vm);
	apic.bootstrap = vm_vcpu_add(apic.vm, 0);
	apic.other = vm_vcpu_add(apic.vm, 1);
	know_apic_ids(apic.other);
	boot_install(guest, vm_mem_add(apic.vm, BOOT_RESET_PAGE, 0x1000, VM_ANY_NODE));
}

static struct vcpu *bootstrap_vcpu(struct journey *j)
{
	make_vm(j->guest);
	vcpu_settle(apic.bootstrap);
	return apic.bootstrap;
}

static struct vcpu *other_vcpu(struct journey *j)
{
	make_vm(j->guest);
	vcpu_settle(apic.other);
	return apic.other;
}

static void run_to_port(struct guest *guest, struct vcpu *vcpu, const char *what,
			const struct mmu_state *from)
{
	char name[STATE_NAME_LEN];
	int error = 0;
	u32 exit = script_run_other(guest, vcpu, &error);

	state_name(from, name);
	TEST_ASSERT(exit == KVM_EXIT_IO && vcpu->run->io.port == BOOT_PORT,
		    "%s, from %s: exit %s, errno %d", what, name, exit_reason_str(exit), error);
}

void path_init_check(const struct boot_notes *notes, const struct mmu_state *from)
{
	const u32 kept = X86_CR0_CD | X86_CR0_NW;
	char name[STATE_NAME_LEN];

	state_name(from, name);
	TEST_ASSERT(!(notes->cr0 & ~(X86_CR0_ET | kept)), "CR0 %#x behind INIT in %s", notes->cr0,
		    name);
	TEST_ASSERT(!notes->cr3 && !notes->cr4 && !notes->efer,
		    "CR3 %#x CR4 %#x EFER %#x behind INIT in %s", notes->cr3, notes->cr4,
		    notes->efer, name);
	TEST_ASSERT(notes->alias == BOOT_ALIAS_VALUE,
		    "%#x read at %#x behind INIT in %s: %s", notes->alias, BOOT_ALIAS, name,
		    notes->alias == BOOT_ALIAS_STALE ? "a translation was kept" : "no such value");
}

/* Lets the vCPU take its INIT and looks at what it finds. */
static void boot(struct journey *j, const struct mmu_state *from)
{
	const struct boot_notes *notes = boot_prepare(j->guest);

	run_to_port(j->guest, j->vcpu, "INIT", from);
	path_init_check(notes, from);
}

void path_init_latch(struct journey *j)
{
	struct kvm_vcpu_events events;

	vcpu_ioctl(j->vcpu, KVM_GET_VCPU_EVENTS, &events);
	events.flags = KVM_VCPUEVENT_VALID_SMM;
	events.smi.latched_init = 1;
	vcpu_ioctl(j->vcpu, KVM_SET_VCPU_EVENTS, &events);
}

static void go_init(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	(void)to;
	path_init_latch(j);
	boot(j, from);
}

const struct transition_path path_init = {
	.name = "init",
	.does = "INIT, pending by KVM_SET_VCPU_EVENTS; the guest boots and goes on by itself",
	.all_pairs = true,
	.lacks = init_lacks,
	.vcpu = bootstrap_vcpu,
	.lands_in = &boot_state,
	.by_vmm = go_init,
};

/* By a vCPU without paging, which runs no script. */
static void send_init(struct journey *j, const struct mmu_state *from)
{
	const struct kvm_sregs sregs = script_sregs(j->guest, &boot_state);
	const struct kvm_regs regs = boot_sender_regs();

	vcpu_sregs_set(apic.bootstrap, &sregs);
	vcpu_regs_set(apic.bootstrap, &regs);
	run_to_port(j->guest, apic.bootstrap, "INIT sent", from);
}

static void go_init_apic(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	(void)to;
	/* As all registers come from one vCPU, this one takes itself for the bootstrap one. */
	vcpu_set_msr(j->vcpu, MSR_APIC_BASE, APIC_BASE_ADDR | APIC_BASE_ENABLE);
	send_init(j, from);
	boot(j, from);
}

const struct transition_path path_init_apic = {
	.name = "init-apic",
	.does = "INIT and SIPI from another vCPU's local APIC; the guest boots and goes on by itself",
	.all_pairs = true,
	.lacks = init_lacks,
	.vcpu = other_vcpu,
	.lands_in = &boot_state,
	.by_vmm = go_init_apic,
};
