// SPDX-License-Identifier: GPL-2.0-only
/* An ordinary VM as a TD: memory, and accesses that it may not make.  See include/td_guest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_private_memory.h"
#include "td_internal.h"
#include "test_assert.h"
#include "x86.h"

#define RUN_MS 2000
/* An access that is allowed and fails again and again: nothing else may have converted its page. */
#define MAX_SPURIOUS 1000

static bool with_memfd(const struct td_guest *td)
{
	return td->kind == TD_EMULATED_MEMFD;
}

/* A slot of memory that the VM does not own. */
static void add_slot(struct td_guest *td, gpa_t gpa, u64 size, u8 *host, int gmem_fd)
{
	const int err = __vm_slot_add(td->vm, gpa, size, host, gmem_fd, 0);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION gpa %#llx size %#llx: %s",
		    (unsigned long long)gpa, (unsigned long long)size, vm_strerror(td->vm, err));
}

/* All of test memory is private and pending: on neither side anything may be met. */
static void create_memory(struct td_guest *td)
{
	const gpa_t shared = tdx_shared_bit(td->layout.gpaw);
	u8 *reset;

	td->low = vm_mem_add(td->vm, 0, TD_LOW_SIZE, VM_ANY_NODE);
	reset = vm_mem_add(td->vm, TD_RESET_GPA, 0x1000, VM_ANY_NODE);
	td->mailboxes = vm_mem_add(td->vm, TD_MAILBOX_GPA | shared, TD_MAX_VCPUS * TD_MAILBOX_SIZE,
				   VM_ANY_NODE);
	td->private_side = td_map_aligned(TD_TEST_SIZE, PROT_NONE, td->layout.large);
	td->shared_side = td_map_aligned(TD_TEST_SIZE, PROT_NONE, td->layout.large);
	if (with_memfd(td))
		td->gmem_fd = vm_create_guest_memfd(td->vm, TD_TEST_SIZE);
	add_slot(td, TD_TEST_GPA, TD_TEST_SIZE, td->private_side, td->gmem_fd);
	add_slot(td, TD_TEST_GPA | shared, TD_TEST_SIZE, td->shared_side, -1);
	td_image_write(&td->layout, td->low, reset);
	TEST_ASSERT(td_image_is_safe(&td->layout, td->low), "an entry would execute shared memory");
}

static struct kvm_segment flat(u16 selector, u8 type)
{
	return (struct kvm_segment){ .selector = selector,
				     .limit = ~0u,
				     .type = type,
				     .present = 1,
				     .s = 1,
				     .db = 1,
				     .g = 1 };
}

/*
 * As the TDX module starts a vCPU, but for CR4.MCE and VMXE.  QEMU's CPU does not survive EFER.LME
 * without CR4.PAE (lib/guest/guest.c says why); the payload sets PAE first of all.
 */
static void set_reset_state(struct td_guest *td, struct td_vcpu *v)
{
	const bool tcg = !strcmp(td->vm->card.emulator, "qemu-tcg");
	const struct kvm_cpuid_entry2 *l1 = cpuid_entry(v->vcpu->cpuid, 1, 0);
	struct kvm_regs regs = {
		.rip = 0xfffffff0,
		.rflags = X86_EFLAGS_FIXED,
		.rbx = td->layout.gpaw,
		.rdx = l1 ? l1->eax : 0,
		.rsi = v - td->cpu,
	};
	struct kvm_sregs sregs;

	vcpu_sregs_get(v->vcpu, &sregs);
	sregs.cs = flat(TD_SEL_CODE32, 11);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(TD_SEL_DATA, 3);
	sregs.cr0 = X86_CR0_PE | X86_CR0_NE;
	/* What the payload will set by itself: a CPU without 5-level paging takes it down. */
	sregs.cr4 = X86_CR4_PAE | X86_CR4_LA57;
	if (td->layout.levels == 5 && __vcpu_sregs_set(v->vcpu, &sregs))
		td->cannot_boot = "KVM_SET_SREGS: Invalid argument";
	sregs.cr3 = 0;
	sregs.cr4 = tcg ? X86_CR4_PAE : 0;
	sregs.efer = X86_EFER_NX | X86_EFER_LME;
	vcpu_sregs_set(v->vcpu, &sregs);
	vcpu_regs_set(v->vcpu, &regs);
}

