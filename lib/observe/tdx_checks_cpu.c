// SPDX-License-Identifier: GPL-2.0-only
/* Checks of CPU, BIOS and what the kernel found at boot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdx_host.h"
#include "tdx_checks.h"

#define BIOS_TME "BIOS: switch on Total Memory Encryption (TME)"
#define BIOS_TDX                                                                                       \
	"BIOS: switch on TME, TME-MT, TDX and the TDX SEAM loader, and give \"TME-MT/TDX key split\" " \
	"a value other than 0"

void tdx_check_cpu_vmx(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "CPUID: %s, family %u model %#x, VMX %s, hypervisor bit %d", h->vendor,
		 h->family, h->model, h->vmx ? "yes" : "no", h->hypervisor);
	if (strcmp(h->vendor, "GenuineIntel"))
		tdx_found(f, TDX_BAD, "TDX is a technology of Intel's CPUs", "another machine");
	else if (h->hypervisor)
		tdx_found(f, TDX_BAD, "this is a guest of a hypervisor, which does not pass TDX on",
			  "run on the bare machine");
	else if (!h->vmx)
		tdx_found(f, TDX_BAD, "no VMX",
			  "BIOS: switch on Intel Virtualization Technology (VT-x)");
	else
		tdx_found(f, TDX_GOOD, "the vendor and the virtualization that TDX builds on", "");
}

void tdx_check_cpu_tme(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "CPUID(7).ECX[13] = %d", h->tme);
	if (h->tme)
		tdx_found(f, TDX_GOOD, "the CPU can encrypt memory", "");
	else
		tdx_found(
			f, TDX_BAD, "the CPU has no TME, or the BIOS hides it",
			"a CPU with TDX (4th generation Xeon with TDX enabled, 5th and later); " BIOS_TME);
}

void tdx_check_cpu_instructions(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "MOVDIR64B %d, self-snoop %d", h->movdir64b, h->self_snoop);
	if (h->movdir64b && h->self_snoop)
		tdx_found(f, TDX_GOOD, "what the kernel needs to take private memory back", "");
	else
		tdx_found(f, TDX_BAD, "KVM refuses TDX without MOVDIR64B and self-snoop",
			  "remove clearcpuid= from the kernel's command line");
}

void tdx_check_cpu_ept(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "\"vmx flags\" of /proc/cpuinfo: ept_5level %s", h->ept_5level ? "yes" : "no");
	if (!h->cpuinfo)
		tdx_found(f, TDX_CANNOT_TELL, "/proc/cpuinfo cannot be read", "");
	else if (h->ept_5level)
		tdx_found(f, TDX_GOOD, "TDs may have GPAW 48 (shared bit 47) or 52 (shared bit 51)",
			  "");
	else
		tdx_found(f, TDX_GOOD,
			  "TDs may have GPAW 48 only: KVM_TDX_INIT_VM answers EINVAL to GPAW 52",
			  "");
}

/*
 * MSRs
 */

/* Writes down an MSR.  False, with the finding made, if it cannot be read or CPUs differ. */
static bool msr(const struct tdx_host *h, enum tdx_msr which, struct tdx_finding *f)
{
	const struct tdx_msr_value *m = &h->msr[which];

	if (m->error == EIO) {
		tdx_read(f, "MSR %#x: the CPU has no such MSR", m->number);
		tdx_found(f, TDX_BAD, "a CPU with TDX switched on has this MSR", BIOS_TDX);
		return false;
	}
	if (m->error) {
		tdx_read(f, "MSR %#x: %s", m->number, strerror(m->error));
		tdx_found(f, TDX_CANNOT_TELL, "the MSR cannot be read",
			  "modprobe msr, and run as root");
		return false;
	}
	tdx_read(f, "MSR %#x = %#llx", m->number, (unsigned long long)m->value);
	if (!m->differs)
		return true;
	tdx_read(f, " on the first CPU, %#llx on CPU %u", (unsigned long long)m->other_value,
		 m->other_cpu);
	tdx_found(
		f, TDX_BAD, "CPUs differ where they must not",
		"a BIOS error: update the BIOS; each socket needs the same settings and CPU stepping");
	return false;
}

void tdx_check_msr_readable(const struct tdx_host *h, struct tdx_finding *f)
{
	int error = h->msr[TDX_MSR_MTRRCAP].error;

	tdx_read(f, "/dev/cpu/*/msr of %u CPUs: %s", h->online_cpus,
		 error ? strerror(error) : "read");
	if (!error)
		tdx_found(f, TDX_GOOD, "what the BIOS has set up can be seen", "");
	else
		tdx_found(
			f, TDX_CANNOT_TELL,
			"what the BIOS has set up cannot be seen; the checks below fall back on the kernel's words",
			"modprobe msr, and run as root; under Secure Boot, kernel lockdown may forbid it");
}

