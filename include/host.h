/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host card: what machine, kernel and KVM the results belong to.
 *
 * Everything here is read, nothing is changed, and nothing needs root; what
 * could not be read stays "unknown" / -1.  No expectation is taken from it
 * except the CPUID facts a guest is offered; known_issues predicates match
 * against it.
 */
#ifndef KMC_HOST_H
#define KMC_HOST_H

#include "types.h"

enum tristate { UNKNOWN = -1, NO = 0, YES = 1 };

struct host_card {
	char kernel[128];           /* uname -r */
	char kernel_version[256];   /* uname -v */
	char cpu_vendor[16];        /* host CPUID leaf 0, e.g. "GenuineIntel" */
	char cpu_model[64];
	char backend[32];           /* module that serves /dev/kvm: kvm_amd, kvm_intel, kvm_pvm, ... */
	char emulator[32];          /* "none", "qemu-tcg", "bochs", "kvm" (nested), other hypervisor leaf signature */
	char emulator_version[32];  /* from the lab, else "unknown" */
	enum tristate tdp;          /* two-dimensional paging (NPT / EPT) in use */
	enum tristate nested;       /* nested virtualization offered */
	enum tristate fep;          /* kvm.force_emulation_prefix */
	enum tristate tdp_mmu;
	enum tristate smaller_maxphyaddr; /* KVM_CAP_SMALLER_MAXPHYADDR */
	enum tristate tdx;          /* KVM_CAP_VM_TYPES bit 5 */
	/* From KVM_GET_SUPPORTED_CPUID: what a guest can be offered. */
	enum tristate nx, gbpages, pse36, smep, smap, pku, la57, lm;
	int maxphyaddr;             /* bits, -1 unknown */
	int numa_nodes;
	int cpus;
	char kvm_error[256];        /* why /dev/kvm cannot be used; empty if it can */
};

/*
 * A module parameter: YES for Y and for numbers above 0, NO for N and 0; UNKNOWN where the
 * kernel has no such module or parameter, it cannot be read, or the kernel decides (-1).
 */
enum tristate module_parameter(const char *module, const char *parameter);

/* The device to open: /dev/kvm, or what the environment variable KVM_DEVICE names. */
const char *kvm_device_path(void);

/* Fills *card.  Never fails: an unusable /dev/kvm leaves kvm_error set. */
void host_card_read(struct host_card *card);

#endif
