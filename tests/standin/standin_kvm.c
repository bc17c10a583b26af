// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM of a TDX host as its documentation and source say it answers (6.16-7.3), played at the
 * ioctl seam: no TD comes of it.  Written from the same documents as the test, so it proves what the
 * test makes of answers, and nothing about KVM.
 *
 * Deviations, one at a time (deviation=NAME): mistakes in KVM that the test must find.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "standin.h"
#include "tdx.h"

#define PAGE 0x1000ull

static int deviates_to(const char *name, int wrong, int right)
{
	return standin_deviates(name) ? wrong : right;
}

/* What the environment wants this step to answer: an errno, or 0. */
static int scripted(const char *step, struct tdx_cmd *cmd)
{
	char value[128], name[64];
	unsigned long long hw_error = 0;
	int error = 0;

	if (!standin_setting("fail", value, sizeof(value)) ||
	    sscanf(value, "%63[^:]:%d:%llx", name, &error, &hw_error) < 2 || strcmp(name, step))
		return 0;
	if (cmd)
		cmd->hw_error = hw_error;
	return error;
}

/* Addresses that this process has not: as far as the test uses them. */
static bool bad(const void *pointer)
{
	return (uintptr_t)pointer < PAGE;
}

static u64 shared_bit(const struct standin_object *vm)
{
	unsigned int gpaw = vm->gpaw;

	if (vm->type != KVM_X86_TDX_VM ||
	    (!vm->initialized && !standin_deviates("slot-limit-early")))
		return 0;
	if (standin_deviates("slot-limit-stays") || !gpaw)
		gpaw = 48;
	return standin_deviates("no-slot-limit") ? 0 : 1ull << (gpaw - 1);
}

/*
 * KVM_MEMORY_ENCRYPT_OP of a VM
 */
static const struct kvm_cpuid_entry2 configurable[] = {
	{ .function = 1, .eax = 0x0fff3fff, .ebx = 0x00ff0000, .ecx = 0x6b0 },
	{ .function = 7, .ebx = 0xd00810, .ecx = 0x20, .edx = 0x10 },
	{ .function = 7, .index = 1, .eax = 0x10 },
	{ .function = 0x80000008, .eax = 0x00ff0000 },
};

static int capabilities(struct tdx_cmd *cmd)
{
	struct tdx_capabilities *caps = (void *)(uintptr_t)cmd->data;
	char abi[32];

	if (standin_setting("abi", abi, sizeof(abi)) && !strcmp(abi, "other"))
		return ENOTTY;
	if (cmd->flags)
		return EINVAL;
	if (bad(caps))
		return EFAULT;
	if (caps->cpuid.nent < ARRAY_SIZE(configurable))
		return E2BIG;
	memset(caps, 0, sizeof(*caps));
	caps->supported_attrs = TDX_ATTR_SEPT_VE_DISABLE;
	caps->supported_xfam = 0x602e7;
	if (!standin_setting("abi", abi, sizeof(abi)) || strcmp(abi, "616rc"))
		caps->user_tdvmcallinfo_1_r11 = 2;
	caps->cpuid.nent = ARRAY_SIZE(configurable);
	memcpy(caps->entries, configurable, sizeof(configurable));
	return 0;
}

static bool is_configurable(const struct kvm_cpuid_entry2 *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(configurable); i++)
		if (configurable[i].function == entry->function &&
		    configurable[i].index == entry->index)
			return true;
	return false;
}

