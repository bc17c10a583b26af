// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing but assertions: the structures that are handed to KVM have the layout of its ABI.
 *
 * The numbers are those of the ABI, so they check this suite's definitions where the headers
 * are old, and the headers' where they are new; TDX's own structures are compared with the
 * headers', too.  tests/tdx_layout_test.sh compiles this with the newest headers that Debian has.
 */
#include <stddef.h>

#include "tdx.h"

#define SIZE_IS(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#define AT(type, field, offset, size)                                                            \
	_Static_assert(offsetof(type, field) == (offset) && sizeof(((type *)0)->field) == (size), \
		       #field " in " #type)
#define NUMBER_IS(name, number) _Static_assert((name) == (number), #name)

#define START(type, field, offset) \
	_Static_assert(offsetof(type, field) == (offset), #field " in " #type)

/* _IOC(direction, 0xae, number, size): 1 is write, 3 is both, as seen from userspace. */
#define IOCTL_IS(name, direction, number, size) \
	NUMBER_IS(name, (unsigned int)(direction) << 30 | (size) << 16 | 0xae << 8 | (number))

IOCTL_IS(KVM_MEMORY_ENCRYPT_OP, 3, 0xba, 8);
IOCTL_IS(KVM_SET_USER_MEMORY_REGION2, 1, 0x49, 160);
IOCTL_IS(KVM_SET_MEMORY_ATTRIBUTES, 1, 0xd2, 32);
IOCTL_IS(KVM_CREATE_GUEST_MEMFD, 3, 0xd4, 64);
IOCTL_IS(KVM_PRE_FAULT_MEMORY, 3, 0xd5, 64);

NUMBER_IS(KVM_CAP_SPLIT_IRQCHIP, 121);
NUMBER_IS(KVM_CAP_X2APIC_API, 129);
NUMBER_IS(KVM_CAP_EXIT_HYPERCALL, 201);
NUMBER_IS(KVM_CAP_USER_MEMORY2, 231);
NUMBER_IS(KVM_CAP_MEMORY_FAULT_INFO, 232);
NUMBER_IS(KVM_CAP_MEMORY_ATTRIBUTES, 233);
NUMBER_IS(KVM_CAP_GUEST_MEMFD, 234);
NUMBER_IS(KVM_CAP_VM_TYPES, 235);
NUMBER_IS(KVM_CAP_PRE_FAULT_MEMORY, 236);
NUMBER_IS(KVM_X86_DEFAULT_VM, 0);
NUMBER_IS(KVM_X86_SW_PROTECTED_VM, 1);
NUMBER_IS(KVM_X86_TDX_VM, 5);
NUMBER_IS(KVM_MEM_GUEST_MEMFD, 4);
NUMBER_IS(KVM_MEMORY_ATTRIBUTE_PRIVATE, 8);
NUMBER_IS(KVM_EXIT_HYPERCALL, 3);
NUMBER_IS(KVM_EXIT_MEMORY_FAULT, 39);
NUMBER_IS(KVM_MEMORY_EXIT_FLAG_PRIVATE, 8);
NUMBER_IS(KVM_EXIT_TDX, 40);
NUMBER_IS(KVM_SYSTEM_EVENT_TDX_FATAL, 7);
NUMBER_IS(KVM_HC_MAP_GPA_RANGE, 12);

SIZE_IS(struct kvm_userspace_memory_region2, 160);
AT(struct kvm_userspace_memory_region2, guest_phys_addr, 8, 8);
AT(struct kvm_userspace_memory_region2, memory_size, 16, 8);
AT(struct kvm_userspace_memory_region2, userspace_addr, 24, 8);
AT(struct kvm_userspace_memory_region2, guest_memfd_offset, 32, 8);
AT(struct kvm_userspace_memory_region2, guest_memfd, 40, 4);
SIZE_IS(struct kvm_memory_attributes, 32);
AT(struct kvm_memory_attributes, address, 0, 8);
AT(struct kvm_memory_attributes, size, 8, 8);
AT(struct kvm_memory_attributes, attributes, 16, 8);
AT(struct kvm_memory_attributes, flags, 24, 8);
SIZE_IS(struct kvm_create_guest_memfd, 64);
AT(struct kvm_create_guest_memfd, size, 0, 8);
AT(struct kvm_create_guest_memfd, flags, 8, 8);
SIZE_IS(struct kvm_pre_fault_memory, 64);
AT(struct kvm_pre_fault_memory, gpa, 0, 8);
AT(struct kvm_pre_fault_memory, size, 8, 8);
AT(struct kvm_pre_fault_memory, flags, 16, 8);

SIZE_IS(struct kvm_cpuid2, 8);
SIZE_IS(struct kvm_cpuid_entry2, 40);
SIZE_IS(struct tdx_cpuid_head, 8);
NUMBER_IS(TDX_NR_COMMANDS, 6);
SIZE_IS(struct tdx_cmd, 24);
AT(struct tdx_cmd, id, 0, 4);
AT(struct tdx_cmd, flags, 4, 4);
AT(struct tdx_cmd, data, 8, 8);
AT(struct tdx_cmd, hw_error, 16, 8);
AT(struct tdx_capabilities, supported_attrs, 0, 8);
AT(struct tdx_capabilities, supported_xfam, 8, 8);
AT(struct tdx_capabilities, kernel_tdvmcallinfo_1_r11, 16, 8);
AT(struct tdx_capabilities, reserved, 48, 2000);
AT(struct tdx_capabilities, cpuid, 2048, 8);
START(struct tdx_capabilities, entries, 2056);
AT(struct tdx_init_vm, attributes, 0, 8);
AT(struct tdx_init_vm, xfam, 8, 8);
AT(struct tdx_init_vm, mrconfigid, 16, 48);
AT(struct tdx_init_vm, mrowner, 64, 48);
AT(struct tdx_init_vm, mrownerconfig, 112, 48);
AT(struct tdx_init_vm, reserved, 160, 96);
AT(struct tdx_init_vm, cpuid, 256, 8);
START(struct tdx_init_vm, entries, 264);
SIZE_IS(struct tdx_mem_region, 24);
AT(struct tdx_mem_region, source_addr, 0, 8);
AT(struct tdx_mem_region, gpa, 8, 8);
AT(struct tdx_mem_region, nr_pages, 16, 8);

#ifndef KMC_HEADERS_LACK_TDX
#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), "size of " #theirs)
#define SAME_PLACE(ours, theirs, field)                                    \
	_Static_assert(offsetof(ours, field) == offsetof(theirs, field) && \
		       sizeof(((ours *)0)->field) == sizeof(((theirs *)0)->field), \
		       #field " in " #theirs)

NUMBER_IS((int)TDX_CAPABILITIES, (int)KVM_TDX_CAPABILITIES);
NUMBER_IS((int)TDX_INIT_VM, (int)KVM_TDX_INIT_VM);
NUMBER_IS((int)TDX_INIT_VCPU, (int)KVM_TDX_INIT_VCPU);
NUMBER_IS((int)TDX_INIT_MEM_REGION, (int)KVM_TDX_INIT_MEM_REGION);
NUMBER_IS((int)TDX_FINALIZE_VM, (int)KVM_TDX_FINALIZE_VM);
NUMBER_IS((int)TDX_GET_CPUID, (int)KVM_TDX_GET_CPUID);
NUMBER_IS(TDX_MEASURE, KVM_TDX_MEASURE_MEMORY_REGION);

SAME_SIZE(struct tdx_cmd, struct kvm_tdx_cmd);
SAME_PLACE(struct tdx_cmd, struct kvm_tdx_cmd, id);
SAME_PLACE(struct tdx_cmd, struct kvm_tdx_cmd, flags);
SAME_PLACE(struct tdx_cmd, struct kvm_tdx_cmd, data);
SAME_PLACE(struct tdx_cmd, struct kvm_tdx_cmd, hw_error);
/* Not the words behind supported_xfam: they were reserved at first. */
SAME_SIZE(struct tdx_capabilities, struct kvm_tdx_capabilities);
SAME_PLACE(struct tdx_capabilities, struct kvm_tdx_capabilities, supported_attrs);
SAME_PLACE(struct tdx_capabilities, struct kvm_tdx_capabilities, supported_xfam);
SAME_PLACE(struct tdx_capabilities, struct kvm_tdx_capabilities, cpuid);
SAME_SIZE(struct tdx_init_vm, struct kvm_tdx_init_vm);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, attributes);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, xfam);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, mrconfigid);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, mrowner);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, mrownerconfig);
SAME_PLACE(struct tdx_init_vm, struct kvm_tdx_init_vm, cpuid);
SAME_SIZE(struct tdx_mem_region, struct kvm_tdx_init_mem_region);
SAME_PLACE(struct tdx_mem_region, struct kvm_tdx_init_mem_region, source_addr);
SAME_PLACE(struct tdx_mem_region, struct kvm_tdx_init_mem_region, gpa);
SAME_PLACE(struct tdx_mem_region, struct kvm_tdx_init_mem_region, nr_pages);
#endif
