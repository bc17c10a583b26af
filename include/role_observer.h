/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks into KVM: the role word of every page it takes to build tables.
 *
 * Words come from the tracepoint kvmmmu:kvm_mmu_get_page (arch/x86/kvm/mmu/mmutrace.h), read
 * in binary from a tracing instance of this process's own; the layout of union
 * kvm_mmu_page_role from the kernel's BTF, KVM's own (/sys/kernel/btf/kvm) or the kernel
 * image's.  Shadow pages are seen when they are looked up, made (created) or found, the TDP
 * MMU's only when they are made (__kvm_mmu_get_shadow_page(), tdp_mmu_init_sp()).
 *
 * Needs root, and tracefs mounted; nothing is mounted here.  What is missing is told as a
 * reason to skip, never a failure.  The instance ("kmc-roles-PID") is removed when the
 * process ends, by exit() or by a signal; what a killed process left, the next one removes.
 */
#ifndef KMC_ROLE_OBSERVER_H
#define KMC_ROLE_OBSERVER_H

#include "host.h"
#include "page_table.h"
#include "role_layout.h"
#include "types.h"

struct role_event {
	u64 gfn;
	u32 word;       /* of the role; see struct role_layout */
	u32 root_count; /* how many vCPUs use it as a root; 0 for the TDP MMU */
	bool unsync;    /* the guest may write to its table unnoticed */
	bool created;   /* made just now; else found */
};

/* Reasons are one line, as for TEST_REQUIRE(). */
#define OBSERVER_WHY_LEN 256

/* Reads the layout from BTF.  Returns NULL, or why it could not (of this call only). */
const char *role_layout_read(struct role_layout *layout);

struct role_observer;

/*
 * Starts to observe this process: the calling thread and the threads it makes later on.  At
 * most one observer per process.  Returns NULL and a reason if that is not possible.
 */
struct role_observer *role_observer_open(char why[OBSERVER_WHY_LEN]);
void role_observer_close(struct role_observer *observer);

/*
 * Hands out the events since the last call, in order of time.  Returns NULL, or what went
 * wrong: an event that was lost, a buffer that could not be read.
 */
const char *role_observer_read(struct role_observer *observer,
			       void (*each)(const struct role_event *event, void *context),
			       void *context);

/*
 * What a role rule reads besides registers, for a vCPU outside of SMM that is no L2, on this
 * host: the module's parameters and /proc/cpuinfo.
 */
struct role_context role_context_of_host(const struct host_card *card, enum role_rules rules,
					 const struct cpu_facts *cpu);

#endif