void tdx_check_msr_seamrr_capable(const struct tdx_host *h, struct tdx_finding *f)
{
	if (!msr(h, TDX_MSR_MTRRCAP, f))
		return;
	if (h->msr[TDX_MSR_MTRRCAP].value & BIT_ULL(15))
		tdx_found(f, TDX_GOOD, "the CPU has SEAM range registers: it can do TDX", "");
	else
		tdx_found(f, TDX_BAD, "the CPU has no SEAM range registers: it cannot do TDX",
			  "a CPU with TDX; some 4th generation Xeons have it fused off");
}

void tdx_check_msr_tme(const struct tdx_host *h, struct tdx_finding *f)
{
	u64 value;

	if (!msr(h, TDX_MSR_TME_ACTIVATE, f))
		return;
	value = h->msr[TDX_MSR_TME_ACTIVATE].value;
	if (!(value & BIT_ULL(1)))
		tdx_found(f, TDX_BAD, "memory encryption is off", BIOS_TME);
	else if (!(value & BIT_ULL(0)))
		tdx_found(f, TDX_BAD, "memory encryption is not locked: the BIOS did not finish",
			  "update the BIOS");
	else
		tdx_found(f, TDX_GOOD, "memory is encrypted", "");
}

void tdx_check_msr_key_split(const struct tdx_host *h, struct tdx_finding *f)
{
	u64 split, most;
	u32 mktme, tdx;

	if (!msr(h, TDX_MSR_KEYID_PARTITIONING, f))
		return;
	split = h->msr[TDX_MSR_KEYID_PARTITIONING].value;
	mktme = split;
	tdx = split >> 32;
	tdx_read(f, ": %u KeyIDs for TME-MT, %u for TDX", mktme, tdx);
	if (!h->msr[TDX_MSR_TME_CAPABILITY].error) {
		most = h->msr[TDX_MSR_TME_CAPABILITY].value >> 36 & 0x7fff;
		tdx_read(f, " of %llu (MSR 0x981)", (unsigned long long)most);
		if (mktme + (u64)tdx > most) {
			tdx_found(f, TDX_BAD, "more KeyIDs than the CPU has", "update the BIOS");
			return;
		}
	}
	if (!tdx)
		tdx_found(f, TDX_BAD, "the BIOS has set no KeyID aside for TDX", BIOS_TDX);
	else if (tdx < 2)
		tdx_found(f, TDX_BAD,
			  "the TDX module takes one KeyID for itself, none is left for TDs",
			  "BIOS: a greater \"TME-MT/TDX key split\"");
	else
		tdx_found(f, TDX_GOOD,
			  "one KeyID is the TDX module's, each of the others can be a TD's", "");
}

void tdx_check_msr_seamrr(const struct tdx_host *h, struct tdx_finding *f)
{
	u64 mask;

	if (!msr(h, TDX_MSR_SEAMRR_MASK, f))
		return;
	mask = h->msr[TDX_MSR_SEAMRR_MASK].value;
	if (!h->msr[TDX_MSR_SEAMRR_BASE].error)
		tdx_read(f, ", base MSR 0x1400 = %#llx",
			 (unsigned long long)h->msr[TDX_MSR_SEAMRR_BASE].value);
	if (!(mask & BIT_ULL(11)))
		tdx_found(f, TDX_BAD, "there is no memory for the TDX module: SEAMRR is off",
			  "BIOS: switch on TDX and the TDX SEAM loader");
	else if (!(mask & BIT_ULL(10)))
		tdx_found(f, TDX_BAD, "SEAMRR is not locked: the BIOS did not finish",
			  "update the BIOS");
	else
		tdx_found(f, TDX_GOOD, "the memory for the TDX module is set up", "");
}

void tdx_check_msr_mcheck(const struct tdx_host *h, struct tdx_finding *f)
{
	if (!msr(h, TDX_MSR_MCHECK, f))
		return;
	if (!h->msr[TDX_MSR_MCHECK].value)
		tdx_found(f, TDX_GOOD, "MCHECK accepted the platform's configuration", "");
	else
		tdx_found(
			f, TDX_BAD, "MCHECK refused the platform's configuration for SGX and TDX",
			"memory: all channels populated alike, no mirroring or address-based features that TDX excludes; then update BIOS and microcode");
}

void tdx_check_msr_sgx(const struct tdx_host *h, struct tdx_finding *f)
{
	u64 value;

	if (!msr(h, TDX_MSR_FEATURE_CONTROL, f))
		return;
	value = h->msr[TDX_MSR_FEATURE_CONTROL].value;
	if (value & BIT_ULL(18))
		tdx_found(f, TDX_GOOD, "SGX is on: TDs can be attested", "");
	else
		tdx_found(f, TDX_BAD, "SGX is off; BIOSes offer TDX with it, and quotes need it",
			  "BIOS: switch on SGX; memory integrity off");
}

