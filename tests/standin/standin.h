/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stand-in for a TDX host, linked into a test of x86/ by the suite's own tests.
 *
 * The linker's --wrap puts it between the test and the C library: files of /proc, /sys and /dev
 * come from the folder STANDIN_ROOT, CPUID from its file "played/cpuid", and /dev/kvm is played by
 * standin_kvm.c, as the environment variable STANDIN says:
 *
 *   vm_types=N        KVM_CAP_VM_TYPES (0x21)
 *   ept5=0            no 5-level EPT: GPAW 52 is refused
 *   abi=NAME          616rc: without tdvmcallinfo; caps-first: KVM_TDX_INIT_VM only after KVM_ENABLE_CAP;
 *                     other: KVM_TDX_CAPABILITIES is unknown
 *   fail=STEP:ERRNO[:HW_ERROR]  this ioctl fails so, every time
 *   deviation=NAME    a mistake in KVM, see standin_kvm.c
 *   no_kvm=ERRNO      /dev/kvm cannot be opened
 *   reads=1           a test that does more than read is ended, with exit code 98
 *
 * At the end it looks for what the test has left open, says so, and ends with exit code 99.
 */
#ifndef KMC_STANDIN_H
#define KMC_STANDIN_H

#include "types.h"

enum standin_kind {
	STANDIN_NONE,
	STANDIN_KVM,
	STANDIN_VM,
	STANDIN_VCPU,
	STANDIN_MEMFD,
	STANDIN_MSR
};

#define STANDIN_SLOTS 8
#define STANDIN_MAX_FD 512
#define STANDIN_RUN_SIZE 12288

struct standin_slot {
	bool used;
	u64 gpa, size;
};

struct standin_object {
	enum standin_kind kind;
	void *run; /* of a vCPU: mapped here */
	/* VM */
	unsigned long type;
	bool caps, initialized, final;
	unsigned int gpaw;
	struct standin_slot slot[STANDIN_SLOTS];
	/* vCPU */
	int vm; /* its fd */
	bool vcpu_initialized;
};

extern struct standin_object standin_objects[STANDIN_MAX_FD];

/* A setting's value, NULL if it is not set. */
const char *standin_setting(const char *name, char *value, size_t size);
u64 standin_number(const char *name, u64 otherwise);
bool standin_deviates(const char *name);
/* Ends the test where it may only read. */
void standin_only_reads(const char *what);
/* The nodes that memory is to come from. */
extern unsigned long standin_policy;

/* A new descriptor for an object; -1 with errno. */
int standin_open(enum standin_kind kind);
int standin_ioctl(int fd, unsigned long request, void *arg);

#endif
