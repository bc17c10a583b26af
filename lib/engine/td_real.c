// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD on a TDX host: see include/td_guest.h.
 *
 * Not run on TDX hardware yet: written from Documentation/virt/kvm/x86/intel-tdx.rst and
 * arch/x86/kvm/vmx/tdx.c of Linux 7.3.  Registers of a TD's vCPU cannot be read, so that every
 * exit is told by struct kvm_run alone.
 */
#include <asm/kvm_para.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "td_internal.h"
#include "tdx.h"
#include "tdx_host.h"
#include "test_assert.h"

#define RUN_MS 5000
#define LOW_AND_MAILBOXES 0x400000
/* Where memory lies in the guest_memfd. */
#define GMEM_LOW 0
#define GMEM_TEST LOW_AND_MAILBOXES
#define GMEM_RESET (GMEM_TEST + TD_TEST_SIZE)
#define GMEM_SIZE (GMEM_RESET + TD_PAGE_SIZE)

#ifndef KVM_MAP_GPA_RANGE_ENCRYPTED
#define KVM_MAP_GPA_RANGE_ENCRYPTED (1u << 4)
#endif

static void check(int err, u64 hw_error, const char *what)
{
	TEST_ASSERT(!err, "%s: %s, TDX module's status %#llx", what, strerror(err),
		    (unsigned long long)hw_error);
}

/* What is handed to KVM_TDX_INIT_VM; #VE on, as a TD without it would rather end. */
static struct tdx_init_vm *make_init(struct td_guest *td)
{
	struct kvm_cpuid2 *supported = kvm_supported_cpuid(td->vm->kvm_fd);
	struct tdx_capabilities *caps = NULL;
	struct tdx_init_vm *init = NULL;
	const int err = tdx_capabilities_get(td->vm->fd, &caps);

	if (!err)
		init = tdx_init_vm_make(caps, supported, td->layout.gpaw);
	free(caps);
	free(supported);
	check(err, 0, "KVM_TDX_CAPABILITIES");
	TEST_ASSERT(init, "out of memory");
	init->attributes = 0;
	return init;
}

/* Without it GPAW 52 is refused: setup_tdparams_eptp_controls(). */
static bool has_5level_ept(void)
{
	static struct tdx_host host;

	tdx_host_read(&host);
	return host.ept_5level;
}

static void init_vm(struct td_guest *td)
{
	struct tdx_init_vm *init;
	u64 hw_error = 0;
	int err = tdx_enable_caps(td->vm->fd);

	check(err, 0, "KVM_ENABLE_CAP");
	init = make_init(td);
	err = tdx_vm_init(td->vm->fd, init, &hw_error);
	free(init);
	TEST_REQUIRE(err != EINVAL || td->layout.gpaw == TDX_GPAW_4LEVEL || has_5level_ept(),
		     "KVM_TDX_INIT_VM: no TD with GPAW %u here, the CPU has no 5-level EPT",
		     td->layout.gpaw);
	check(err, hw_error, "KVM_TDX_INIT_VM");
}

static void add_vcpu(struct td_guest *td, u32 id)
{
	struct vcpu *vcpu = vm_vcpu_add(td->vm, id);
	struct kvm_cpuid2 *cpuid;
	u64 hw_error = 0;
	int err, set = 0;

	td->cpu[id].vcpu = vcpu;
	err = tdx_vcpu_get_cpuid(vcpu->fd, TDX_MAX_CPUID_ENTRIES, &cpuid, &hw_error);
	if (!err)
		set = __vcpu_set_cpuid(vcpu, cpuid);
	free(cpuid);
	check(err, hw_error, "KVM_TDX_GET_CPUID");
	check(set, 0, "KVM_SET_CPUID2");
	err = tdx_vcpu_command(vcpu->fd, TDX_INIT_VCPU, 0, NULL, &hw_error);
	check(err, hw_error, "KVM_TDX_INIT_VCPU");
}

/* A slot whose private side is in the guest_memfd, and at first all of it but the mailboxes. */
static u8 *add_memory(struct td_guest *td, gpa_t gpa, u64 size, u64 private_size, u64 offset)
{
	u8 *shared = td_map_aligned(size, PROT_READ | PROT_WRITE, td->layout.large);
	int err;

	/* vm_gpa2hva() would be the shared side: not what most who ask mean. */
	err = __vm_slot_add(td->vm, gpa, size, shared, td->gmem_fd, offset);
	check(err, 0, "KVM_SET_USER_MEMORY_REGION2");
	td->vm->slot[td->vm->nr_slots - 1].shared = false; /* the VM's from now on */
	err = td_set_private(td, gpa, private_size, true);
	check(err, 0, "KVM_SET_MEMORY_ATTRIBUTES");
	return shared;
}

/*
 * Private memory that the TD starts with.  KVM says how far it came when it wants to be asked
 * again.
 */
