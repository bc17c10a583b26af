// SPDX-License-Identifier: GPL-2.0-only
/* What kind of host it is, the list of checks, and how a finding is written down. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kvm_private_memory.h"
#include "tdx_host.h"
#include "tdx_checks.h"

const struct tdx_check tdx_checks[] = {
#define TDX_ROW(function, name, expected) { name, expected, tdx_check_##function },
	TDX_CHECKS(TDX_ROW)
#undef TDX_ROW
};

const unsigned int tdx_nr_checks = ARRAY_SIZE(tdx_checks);

void tdx_found(struct tdx_finding *f, enum tdx_verdict verdict, const char *means,
	       const char *change)
{
	f->verdict = verdict;
	snprintf(f->means, sizeof(f->means), "%s", means);
	snprintf(f->change, sizeof(f->change), "%s", change);
}

void tdx_read(struct tdx_finding *f, const char *fmt, ...)
{
	size_t used = strlen(f->read);
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->read + used, sizeof(f->read) - used, fmt, args);
	va_end(args);
}

static bool msr_has(const struct tdx_host *h, enum tdx_msr which, u64 bits)
{
	return !h->msr[which].error && (h->msr[which].value & bits);
}

/*
 * A step towards TDX that somebody has made on purpose, or NULL.  TME and SGX alone are none:
 * both are used without TDX.
 */
static const char *step_made(const struct tdx_host *h)
{
	if (h->vm_types > 0 && h->vm_types >> KVM_X86_TDX_VM & 1)
		return "KVM offers the VM type TDX";
	if (h->platform_flag)
		return "the kernel says tdx_host_platform";
	if (kernel_log_first(&h->log, "BIOS enabled: private KeyID range", NULL) >= 0)
		return "the kernel found private KeyIDs at boot";
	if (msr_has(h, TDX_MSR_KEYID_PARTITIONING, BITS_ULL(63, 32)))
		return "the BIOS has set KeyIDs aside for TDX (MSR 0x87)";
	if (msr_has(h, TDX_MSR_SEAMRR_MASK, BIT_ULL(11)))
		return "the BIOS has switched SEAMRR on (MSR 0x1401)";
	if (h->tdx == YES)
		return "kvm_intel.tdx is Y";
	return NULL;
}

/* Why it can be no TDX host, or NULL. */
static const char *cannot(const struct tdx_host *h)
{
	if (strcmp(h->vendor, "GenuineIntel"))
		return "the CPU is not Intel's";
	if (h->hypervisor)
		return "it is a guest: TDX hosts run on the bare machine";
	if (!h->vmx)
		return "the CPU has no VMX, or the BIOS hides it";
	if (!h->tme)
		return "the CPU has no total memory encryption (CPUID 7 ECX bit 13)";
	if (!h->msr[TDX_MSR_MTRRCAP].error && !msr_has(h, TDX_MSR_MTRRCAP, BIT_ULL(15)))
		return "the CPU has no SEAMRR (MSR 0xfe bit 15)";
	return NULL;
}

enum tdx_host_kind tdx_host_kind(const struct tdx_host *h, char *why, size_t size)
{
	const char *step = step_made(h), *lacking = cannot(h);

	if (step) {
		snprintf(why, size, "%s", step);
		return TDX_HOST_BEGUN;
	}
	if (lacking) {
		snprintf(why, size, "%s", lacking);
		return TDX_HOST_CANNOT;
	}
	if (h->msr[TDX_MSR_MTRRCAP].error || h->msr[TDX_MSR_KEYID_PARTITIONING].error) {
		snprintf(why, size, "the MSRs that would tell cannot be read: %s",
			 strerror(h->msr[TDX_MSR_MTRRCAP].error));
		return TDX_HOST_UNKNOWN;
	}
	/* To have asked for it is a step, but only where it can lead somewhere. */
	if (h->requested) {
		snprintf(why, size, "kvm_intel.tdx=1 is on the kernel's command line");
		return TDX_HOST_BEGUN;
	}
	snprintf(why, size,
		 "the CPU can, but nothing is switched on, neither in the BIOS nor in kvm_intel");
	return TDX_HOST_UNUSED;
}