void tdx_check_msr_production(const struct tdx_host *h, struct tdx_finding *f)
{
	if (!msr(h, TDX_MSR_PLATFORM_INFO, f))
		return;
	if (h->msr[TDX_MSR_PLATFORM_INFO].value & BIT_ULL(27))
		tdx_found(f, TDX_GOOD, "a production part", "");
	else
		tdx_found(
			f, TDX_GOOD,
			"a pre-production part: it needs a TDX module signed for such, and nobody can attest it",
			"");
}

/*
 * What the kernel said at boot
 */

/* A line of the log into the finding; false if there is none. */
static bool said(const struct tdx_host *h, struct tdx_finding *f, const char *text,
		 const char *and_text)
{
	int line = kernel_log_last(&h->log, text, and_text);

	if (line >= 0)
		tdx_read(f, "log: %s", h->log.line[line]);
	return line >= 0;
}

/* Nothing was found in the log: is that the kernel's silence, or could it not be heard? */
static bool silence(const struct tdx_host *h, struct tdx_finding *f)
{
	if (h->log.error) {
		tdx_read(f, "/dev/kmsg: %s", strerror(h->log.error));
		tdx_found(f, TDX_CANNOT_TELL, "the kernel's log cannot be read", "run as root");
		return false;
	}
	if (!h->log.complete) {
		tdx_read(f, "log: nothing, but its beginning has been overwritten");
		tdx_found(f, TDX_CANNOT_TELL,
			  "what the kernel said at boot is no longer in its buffer",
			  "reboot, or look for \"tdx\" in journalctl -k -b");
		return false;
	}
	tdx_read(f, "log: nothing, from boot on");
	return true;
}

void tdx_check_log_tme(const struct tdx_host *h, struct tdx_finding *f)
{
	if (said(h, f, "x86/tme: not enabled by BIOS", NULL))
		tdx_found(f, TDX_BAD, "the kernel found memory encryption off", BIOS_TME);
	else if (said(h, f, "x86/tme: configuration is inconsistent", NULL))
		tdx_found(f, TDX_BAD, "CPUs differ in TME", "a BIOS error: update the BIOS");
	else if (said(h, f, "x86/tme:", "enabled by BIOS"))
		tdx_found(f, TDX_GOOD, "the kernel found memory encryption on", "");
	else if (silence(h, f))
		tdx_found(f, TDX_GOOD, "no complaint about TME", "");
}

void tdx_check_log_keyids(const struct tdx_host *h, struct tdx_finding *f)
{
	if (said(h, f, "too few private KeyIDs", NULL))
		tdx_found(f, TDX_BAD,
			  "the TDX module takes one KeyID for itself, none is left for TDs",
			  "BIOS: a greater \"TME-MT/TDX key split\"");
	else if (said(h, f, "BIOS enabled: private KeyID range", NULL))
		tdx_found(f, TDX_GOOD, "the kernel has private KeyIDs", "");
	else if (h->platform_flag)
		tdx_found(f, TDX_GOOD,
			  "not in the log any more, but tdx_host_platform says the same", "");
	else if (silence(h, f))
		tdx_found(
			f, TDX_BAD,
			"silence: the BIOS gave the kernel no TDX KeyIDs, or the kernel is built without CONFIG_INTEL_TDX_HOST",
			BIOS_TDX "; a kernel with CONFIG_INTEL_TDX_HOST (6.8 or newer)");
}

void tdx_check_log_hibernation(const struct tdx_host *h, struct tdx_finding *f)
{
	if (said(h, f, "Hibernation support is enabled", NULL))
		tdx_found(f, TDX_BAD,
			  "the kernel gave TDX up, as private memory cannot be hibernated",
			  "add nohibernate to the kernel's command line");
	else if (h->platform_flag)
		tdx_found(f, TDX_GOOD, "hibernation did not keep the kernel from TDX", "");
	else if (silence(h, f))
		tdx_found(f, TDX_GOOD, "no complaint about hibernation", "");
}

void tdx_check_cpuinfo_flag(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "/proc/cpuinfo: tdx_host_platform %s", h->platform_flag ? "yes" : "no");
	if (!h->cpuinfo)
		tdx_found(f, TDX_CANNOT_TELL, "/proc/cpuinfo cannot be read", "");
	else if (h->platform_flag)
		tdx_found(f, TDX_GOOD, "the kernel is ready to use TDX", "");
	else
		tdx_found(
			f, TDX_BAD, "the kernel has not taken the platform for a TDX host",
			"what the checks of MSRs and log above say; a kernel with CONFIG_INTEL_TDX_HOST");
}