static void load(struct td_guest *td, gpa_t gpa, const u8 *source, u64 size)
{
	struct tdx_mem_region region = { (uintptr_t)source, gpa, size / TD_PAGE_SIZE };
	u64 hw_error = 0;
	int err;

	do {
		err = tdx_vcpu_command(td->cpu[0].vcpu->fd, TDX_INIT_MEM_REGION, TDX_MEASURE,
				       &region, &hw_error);
	} while (err == EINTR || err == EAGAIN);
	check(err, hw_error, "KVM_TDX_INIT_MEM_REGION");
}

static void load_image(struct td_guest *td)
{
	u8 *image = td_map_aligned(TD_LARGE_SIZE, PROT_READ | PROT_WRITE, false);
	u8 *reset = image + TD_IMAGE_SIZE;

	td_image_write(&td->layout, image, reset);
	TEST_ASSERT(td_image_is_safe(&td->layout, image), "an entry would execute shared memory");
	load(td, 0, image, TD_IMAGE_SIZE);
	load(td, TD_RESET_GPA, reset, TD_PAGE_SIZE);
	munmap(image, TD_LARGE_SIZE);
}

static void real_create(struct td_guest *td)
{
	u64 hw_error = 0;
	int err;
	u32 i;

	td->vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	init_vm(td);
	for (i = 0; i < td->nr_vcpus; i++)
		add_vcpu(td, i);
	td->gmem_fd = vm_create_guest_memfd(td->vm, GMEM_SIZE);
	td->mailboxes =
		add_memory(td, 0, LOW_AND_MAILBOXES, TD_LOW_SIZE, GMEM_LOW) + TD_MAILBOX_GPA;
	td->shared_side = add_memory(td, TD_TEST_GPA, TD_TEST_SIZE, TD_TEST_SIZE, GMEM_TEST);
	add_memory(td, TD_RESET_GPA, TD_PAGE_SIZE, TD_PAGE_SIZE, GMEM_RESET);
	load_image(td);
	err = tdx_vm_command(td->vm->fd, TDX_FINALIZE_VM, 0, NULL, &hw_error);
	check(err, hw_error, "KVM_TDX_FINALIZE_VM");
}

/* Slots are the VM's. */
static void real_destroy(struct td_guest *td)
{
	(void)td;
}

static enum td_event memory_fault(struct td_vcpu *v, struct td_exit *exit)
{
	struct memory_fault fault;

	memcpy(&fault, &v->vcpu->run->hw, sizeof(fault));
	*exit = (struct td_exit){
		.kind = TD_EXIT_FAULT,
		.private = fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE,
		.gpa = fault.gpa,
		.pages = fault.size / TD_PAGE_SIZE,
	};
	return TD_EVENT_EXIT;
}

static enum td_event map_gpa(struct td_vcpu *v, struct td_exit *exit)
{
	const struct kvm_run *run = v->vcpu->run;

	*exit = (struct td_exit){
		.kind = TD_EXIT_MAP,
		.private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED,
		.gpa = run->hypercall.args[0],
		.pages = run->hypercall.args[1],
	};
	return TD_EVENT_EXIT;
}

static enum td_event real_run(struct td_vcpu *v, struct td_exit *exit)
{
	struct kvm_run *run = v->vcpu->run;
	int error = 0;
	u32 reason;

	run->exit_reason = 0;
	reason = vcpu_run(v->vcpu, RUN_MS, &error);
	if (reason == KVM_EXIT_IO && run->io.port == TD_PORT)
		return TD_EVENT_MORE;
	if (reason == KVM_EXIT_HYPERCALL && run->hypercall.nr == KVM_HC_MAP_GPA_RANGE)
		return map_gpa(v, exit);
	if (reason == VCPU_RUN_ERROR && (error == EFAULT || error == EHWPOISON) &&
	    run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return memory_fault(v, exit);
	if (reason == KVM_EXIT_SYSTEM_EVENT)
		return td_stop(v, "exit SYSTEM_EVENT %u", run->system_event.type);
	return td_stop(v, "exit %s%s%s", exit_reason_str(reason), error ? ": " : "",
		       error ? strerror(error) : "");
}

static void real_map_done(struct td_vcpu *v, int error)
{
	v->vcpu->run->hypercall.ret = error;
}

static int real_convert(struct td_guest *td, gpa_t gpa, u64 pages, bool private)
{
	const u64 offset = gpa - TD_TEST_GPA, size = pages * TD_PAGE_SIZE;
	int err = td_set_private(td, gpa, size, private);

	if (err)
		return err;
	if (private)
		return madvise(td->shared_side + offset, size, MADV_DONTNEED) ? errno : 0;
	return fallocate(td->gmem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 GMEM_TEST + offset, size) ?
		       errno :
		       0;
}

const struct td_kind_ops td_real_ops = {
	real_create, real_destroy, real_run, real_map_done, real_convert,
};
