/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/kvm: virtual machines, vCPUs, memory, CPUID, registers.
 *
 * As in the kernel's selftests, __foo() returns 0 or a positive errno value and
 * foo() fails the running subtest with the ioctl's name, its errno and its
 * arguments.  Nothing here knows a paging rule.
 */
#ifndef KMC_VM_H
#define KMC_VM_H

#include <linux/kvm.h>

#include "host.h"
#include "page_table.h"
#include "types.h"

#define VM_MAX_SLOTS 400
#define VM_ANY_NODE (-1)

struct vm_slot {
	u32 id;      /* bits 31:16: address space */
	bool shared; /* with another slot or VM, whose memory it is */
	gpa_t gpa;
	u64 size; /* bytes */
	u8 *host;
};

struct vm {
	struct host_card card; /* of the host it is on */
	struct kvm_vm *kvm;    /* what lib/vmm/kvm_calls.h knows it as */
	int kvm_fd, fd;
	size_t run_size; /* bytes of a vCPU's struct kvm_run mapping */
	unsigned int nr_slots;
	struct vm_slot slot[VM_MAX_SLOTS];
	struct vcpu *vcpus;
};

struct vcpu {
	struct vm *vm;
	struct kvm_vcpu *kvm; /* NULL: of a TD that include/tdx_td.h makes */
	int fd;
	u32 id;
	struct kvm_run *run;
	struct kvm_cpuid2 *cpuid; /* as last set */
	struct vcpu *next;
};

/* A VM without memory and vCPUs; skips the subtest when /dev/kvm cannot be used. */
struct vm *vm_create_barebones(void);
/* The same of a type that KVM_CAP_VM_TYPES offers. */
struct vm *vm_create_barebones_type(unsigned long type);
/* A VM with the memory of another one, slot by slot, which must outlive it. */
struct vm *vm_create_sharing(const struct vm *of);
/* Closes vCPUs and VM and frees its memory; a hung vCPU's thread must have left KVM_RUN. */
void vm_free(struct vm *vm);

/*
 * size bytes of zeroed guest memory at gpa, on a NUMA node (libnuma) or VM_ANY_NODE.
 * Only pages that are touched take host memory.
 */
void *vm_mem_add(struct vm *vm, gpa_t gpa, u64 size, int node);
int __vm_mem_add(struct vm *vm, gpa_t gpa, u64 size, int node, void **host);
/* The same in another address space (KVM_CAP_MULTI_ADDRESS_SPACE); not for vm_gpa2hva(). */
void *vm_mem_add_in_space(struct vm *vm, u16 space, gpa_t gpa, u64 size);
/* size bytes of memory at gpa, all in one slot, again at another guest physical address. */
void vm_mem_alias(struct vm *vm, gpa_t gpa, u64 size, gpa_t alias);
/*
 * size bytes at host, which stay the caller's, as memory at gpa, and from offset in a guest_memfd
 * its private side; guest_memfd -1: none.
 */
int __vm_slot_add(struct vm *vm, gpa_t gpa, u64 size, void *host, int guest_memfd, u64 offset);
/* The caller closes it. */
int vm_create_guest_memfd(struct vm *vm, u64 size);
/* KVM drops all its pages of the VM: a memslot comes and goes, which lies at this free address. */
void vm_drop_pages(struct vm *vm, gpa_t gpa);
/* Host address, or NULL when the guest has no memory at gpa. */
void *vm_gpa2hva(const struct vm *vm, gpa_t gpa);

