/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TD on the way from nothing to running, one stage after the other.
 *
 * Each step is a function of its own that returns 0 or errno, so that a test can take them one
 * by one, also in the wrong order; td_build() takes all up to a stage.  None ends a subtest.
 */
#ifndef KMC_TDX_TD_H
#define KMC_TDX_TD_H

#include "tdx.h"
#include "types.h"
#include "vm.h"

enum td_stage {
	TD_NOTHING,
	TD_CREATED,    /* KVM_CREATE_VM */
	TD_CAPS,       /* capabilities enabled */
	TD_VM,         /* KVM_TDX_INIT_VM */
	TD_VCPU,       /* KVM_CREATE_VCPU, KVM_SET_CPUID2 with what KVM_TDX_GET_CPUID says */
	TD_VCPU_READY, /* KVM_TDX_INIT_VCPU */
	TD_MEMORY,     /* memslot with guest_memfd, private */
	TD_LOADED,     /* KVM_TDX_INIT_MEM_REGION of the page with the reset vector */
	TD_FINAL,      /* KVM_TDX_FINALIZE_VM */
};

/* The TD's memory: 2 MBytes below 4 GiB; the last page has the reset vector. */
#define TD_RAM_SIZE 0x200000ull
#define TD_RAM_GPA (0x100000000ull - TD_RAM_SIZE)
#define TD_RESET_PAGE 0xfffff000ull

struct td {
	unsigned int gpaw;
	enum td_stage stage;
	int kvm_fd, memfd; /* -1: not open */
	struct vm vm;      /* fd -1: none; only its fds are used */
	struct vcpu vcpu;  /* fd -1: none */
	struct tdx_capabilities *caps;
	struct kvm_cpuid2 *cpuid; /* what KVM_TDX_GET_CPUID said */
	void *shared;             /* the memslot's shared side, TD_RAM_SIZE */
	u8 *source;               /* one page: what is loaded into TD_RESET_PAGE */
	/* Of the step that failed last. */
	const char *step; /* "KVM_TDX_INIT_VM" */
	u64 hw_error;
};

/* Opens KVM and prepares *td for steps. */
int td_start(struct td *td, unsigned int gpaw);
/* Closes and frees all there is, in any stage. */
void td_free(struct td *td);
/* The steps to this stage; on failure td->step says which one. */
int td_build(struct td *td, enum td_stage stage);

/* "vm", "loaded": for names of cases. */
const char *td_stage_name(enum td_stage stage);

/* The step to TD_MEMORY, also ahead of its turn: KVM does not mind when after KVM_TDX_INIT_VM. */
int td_add_memory(struct td *td);

/* Single calls, which change nothing in *td but by what KVM hands out. */
int td_init_vm(struct td *td);
int td_get_cpuid(struct td *td, u32 nent, struct kvm_cpuid2 **cpuid);
int td_init_mem_region(struct td *td, struct tdx_mem_region *region, u32 flags);
int td_pre_fault(struct td *td, struct kvm_pre_fault_memory *range);
int td_set_slot(struct td *td, u32 slot, gpa_t gpa, u64 size, void *memory, int memfd);

#endif