/* A CPU with just as many address bits: those beyond GPAW are reserved for a TD. */
static void set_width(struct td_guest *td, struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(td->vm->kvm_fd);
	struct kvm_cpuid_entry2 *e8 = cpuid_entry(cpuid, 0x80000008, 0);
	int err = 0;

	if (e8) {
		e8->eax = (e8->eax & ~0xffu) | td->layout.gpaw;
		err = __vcpu_set_cpuid(vcpu, cpuid);
	}
	free(cpuid);
	TEST_ASSERT(e8 && !err, "KVM_SET_CPUID2 with MAXPHYADDR %u: %s", td->layout.gpaw,
		    strerror(err));
}

/*
 * Private memory of an ordinary VM: since 6.8, where the kernel is built with it and nested
 * paging is on.
 */
static void require_memfd(void)
{
	struct vm *vm = vm_create_barebones();
	const int types = vm_check_cap(vm, KVM_CAP_VM_TYPES);

	vm_free(vm);
	TEST_REQUIRE(types > 0 && types & 1 << KVM_X86_SW_PROTECTED_VM,
		     "no guest_memfd for ordinary guests: KVM_CAP_VM_TYPES is %#x, without bit 1",
		     types);
}

static void emulated_create(struct td_guest *td)
{
	u32 i;

	if (with_memfd(td))
		require_memfd();
	td->vm = vm_create_barebones_type(with_memfd(td) ? KVM_X86_SW_PROTECTED_VM : KVM_X86_DEFAULT_VM);
	create_memory(td);
	for (i = 0; i < td->nr_vcpus; i++) {
		td->cpu[i].vcpu = vm_vcpu_add(td->vm, i);
		set_width(td, td->cpu[i].vcpu);
		set_reset_state(td, &td->cpu[i]);
	}
}

static void emulated_destroy(struct td_guest *td)
{
	if (td->private_side)
		munmap(td->private_side, TD_TEST_SIZE);
	if (td->shared_side)
		munmap(td->shared_side, TD_TEST_SIZE);
}

/* Nobody meets it any more, and what it held is lost. */
static int take_away(u8 *side, u64 offset, u64 size)
{
	if (mprotect(side + offset, size, PROT_NONE))
		return errno;
	return madvise(side + offset, size, MADV_DONTNEED) ? errno : 0;
}

static int emulated_convert(struct td_guest *td, gpa_t gpa, u64 pages, bool private)
{
	const u64 offset = gpa - TD_TEST_GPA, size = pages * TD_PAGE_SIZE;
	int err;

	/* Pending: the private side is not there before it is accepted. */
	memset(td->accepted + offset / TD_PAGE_SIZE, 0, pages);
	if (private)
		return take_away(td->shared_side, offset, size);
	if (with_memfd(td)) {
		err = td_set_private(td, gpa, size, false);
		if (!err && fallocate(td->gmem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      offset, size))
			err = errno;
	} else {
		err = take_away(td->private_side, offset, size);
	}
	if (!err && mprotect(td->shared_side + offset, size, PROT_READ | PROT_WRITE))
		err = errno;
	return err;
}

int td_emulated_accept(struct td_guest *td, u64 page)
{
	td->accepted[page] = true;
	if (with_memfd(td))
		return td_set_private(td, TD_TEST_GPA + page * TD_PAGE_SIZE, TD_PAGE_SIZE, true);
	return mprotect(td->private_side + page * TD_PAGE_SIZE, TD_PAGE_SIZE,
			PROT_READ | PROT_WRITE) ?
		       errno :
		       0;
}