int __vm_ioctl(struct vm *vm, unsigned long request, void *arg);
int __vcpu_ioctl(struct vcpu *vcpu, unsigned long request, void *arg);
/* The same; an error ends the subtest. */
#define vm_ioctl(vm, request, arg)                                                             \
	do {                                                                                   \
		int ioctl_err = __vm_ioctl(vm, request, arg);                                  \
		TEST_ASSERT(!ioctl_err, #request ": %s", vm_strerror(vm, ioctl_err));          \
	} while (0)
#define vcpu_ioctl(vcpu, request, arg)                                                         \
	do {                                                                                   \
		int ioctl_err = __vcpu_ioctl(vcpu, request, arg);                              \
		TEST_ASSERT(!ioctl_err, #request " vcpu %u: %s", (vcpu)->id,                   \
			    vm_strerror((vcpu)->vm, ioctl_err));                                              \
	} while (0)
/* strerror(), or that KVM has killed the VM, which answers EIO from then on. */
const char *vm_strerror(const struct vm *vm, int err);
/* Local APICs in KVM for vCPUs that come later: KVM_CAP_SPLIT_IRQCHIP. */
void vm_add_local_apics(struct vm *vm);
/* What KVM_CHECK_EXTENSION answers: 0 or less means no. */
int vm_check_cap(struct vm *vm, long cap);

/* The vCPU has KVM's reset state and the CPUID that KVM supports, less what cpu_offer.h takes. */
struct vcpu *vm_vcpu_add(struct vm *vm, u32 id);

/* KVM_GET_SUPPORTED_CPUID; the caller frees it. */
struct kvm_cpuid2 *kvm_supported_cpuid(int kvm_fd);
int __vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid);
void vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid);
/* An entry of a CPUID table, or NULL. */
struct kvm_cpuid_entry2 *cpuid_entry(struct kvm_cpuid2 *cpuid, u32 function, u32 index);
/* The facts that the model needs, from a CPUID table. */
struct cpu_facts cpuid_facts(struct kvm_cpuid2 *cpuid);

void vcpu_regs_get(struct vcpu *vcpu, struct kvm_regs *regs);
void vcpu_regs_set(struct vcpu *vcpu, const struct kvm_regs *regs);
void vcpu_sregs_get(struct vcpu *vcpu, struct kvm_sregs *sregs);
int __vcpu_sregs_set(struct vcpu *vcpu, const struct kvm_sregs *sregs);
void vcpu_sregs_set(struct vcpu *vcpu, const struct kvm_sregs *sregs);
/*
 * KVM_SET_SREGS2 of the same registers, as __vcpu_sregs_set() returns; pdptrs: NULL, or the
 * four PDPTE registers, which KVM then does not load from memory.
 */
int __vcpu_sregs2_set(struct vcpu *vcpu, const struct kvm_sregs *sregs, const u64 *pdptrs);
void vcpu_events_clear(struct vcpu *vcpu); /* pending exceptions, NMIs, SMIs, triple fault */
void vcpu_settle(struct vcpu *vcpu); /* runnable, not in SMM, no SMI or INIT pending */
u64 vcpu_get_msr(struct vcpu *vcpu, u32 index);
/* 0, EINVAL when KVM_SET_MSRS refuses the value, or its errno. */
int __vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value);
void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value);

/* vcpu_run() came back because the watchdog expired. */
#define VCPU_TIMEOUT 0xffffu
/* KVM_RUN failed with an errno of its own. */
#define VCPU_RUN_ERROR 0xfffeu

/*
 * Runs the vCPU until it exits to userspace, at most timeout_ms of this thread's CPU
 * time (a busy machine is no hang) or VCPU_WALL_FACTOR times as long by the clock (a vCPU
 * that sleeps forever uses no CPU time).  Returns KVM_EXIT_*, VCPU_TIMEOUT or
 * VCPU_RUN_ERROR (*error then holds errno; may be NULL).
 */
#define VCPU_WALL_FACTOR 30
u32 vcpu_run(struct vcpu *vcpu, unsigned int timeout_ms, int *error);
/* Goes on after each exit that answer() handles (true), all within the same time. */
u32 vcpu_run_answering(struct vcpu *vcpu, unsigned int timeout_ms, int *error,
		       bool (*answer)(void *context, u32 exit), void *context);
/* Lets KVM finish the instruction whose exit was handled, without running further. */
void vcpu_run_complete_io(struct vcpu *vcpu);

/* "IO", "SHUTDOWN", "INTERNAL_ERROR", ... */
const char *exit_reason_str(u32 reason);
/* "exit SHUTDOWN 0"; detail: what else is known, see agent_exit_detail(). */
#define EXIT_TEXT_LEN 48
void exit_text(u32 reason, u64 detail, char text[EXIT_TEXT_LEN]);

#endif
