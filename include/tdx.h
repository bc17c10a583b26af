/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDX as KVM offers it to a VMM: KVM_MEMORY_ENCRYPT_OP and its commands.
 *
 * The structures are this suite's own, so that it builds with any kernel's headers;
 * lib/vmm/tdx_layout.c asserts that they are laid out as <asm/kvm.h>'s, where that has them.
 * Source: Documentation/virt/kvm/x86/intel-tdx.rst, arch/x86/include/uapi/asm/kvm.h (6.16-7.3).
 *
 * Functions return 0 or a positive errno value.  None ends a subtest.
 */
#ifndef KMC_TDX_H
#define KMC_TDX_H

#include "kvm_private_memory.h"
#include "types.h"

enum tdx_command {
	TDX_CAPABILITIES,    /* VM fd; data: struct tdx_capabilities */
	TDX_INIT_VM,         /* VM fd; data: struct tdx_init_vm */
	TDX_INIT_VCPU,       /* vCPU fd; data: the guest's RCX and R8 */
	TDX_INIT_MEM_REGION, /* vCPU fd; data: struct tdx_mem_region; flags: TDX_MEASURE */
	TDX_FINALIZE_VM,     /* VM fd */
	TDX_GET_CPUID,       /* vCPU fd; data: struct kvm_cpuid2 */
	TDX_NR_COMMANDS,
};

struct tdx_cmd {
	u32 id;
	u32 flags;
	u64 data;     /* pointer or value; 0 if the command has none */
	u64 hw_error; /* in: 0; out: the SEAMCALL's status, see tdx_status.h */
};

#define TDX_MEASURE (1u << 0)

/*
 * The structures end in a struct kvm_cpuid2, whose entries follow; spelled out, as a structure
 * with entries can only come last.
 */
struct tdx_cpuid_head {
	u32 nent;
	u32 padding;
};

struct tdx_capabilities {
	u64 supported_attrs;
	u64 supported_xfam;
	/* GetTdVmCallInfo; 6.16-rc kernels have reserved words here, which are 0. */
	u64 kernel_tdvmcallinfo_1_r11;
	u64 user_tdvmcallinfo_1_r11;
	u64 kernel_tdvmcallinfo_1_r12;
	u64 user_tdvmcallinfo_1_r12;
	u64 reserved[250];
	struct tdx_cpuid_head cpuid; /* leaves that may be configured, and which of their bits */
	struct kvm_cpuid_entry2 entries[];
};

struct tdx_init_vm {
	u64 attributes;
	u64 xfam;
	u64 mrconfigid[6], mrowner[6], mrownerconfig[6];
	u64 reserved[12];
	struct tdx_cpuid_head cpuid;
	struct kvm_cpuid_entry2 entries[];
};

struct tdx_mem_region {
	u64 source_addr; /* of this process */
	u64 gpa;         /* without the shared bit */
	u64 nr_pages;    /* of 4 KBytes; all three are moved on past what was added */
};

/* The only attribute KVM supports: an access to memory not accepted ends the TD, no #VE. */
#define TDX_ATTR_SEPT_VE_DISABLE (1ull << 28)
#define TDX_MAX_CPUID_ENTRIES 256u

/* GPAW as KVM takes it: CPUID leaf 0x80000008, EAX[23:16]. */
#define TDX_GPAW_LEAF 0x80000008u
#define TDX_GPAW_SHIFT 16

/* One command; *hw_error (may be NULL) gets the SEAMCALL's status, or 0. */
int tdx_vm_command(int vm_fd, u32 id, u32 flags, const void *data, u64 *hw_error);
int tdx_vcpu_command(int vcpu_fd, u32 id, u32 flags, const void *data, u64 *hw_error);
/* KVM_MEMORY_ENCRYPT_OP of any fd with any structure. */
int tdx_raw_command(int fd, struct tdx_cmd *cmd);

/* KVM_TDX_CAPABILITIES, with as many entries as there are; free *caps. */
int tdx_capabilities_get(int vm_fd, struct tdx_capabilities **caps);

/*
 * A structure for KVM_TDX_INIT_VM: all attributes and XFAM bits that KVM supports, and of the CPUID that
 * KVM supports the bits that may be configured, with this GPAW.  NULL: out of memory; free it.
 */
struct tdx_init_vm *tdx_init_vm_make(const struct tdx_capabilities *caps,
				     const struct kvm_cpuid2 *supported, unsigned int gpaw);

/* KVM_TDX_INIT_VM, again for a while after EAGAIN: the CPU had no entropy for a key just then. */
int tdx_vm_init(int vm_fd, const struct tdx_init_vm *init, u64 *hw_error);

/*
 * KVM_TDX_GET_CPUID with room for nent entries, at most TDX_MAX_CPUID_ENTRIES; free *cpuid.  It is there
 * also with E2BIG, and nent then says how many it would take; not with ENOMEM.
 */
int tdx_vcpu_get_cpuid(int vcpu_fd, u32 nent, struct kvm_cpuid2 **cpuid, u64 *hw_error);

/* The three capabilities that a TD needs: split irqchip, x2APIC API, exits for MapGPA. */
int tdx_enable_caps(int vm_fd);

#endif
