/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this host set up for TDX?  What can be read without changing anything, and what it means.
 *
 * tdx_host_read() collects facts; a check looks at them and finds something, in the order in
 * which the steps of setting a host up depend on each other.  The checks read nothing
 * themselves.  Sources: Documentation/arch/x86/tdx.rst, arch/x86/virt/vmx/tdx/tdx.c and
 * arch/x86/kvm/vmx/tdx.c (6.16-7.3) for what the kernel asks for and logs; Intel SDM volume 4 and
 * the TDX CPU Architectural Extensions Specification for CPUID and MSRs.
 */
#ifndef KMC_TDX_HOST_H
#define KMC_TDX_HOST_H

#include "host.h"
#include "kernel_log.h"
#include "types.h"

enum tdx_msr {
	TDX_MSR_KEYID_PARTITIONING, /* 0x87: 31:0 MKTME KeyIDs, 63:32 TDX KeyIDs */
	TDX_MSR_FEATURE_CONTROL,    /* 0x3a: bit 18 SGX */
	TDX_MSR_MCHECK,             /* 0xa0: bit 0: MCHECK refused SGX and TDX */
	TDX_MSR_PLATFORM_INFO,      /* 0xce: bit 27: production part */
	TDX_MSR_MTRRCAP,            /* 0xfe: bit 15: has SEAMRR, so can do TDX */
	TDX_MSR_TME_CAPABILITY,     /* 0x981: 50:36 most KeyIDs */
	TDX_MSR_TME_ACTIVATE,       /* 0x982: bit 0 locked, bit 1 enabled */
	TDX_MSR_SEAMRR_BASE,        /* 0x1400 */
	TDX_MSR_SEAMRR_MASK,        /* 0x1401: bit 10 locked, bit 11 enabled */
	TDX_NR_MSRS,
};

struct tdx_msr_value {
	u32 number;
	int error; /* errno; 0: read on every online CPU */
	u64 value; /* of the first online CPU */
	bool differs; /* in a bit that a check looks at */
	unsigned int other_cpu;
	u64 other_value;
};

#define TDX_MAX_NODES 64
#define TDX_MAX_PACKAGES 64

struct tdx_node {
	unsigned int id;
	long long bytes; /* of memory; -1 unknown */
	unsigned int online_cpus;
	unsigned int offline_blocks; /* of memory */
};

struct tdx_host {
	/* CPUID, /proc/cpuinfo, kernel command line */
	char vendor[13];
	u32 family, model;
	bool vmx, tme, movdir64b, self_snoop, hypervisor;
	bool cpuinfo, platform_flag, ept_5level, pw_mce_bug;
	bool requested; /* kvm_intel.tdx=1 on the command line */
	/* MSRs */
	struct tdx_msr_value msr[TDX_NR_MSRS];
	struct kernel_log log;
	/* Parameters of kvm_intel and kvm */
	bool kvm_intel; /* is there such a module */
	enum tristate tdx, ept, ept_ad, apicv, tdp_mmu, mmio_caching;
	/* KVM */
	char kvm_error[256]; /* /dev/kvm cannot be used; empty if it can */
	int vm_types;        /* KVM_CAP_VM_TYPES; -1: could not be asked */
	/* CPUs, memory, KeyIDs */
	unsigned int present_cpus, online_cpus, nr_packages;
	int package[TDX_MAX_PACKAGES]; /* ids of those with an online CPU */
	unsigned int nr_nodes;
	struct tdx_node node[TDX_MAX_NODES];
	long long keyids, keyids_used; /* misc cgroup's root; -1 unknown */
	long long cgroup_max, cgroup_used; /* this process's cgroup; -1 no limit */
};

/* What kind of host it is, from all there is to see. */
enum tdx_host_kind {
	TDX_HOST_CANNOT,  /* not a TDX host, and cannot be one */
	TDX_HOST_UNKNOWN, /* what would tell cannot be read */
	TDX_HOST_UNUSED,  /* the CPU can; nobody has switched anything on */
	TDX_HOST_BEGUN,   /* a TDX host, rightly or wrongly set up */
};

enum tdx_verdict {
	TDX_GOOD,
	TDX_BAD,
	TDX_CANNOT_TELL, /* something could not be read */
	TDX_LATER,       /* an earlier step has to be right first */
};

struct tdx_finding {
	enum tdx_verdict verdict;
	char read[512];   /* what was read */
	char means[640];  /* what that means */
	char change[512]; /* what to change; empty if nothing */
};

struct tdx_check {
	const char *name;     /* "msr/tme" */
	const char *expected; /* one line */
	void (*find)(const struct tdx_host *host, struct tdx_finding *finding);
};

extern const struct tdx_check tdx_checks[];
extern const unsigned int tdx_nr_checks;

void tdx_host_read(struct tdx_host *host);
void tdx_host_free(struct tdx_host *host);
/* The kind; why: the evidence, one line. */
enum tdx_host_kind tdx_host_kind(const struct tdx_host *host, char *why, size_t size);

/*
 * An errno of KVM_TDX_CAPABILITIES, KVM_TDX_INIT_VM or KVM_CREATE_VM with this GPAW (0: none) and
 * hw_error on this host; false if nothing is known of it.
 */
bool tdx_explain(const struct tdx_host *host, const char *step, int error, unsigned int gpaw,
		 u64 hw_error, struct tdx_finding *finding);

/* Fills in a finding; for the files that hold checks. */
void tdx_found(struct tdx_finding *finding, enum tdx_verdict verdict, const char *means,
	       const char *change);
void tdx_read(struct tdx_finding *finding, const char *fmt, ...)
	__printf(2, 3);

#endif