/* kvm_pvm: the guest's supervisor code is emulated instruction by instruction. */
static bool emulates_supervisor(const struct td_guest *td)
{
	return !strcmp(td->vm->card.backend, "kvm_pvm");
}

/* The address that an access under way is made to: it is an operation's, or code in test memory. */
static gpa_t access_gpa(const struct td_vcpu *v, const struct kvm_regs *regs, gva_t *gva)
{
	*gva = td_gva_to_gpa(&v->td->layout, regs->rip) != ~0ull ? regs->rip : regs->rdx;
	return td_gva_to_gpa(&v->td->layout, *gva);
}

/* Where KVM says which page it was, it must be that one. */
static bool fault_is_that(struct td_vcpu *v, gpa_t gpa)
{
	struct memory_fault fault;

	if (v->vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return true;
	memcpy(&fault, &v->vcpu->run->hw, sizeof(fault));
	if (fault.gpa == (gpa & ~0xfffull) && fault.size == TD_PAGE_SIZE)
		return true;
	td_stop(v, "KVM_EXIT_MEMORY_FAULT at %#llx+%#llx for an access to %#llx",
		(unsigned long long)fault.gpa, (unsigned long long)fault.size,
		(unsigned long long)gpa);
	return false;
}

/* KVM could not get at the memory of the access: whose turn is it? */
static enum td_event refused(struct td_vcpu *v, struct td_exit *exit)
{
	struct td_guest *td = v->td;
	struct kvm_regs regs;
	bool private, on_its_side, accepted;
	gva_t gva;
	gpa_t gpa;
	s64 page;

	vcpu_regs_get(v->vcpu, &regs);
	gpa = access_gpa(v, &regs, &gva);
	page = gpa == ~0ull ? -1 : td_test_page(td, gpa);
	if (page < 0)
		return td_stop(v, "KVM_RUN: EFAULT, rip %#llx rdx %#llx", regs.rip, regs.rdx);
	if (!fault_is_that(v, gpa))
		return TD_EVENT_STOPPED;
	private = tdx_gpa_is_private(td->layout.gpaw, gpa);
	pthread_mutex_lock(&td->lock);
	on_its_side = td->private[page] == private;
	accepted = td->accepted[page];
	pthread_mutex_unlock(&td->lock);
	if (on_its_side && private && !accepted) {
		td_emulated_ve(v, &regs, gva, gpa);
	} else if (!on_its_side) {
		*exit = (struct td_exit){ TD_EXIT_FAULT, private,
					  tdx_gpa_to_private(td->layout.gpaw, gpa) & ~0xfffull, 1 };
		return TD_EVENT_EXIT;
	} else if (++v->spurious > MAX_SPURIOUS) {
		return td_stop(v, "KVM_RUN: EFAULT at %#llx, which is there",
			       (unsigned long long)gpa);
	}
	return TD_EVENT_MORE; /* goes on, see emulated_run() */
}

/*
 * KVM_EXIT_MMIO where there is a memslot: an emulator that could not get at its memory.  Nothing
 * has
 * been done yet but by the emulator, and the vCPU goes back to before the access.
 */
static enum td_event emulated_access_refused(struct td_vcpu *v, struct kvm_regs *regs,
					     struct td_exit *exit)
{
	if (!emulates_supervisor(v->td))
		return td_stop(v, "KVM_EXIT_MMIO at %#llx, where there is a memslot",
			       v->vcpu->run->mmio.phys_addr);
	/* A store is over for KVM when it exits, a load is not. */
	regs->rip -= v->vcpu->run->mmio.is_write ? TD_STORE_LENGTH : 0;
	vcpu_run_complete_io(v->vcpu);
	vcpu_regs_set(v->vcpu, regs);
	return refused(v, exit);
}

/* No memslot: a TD's shared access is a #VE, its private one the VMM's business. */
static enum td_event no_memory(struct td_vcpu *v, struct td_exit *exit)
{
	const gpa_t gpa = v->vcpu->run->mmio.phys_addr;
	struct kvm_regs regs;
	gva_t gva;

	vcpu_regs_get(v->vcpu, &regs);
	if (access_gpa(v, &regs, &gva) != gpa)
		return td_stop(v, "KVM_EXIT_MMIO at %#llx for an access to %#llx",
			       (unsigned long long)gpa,
			       (unsigned long long)access_gpa(v, &regs, &gva));
	if (td_test_page(v->td, gpa) >= 0)
		return emulated_access_refused(v, &regs, exit);
	if (tdx_gpa_is_private(v->td->layout.gpaw, gpa)) {
		*exit = (struct td_exit){ TD_EXIT_FAULT, true, gpa & ~0xfffull, 1 };
		return TD_EVENT_EXIT;
	}
	vcpu_run_complete_io(v->vcpu);
	td_emulated_ve(v, &regs, gva, gpa);
	return TD_EVENT_MORE;
}

/* Some KVMs emulate a guest's supervisor code and do not know the instruction. */
static bool at_tdcall(const struct td_vcpu *v)
{
	const u32 opcode = TDCALL_OPCODE;
	struct kvm_regs regs;

	vcpu_regs_get(v->vcpu, &regs);
	return regs.rip + sizeof(opcode) <= TD_LOW_SIZE &&
	       !memcmp(v->td->low + regs.rip, &opcode, sizeof(opcode));
}

static enum td_event unexpected(struct td_vcpu *v, struct td_exit *exit, u32 reason, int error)
{
	const struct kvm_run *run = v->vcpu->run;
	struct kvm_regs regs;

	vcpu_regs_get(v->vcpu, &regs);
	if (reason == KVM_EXIT_INTERNAL_ERROR && emulates_supervisor(v->td) &&
	    td_gva_to_gpa(&v->td->layout, regs.rip) != ~0ull)
		return refused(v, exit); /* code that the emulator could not get at */
	if (reason == KVM_EXIT_INTERNAL_ERROR)
		return td_stop(v, "exit INTERNAL_ERROR %u rip %#llx", run->internal.suberror,
			       regs.rip);
	return td_stop(v, "exit %s%s%s rip %#llx", exit_reason_str(reason), error ? ": " : "",
		       error ? strerror(error) : "", regs.rip);
}

static enum td_event emulated_run(struct td_vcpu *v, struct td_exit *exit)
{
	struct kvm_run *run = v->vcpu->run;
	enum td_event event;
	int error = 0;
	u32 reason;

	for (;;) {
		if (v->in_call) {
			if (td_emulated_call(v, exit, &event))
				return event;
			continue;
		}
		run->exit_reason = 0;
		reason = vcpu_run(v->vcpu, RUN_MS, &error);
		v->call_exited = reason == KVM_EXIT_INTERNAL_ERROR && at_tdcall(v);
		v->in_call = v->call_exited ||
			     (reason == KVM_EXIT_IO && run->io.port == TD_TRAP_PORT);
		if (v->in_call)
			continue;
		if (reason == VCPU_RUN_ERROR && error == EFAULT)
			event = refused(v, exit);
		else if (reason == KVM_EXIT_MMIO)
			event = no_memory(v, exit);
		else
			event = unexpected(v, exit, reason, error);
		if (event != TD_EVENT_MORE)
			return event;
	}
}

static void emulated_map_done(struct td_vcpu *v, int error)
{
	struct kvm_regs regs;

	vcpu_regs_get(v->vcpu, &regs);
	v->map_next += error ? 0 : TD_LARGE_SIZE;
	if (!error && v->map_next < v->map_end)
		return;
	regs.rax = 0;
	regs.r10 = error == EAGAIN ? TDVMCALL_RETRY : error ? TDVMCALL_INVALID_OPERAND : 0;
	regs.r11 = error ? v->map_next : regs.r11;
	v->map_end = 0;
	td_emulated_finish(v, &regs);
}

const struct td_kind_ops td_emulated_ops = {
	emulated_create, emulated_destroy, emulated_run, emulated_map_done, emulated_convert,
};