static int check_init_vm(const struct tdx_init_vm *init, unsigned int *gpaw)
{
	u32 i;

	if (init->cpuid.nent > TDX_MAX_CPUID_ENTRIES)
		return deviates_to("nent-ignored", EINVAL, E2BIG);
	for (i = 0; i < ARRAY_SIZE(init->reserved); i++)
		if (init->reserved[i] && !standin_deviates("reserved-ignored"))
			return EINVAL;
	if (init->cpuid.padding || init->attributes & ~TDX_ATTR_SEPT_VE_DISABLE || init->xfam >> 63)
		return EINVAL;
	for (i = 0; i < init->cpuid.nent; i++) {
		if (init->entries[i].function == TDX_GPAW_LEAF)
			*gpaw = init->entries[i].eax >> TDX_GPAW_SHIFT & 0xff;
		/* Of a function that has subleaves KVM takes the first one without this flag. */
		if (init->entries[i].index &&
		    !(init->entries[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX))
			return EINVAL;
		if (!is_configurable(&init->entries[i]) && !standin_deviates("any-leaf"))
			return EINVAL;
	}
	if (*gpaw != 48 && *gpaw != 52 && !standin_deviates("any-gpaw"))
		return EINVAL;
	return *gpaw == 52 && !standin_number("ept5", 1) ? EINVAL : 0;
}

static int init_vm(struct standin_object *vm, struct tdx_cmd *cmd)
{
	const struct tdx_init_vm *init = (void *)(uintptr_t)cmd->data;
	unsigned int gpaw = 0;
	char abi[32];
	int err;

	if (vm->initialized)
		return deviates_to("init-vm-twice", 0, EINVAL);
	if (cmd->flags)
		return EINVAL;
	if (standin_setting("abi", abi, sizeof(abi)) && !strcmp(abi, "caps-first") && !vm->caps)
		return EINVAL;
	if (bad(init))
		return EFAULT;
	err = check_init_vm(init, &gpaw);
	if (!err)
		err = scripted("KVM_TDX_INIT_VM", cmd);
	if (err)
		return err;
	vm->initialized = true;
	vm->gpaw = gpaw;
	return 0;
}

static int finalize(struct standin_object *vm, struct tdx_cmd *cmd)
{
	if (!vm->initialized)
		return deviates_to("finalize-early", 0, EINVAL);
	if (vm->final)
		return deviates_to("finalize-twice", 0, EINVAL);
	vm->final = true;
	return scripted("KVM_TDX_FINALIZE_VM", cmd);
}

static int vm_command(struct standin_object *vm, struct tdx_cmd *cmd)
{
	int err;

	if (vm->type != KVM_X86_TDX_VM)
		return deviates_to("normal-vm-commands", 0, ENOTTY);
	if (bad(cmd))
		return EFAULT;
	if (cmd->hw_error && !standin_deviates("hw-error-ignored"))
		return EINVAL;
	switch (cmd->id) {
	case TDX_CAPABILITIES:
		err = scripted("KVM_TDX_CAPABILITIES", cmd);
		return err ?: capabilities(cmd);
	case TDX_INIT_VM:
		return init_vm(vm, cmd);
	case TDX_FINALIZE_VM:
		return finalize(vm, cmd);
	}
	return deviates_to("unknown-command", ENOTTY, EINVAL);
}

/*
 * KVM_MEMORY_ENCRYPT_OP of a vCPU
 */
static int get_cpuid(struct standin_object *vm, struct tdx_cmd *cmd)
{
	struct kvm_cpuid2 *cpuid = (void *)(uintptr_t)cmd->data;
	unsigned int gpaw = standin_deviates("gpaw-lost") ? 0 : vm->gpaw;
	u32 room;

	if (bad(cpuid))
		return EFAULT;
	room = cpuid->nent;
	cpuid->nent = ARRAY_SIZE(configurable);
	if (room < ARRAY_SIZE(configurable))
		return E2BIG;
	memcpy(cpuid->entries, configurable, sizeof(configurable));
	cpuid->entries[ARRAY_SIZE(configurable) - 1].eax = gpaw << TDX_GPAW_SHIFT | 52;
	return scripted("KVM_TDX_GET_CPUID", NULL);
}

static bool in_ram(const struct standin_object *vm, u64 gpa)
{
	size_t i;

	for (i = 0; i < STANDIN_SLOTS; i++)
		if (vm->slot[i].used && gpa >= vm->slot[i].gpa &&
		    gpa - vm->slot[i].gpa < vm->slot[i].size)
			return true;
	return false;
}

static int check_region(const struct standin_object *vm, const struct tdx_mem_region *r)
{
	u64 end = r->gpa + (r->nr_pages << 12), bit = 1ull << (vm->gpaw - 1);

	if (r->source_addr % PAGE || r->gpa % PAGE || !r->nr_pages || end <= r->gpa)
		return EINVAL;
	if ((r->gpa | (end - 1)) & bit && !standin_deviates("region-shared"))
		return EINVAL;
	return r->source_addr && in_ram(vm, r->gpa & ~bit) ? 0 : EINVAL;
}

static int init_mem_region(struct standin_object *vm, struct tdx_cmd *cmd)
{
	struct tdx_mem_region *r = (void *)(uintptr_t)cmd->data;
	int err;

	if (cmd->flags & ~TDX_MEASURE)
		return EINVAL;
	if (bad(r))
		return EFAULT;
	err = check_region(vm, r);
	if (!err && standin_deviates("no-memory-on-node-1") && standin_policy & 2)
		err = EIO;
	if (!err)
		err = scripted("KVM_TDX_INIT_MEM_REGION", cmd);
	if (err || standin_deviates("region-not-moved"))
		return err;
	r->source_addr += r->nr_pages << 12;
	r->gpa += r->nr_pages << 12;
	r->nr_pages = 0;
	return 0;
}

static int init_vcpu(struct standin_object *vcpu, struct tdx_cmd *cmd)
{
	if (cmd->flags)
		return EINVAL;
	if (vcpu->vcpu_initialized)
		return deviates_to("init-vcpu-twice", 0, EINVAL);
	vcpu->vcpu_initialized = true;
	return scripted("KVM_TDX_INIT_VCPU", cmd);
}

static int vcpu_command(struct standin_object *vcpu, struct tdx_cmd *cmd)
{
	struct standin_object *vm = &standin_objects[vcpu->vm];

	if (vm->type != KVM_X86_TDX_VM)
		return EINVAL;
	if (vm->final && !standin_deviates("vcpu-commands-late"))
		return EINVAL;
	if (bad(cmd))
		return EFAULT;
	if (cmd->hw_error)
		return EINVAL;
	switch (cmd->id) {
	case TDX_GET_CPUID:
		return get_cpuid(vm, cmd);
	case TDX_INIT_VCPU:
		return init_vcpu(vcpu, cmd);
	case TDX_INIT_MEM_REGION:
		return vcpu->vcpu_initialized || standin_deviates("region-early") ?
			       init_mem_region(vm, cmd) :
			       EINVAL;
	}
	return EINVAL;
}

/*
 * Other ioctls: they return errno, or fds as negative numbers less 1
 */
static int fd_answer(int fd)
{
	return fd < 0 ? errno : -1 - fd;
}

static int set_slot(struct standin_object *vm, u32 id, u64 gpa, u64 size)
{
	u64 bit = shared_bit(vm);

	if (id >= STANDIN_SLOTS)
		return EINVAL;
	if (size && bit && (gpa + size - 1) & bit)
		return EINVAL;
	vm->slot[id] = (struct standin_slot){ .used = size, .gpa = gpa, .size = size };
	return 0;
}

static int pre_fault(struct standin_object *vcpu, struct kvm_pre_fault_memory *range)
{
	struct standin_object *vm = &standin_objects[vcpu->vm];
	bool td = vm->type == KVM_X86_TDX_VM;
	u64 full = range->size;

	if (range->flags || range->gpa % PAGE || range->size % PAGE ||
	    range->gpa + range->size <= range->gpa)
		return EINVAL;
	if (td && !vm->final && !standin_deviates("pre-fault-early"))
		return EOPNOTSUPP;
	if (td && range->gpa & 1ull << (vm->gpaw - 1))
		return deviates_to("pre-fault-shared", 0, EINVAL);
	while (range->size && in_ram(vm, range->gpa)) {
		range->gpa += PAGE;
		range->size -= PAGE;
	}
	return range->size == full ? ENOENT : 0;
}

static int create_vcpu(int vm_fd)
{
	struct standin_object *vm = &standin_objects[vm_fd];
	int err = scripted("KVM_CREATE_VCPU", NULL), fd;

	if (err)
		return err;
	if (vm->type == KVM_X86_TDX_VM) {
		if (!vm->initialized && !standin_deviates("vcpu-early"))
			return EIO;
		if (vm->final)
			return EIO;
		if (!vm->caps)
			return deviates_to("no-irqchip", 0, EINVAL);
	}
	fd = standin_open(STANDIN_VCPU);
	if (fd >= 0)
		standin_objects[fd].vm = vm_fd;
	return fd_answer(fd);
}

static int run(struct standin_object *vcpu)
{
	struct standin_object *vm = &standin_objects[vcpu->vm];
	struct kvm_run *r = vcpu->run;

	if (vm->type != KVM_X86_TDX_VM)
		return EIO;
	if ((!vcpu->vcpu_initialized || !vm->final) && !standin_deviates("run-early"))
		return EINVAL;
	r->exit_reason = standin_deviates("wrong-exit") ? KVM_EXIT_HLT : KVM_EXIT_SHUTDOWN;
	return scripted("KVM_RUN", NULL);
}

static int check_extension(long cap)
{
	switch (cap) {
	case KVM_CAP_VM_TYPES:
		return -1 - (int)standin_number("vm_types", 0x21);
	case KVM_CAP_PRE_FAULT_MEMORY:
		return -2;
	}
	return -1;
}

static int supported_cpuid(struct kvm_cpuid2 *cpuid)
{
	memcpy(cpuid->entries, configurable, sizeof(configurable));
	cpuid->nent = ARRAY_SIZE(configurable);
	return scripted("KVM_GET_SUPPORTED_CPUID", NULL);
}

static int kvm_ioctl(unsigned long request, void *arg)
{
	unsigned long type = (unsigned long)arg;
	int fd, err;

	switch (request) {
	case KVM_GET_API_VERSION:
		return -1 - 12;
	case KVM_CHECK_EXTENSION:
		return check_extension((long)arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return scripted("KVM_GET_VCPU_MMAP_SIZE", NULL) ?: -1 - STANDIN_RUN_SIZE;
	case KVM_GET_SUPPORTED_CPUID:
		return supported_cpuid(arg);
	case KVM_CREATE_VM:
		if (type >= 32 || !((standin_number("vm_types", 0x21) | 1) >> type & 1))
			return standin_deviates("any-vm-type") ?
				       fd_answer(standin_open(STANDIN_VM)) :
				       EINVAL;
		err = type ? scripted("KVM_CREATE_VM", NULL) : 0;
		if (err)
			return err;
		fd = standin_open(STANDIN_VM);
		if (fd >= 0)
			standin_objects[fd].type = type;
		return fd_answer(fd);
	}
	return EINVAL;
}

static int vm_ioctl(int fd, unsigned long request, void *arg)
{
	const struct kvm_userspace_memory_region *old = arg;
	const struct kvm_userspace_memory_region2 *new = arg;
	struct standin_object *vm = &standin_objects[fd];

	switch (request) {
	case KVM_CHECK_EXTENSION:
		return check_extension((long)arg);
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR:
		return 0;
	case KVM_ENABLE_CAP:
		vm->caps = true;
		return scripted("KVM_ENABLE_CAP", NULL);
	case KVM_CREATE_VCPU:
		return create_vcpu(fd);
	case KVM_SET_USER_MEMORY_REGION:
		return set_slot(vm, old->slot, old->guest_phys_addr, old->memory_size);
	case KVM_SET_USER_MEMORY_REGION2:
		return scripted("KVM_SET_USER_MEMORY_REGION2", NULL) ?:
			       set_slot(vm, new->slot, new->guest_phys_addr, new->memory_size);
	case KVM_CREATE_GUEST_MEMFD:
		return scripted("KVM_CREATE_GUEST_MEMFD", NULL) ?:
			       fd_answer(standin_open(STANDIN_MEMFD));
	case KVM_SET_MEMORY_ATTRIBUTES:
		return vm->type == KVM_X86_TDX_VM ? scripted("KVM_SET_MEMORY_ATTRIBUTES", NULL) :
						    ENOTTY;
	case KVM_MEMORY_ENCRYPT_OP:
		return vm_command(vm, arg);
	}
	return ENOTTY;
}

static int vcpu_ioctl(int fd, unsigned long request, void *arg)
{
	struct standin_object *vcpu = &standin_objects[fd];

	switch (request) {
	case KVM_SET_CPUID2:
		return scripted("KVM_SET_CPUID2", NULL);
	case KVM_PRE_FAULT_MEMORY:
		return pre_fault(vcpu, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return vcpu_command(vcpu, arg);
	case KVM_RUN:
		return run(vcpu);
	}
	return EINVAL;
}

int standin_ioctl(int fd, unsigned long request, void *arg)
{
	int answer;

	if (request != KVM_CHECK_EXTENSION)
		standin_only_reads("an ioctl that does more than ask");
	switch (standin_objects[fd].kind) {
	case STANDIN_KVM:
		answer = kvm_ioctl(request, arg);
		break;
	case STANDIN_VM:
		answer = vm_ioctl(fd, request, arg);
		break;
	case STANDIN_VCPU:
		answer = vcpu_ioctl(fd, request, arg);
		break;
	default:
		answer = ENOTTY;
	}
	if (answer < 0)
		return -1 - answer;
	if (!answer)
		return 0;
	errno = answer;
	return -1;
}
