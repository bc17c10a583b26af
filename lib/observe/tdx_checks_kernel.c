// SPDX-License-Identifier: GPL-2.0-only
/* Checks of kvm_intel, the TDX module and KVM's capability. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private_memory.h"
#include "tdx_host.h"
#include "tdx_checks.h"
#include "tdx_status.h"

#define NEEDS_TDX_KERNEL "a kernel with CONFIG_KVM_INTEL_TDX (6.16 or newer)"
#define RELOAD \
	"modprobe -r kvm_intel && modprobe kvm_intel tdx=1, or kvm_intel.tdx=1 on the kernel's command line"

static const char *yes_no(enum tristate t)
{
	return t == YES ? "Y" : t == NO ? "N" : "unknown";
}

void tdx_check_kvm_loaded(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "/sys/module/kvm_intel %s, its parameter tdx: %s",
		 h->kvm_intel ? "is there" : "is missing", yes_no(h->tdx));
	if (!h->kvm_intel)
		tdx_found(f, TDX_BAD, "KVM's module for Intel CPUs is not loaded",
			  "modprobe kvm_intel tdx=1");
	else if (h->tdx == UNKNOWN)
		tdx_found(f, TDX_BAD, "this kernel's kvm_intel knows nothing of TDX",
			  NEEDS_TDX_KERNEL);
	else
		tdx_found(f, TDX_GOOD, "kvm_intel is there and knows of TDX", "");
}

void tdx_check_kvm_parameters(const struct tdx_host *h, struct tdx_finding *f)
{
	const struct {
		const char *name;
		enum tristate is;
	} needed[] = {
		{ "kvm_intel.ept", h->ept },
		{ "kvm_intel.eptad", h->ept_ad },
		{ "kvm_intel.enable_apicv", h->apicv },
		{ "kvm.tdp_mmu", h->tdp_mmu },
		{ "kvm.mmio_caching", h->mmio_caching },
	};
	char change[256] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		tdx_read(f, "%s%s=%s", i ? " " : "", needed[i].name, yes_no(needed[i].is));
		if (needed[i].is == NO)
			snprintf(change + strlen(change), sizeof(change) - strlen(change), "%s%s=1",
				 change[0] ? ", " : "set ", needed[i].name);
	}
	if (!h->kvm_intel)
		tdx_found(f, TDX_LATER, "kvm_intel is not loaded", "");
	else if (change[0])
		tdx_found(
			f, TDX_BAD,
			"kvm_intel needs all of these for TDX and gives it up without saying so to the VMM",
			change);
	else
		tdx_found(f, TDX_GOOD, "nothing that kvm_intel needs for TDX is switched off", "");
}

/* Lines by which a kernel says why kvm_intel goes without TDX. */
static const struct {
	const char *text, *and_text, *change;
} refusals[] = {
	{ "EPT is required for TDX", NULL, "kvm_intel.ept=1" },
	{ "Cannot enable TDX with EPT disabled", NULL, "kvm_intel.ept=1" },
	{ "TDP MMU and MMIO caching and EPT A/D bit is required for TDX", NULL,
	  "kvm.tdp_mmu=1, kvm.mmio_caching=1, kvm_intel.eptad=1" },
	{ "APICv is required for TDX", NULL,
	  "kvm_intel.enable_apicv=1; BIOS: x2APIC and posted interrupts" },
	{ "MOVDIR64B is required for TDX", NULL,
	  "remove clearcpuid= from the kernel's command line" },
	{ "Self-snoop is required for TDX", NULL,
	  "remove clearcpuid= from the kernel's command line" },
	{ "OSXSAVE is required for TDX", NULL, "remove noxsave from the kernel's command line" },
	{ "tdx: no TDX private KeyIDs available", NULL,
	  "BIOS: \"TME-MT/TDX key split\" other than 0" },
	{ "TDX not supported by the host platform", NULL,
	  "what the checks of MSRs and log above say" },
	{ "MAX_VCPU_PER_TD", "smaller than number of logical CPUs",
	  "a TDX module that allows as many vCPUs as there are CPUs: update the BIOS" },
};

/* The number of the last line by which the module was initialized, or -1. */
static int initialized_line(const struct tdx_host *h)
{
	int old = kernel_log_last(&h->log, "tdx: module initialized", NULL);
	int new = kernel_log_last(&h->log, "TDX-Module initialized", NULL);

	return old > new ? old : new;
}

/* Without a line that says so, KVM's capability does. */
static bool works(const struct tdx_host *h)
{
	return h->vm_types > 0 && h->vm_types >> KVM_X86_TDX_VM & 1;
}

/* The row of refusals that the log has, and the number of the line; -1: none. */
static int refusal_line(const struct tdx_host *h, size_t *row)
{
	int line = -1;

	for (*row = 0; *row < ARRAY_SIZE(refusals); ++*row) {
		line = kernel_log_last(&h->log, refusals[*row].text, refusals[*row].and_text);
		if (line >= 0)
			break;
	}
	return line;
}

void tdx_check_kvm_refusal(const struct tdx_host *h, struct tdx_finding *f)
{
	size_t i;
	int line;

	if (works(h)) {
		tdx_read(f, "KVM_CAP_VM_TYPES: %#x", h->vm_types);
		tdx_found(f, TDX_GOOD, "kvm_intel offers TDX now, whatever it said before", "");
		return;
	}
	line = refusal_line(h, &i);
	if (line >= 0) {
		tdx_read(f, "log: %s", h->log.line[line]);
		tdx_found(f, TDX_BAD, "kvm_intel was asked for TDX and went without",
			  refusals[i].change);
		return;
	}
	if (h->log.error) {
		tdx_read(f, "/dev/kmsg: %s", strerror(h->log.error));
		tdx_found(f, TDX_CANNOT_TELL, "the kernel's log cannot be read", "run as root");
		return;
	}
	tdx_read(f, "log: no refusal");
	tdx_found(f, TDX_GOOD, "kvm_intel has not given a reason against TDX", "");
}

/* Has somebody asked for TDX, on the command line or, as the log tells, by modprobe? */
static bool asked_for(const struct tdx_host *h)
{
	size_t row;

	return h->requested || refusal_line(h, &row) >= 0 ||
	       kernel_log_last(&h->log, "module initialization failed", "tdx") >= 0;
}

void tdx_check_kvm_tdx(const struct tdx_host *h, struct tdx_finding *f)
{
	tdx_read(f, "kvm_intel.tdx=%s, on the kernel's command line: %s", yes_no(h->tdx),
		 h->requested ? "yes" : "no");
	if (h->tdx == YES)
		tdx_found(f, TDX_GOOD, "TDX is switched on in KVM", "");
	else if (h->tdx == UNKNOWN)
		tdx_found(f, TDX_LATER, "there is no such parameter, see kvm_intel/loaded", "");
	else if (asked_for(h))
		tdx_found(
			f, TDX_LATER,
			"TDX was asked for and KVM has switched it off again; the other checks of kvm_intel and module say why",
			"");
	else
		tdx_found(
			f, TDX_BAD,
			"TDX is switched off in KVM: off is the default, and while the module is loaded it cannot be changed",
			RELOAD);
}

/*
 * The TDX module
 */

/* Was a failure followed by success, say in another loading of kvm_intel? */
static bool outlived(const struct tdx_host *h, int line)
{
	return initialized_line(h) > line || (works(h) && initialized_line(h) < 0);
}

/* A line of trouble into the finding. */
static bool trouble(const struct tdx_host *h, struct tdx_finding *f, int line)
{
	if (line < 0 || outlived(h, line))
		return false;
	tdx_read(f, "log: %s", h->log.line[line]);
	return true;
}

/* Nothing was found in the log, and so nothing is wrong, if somebody could have said it. */
static void no_trouble(const struct tdx_host *h, struct tdx_finding *f, const char *means)
{
	if (works(h) || initialized_line(h) >= 0) {
		tdx_read(f, "%s",
			 initialized_line(h) >= 0 ? h->log.line[initialized_line(h)] :
						    "KVM offers TDX");
		tdx_found(f, TDX_GOOD, means, "");
	} else if (h->log.error) {
		tdx_read(f, "/dev/kmsg: %s", strerror(h->log.error));
		tdx_found(f, TDX_CANNOT_TELL, "the kernel's log cannot be read", "run as root");
	} else {
		tdx_read(f, "log: nothing about it");
		tdx_found(f, TDX_LATER, "the kernel has not got as far as that", "");
	}
}

void tdx_check_module_bios(const struct tdx_host *h, struct tdx_finding *f)
{
	int line = kernel_log_last(&h->log, "not enabled by BIOS", "tdx");

	if (!trouble(h, f, line)) {
		no_trouble(h, f, "SEAMCALLs reach the module");
		return;
	}
	tdx_found(
		f, TDX_BAD,
		"there are TDX KeyIDs, but the CPU refuses SEAMCALL: the BIOS has switched TDX on only in part",
		"BIOS: TME, TME-MT, TDX and the TDX SEAM loader all on, memory integrity off, SGX on; then a cold boot");
}

void tdx_check_module_loaded(const struct tdx_host *h, struct tdx_finding *f)
{
	int line = kernel_log_last(&h->log, "module not loaded", "tdx");

	if (line < 0)
		line = kernel_log_last(&h->log, "module is not loaded", "tdx");
	if (!trouble(h, f, line)) {
		no_trouble(h, f, "a TDX module is loaded");
		return;
	}
	tdx_found(
		f, TDX_BAD, "the BIOS has loaded no TDX module",
		"BIOS: switch on the TDX SEAM loader; or put a module on the EFI system partition where the BIOS looks for it; update the BIOS");
}

/* "SEAMCALL (0x21) failed: 0x...", "SEAMCALL (33) failed: ...", "SEAMCALL TDH_MNG_INIT failed: ..." */
static bool parse_seamcall(const char *line, char leaf[TDX_LEAF_LEN], u64 *status)
{
	const char *at = strcasestr(line, "SEAMCALL"), *failed;
	char word[TDX_LEAF_LEN] = "", *end;
	u64 number;

	failed = at ? strcasestr(at, "failed: ") : NULL;
	if (!failed)
		return false;
	*status = strtoull(failed + strlen("failed: "), &end, 0);
	if (end == failed + strlen("failed: "))
		return false;
	at += strlen("SEAMCALL");
	at += strspn(at, " ([");
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, " )]"), at);
	number = strtoull(word, &end, 0);
	if (*word && !*end)
		snprintf(leaf, TDX_LEAF_LEN, "%s", tdx_seamcall_name(number, word));
	else
		snprintf(leaf, TDX_LEAF_LEN, "%s", word);
	return true;
}

static const char *what_to_change(u64 status)
{
	switch (status & TDX_STATUS_MASK) {
	case TDX_STATUS_INCORRECT_CPUID_VALUE:
		return "update the BIOS";
	case TDX_STATUS_INCORRECT_MSR_VALUE:
		if ((u32)status == 0x122)
			return "update BIOS and microcode: the firmware's IA32_TSX_CTRL (MSR 0x122) is refused; look for a TSX setting in the BIOS";
		return "update BIOS and microcode";
	case TDX_STATUS_SYS_NOT_READY:
		return "a TDX module 1.5 or newer: update the BIOS, or the module on the EFI system partition";
	case TDX_STATUS_METADATA_FIELD_ID_INCORRECT:
		return "a newer TDX module: update the BIOS, or the module on the EFI system partition";
	}
	return "update BIOS and TDX module; look the status up in the TDX module's ABI reference";
}

/* The first failure is the cause, those behind it may be its consequences. */
void tdx_check_module_seamcall(const struct tdx_host *h, struct tdx_finding *f)
{
	char leaf[TDX_LEAF_LEN], text[TDX_STATUS_LEN];
	u64 status = 0;
	unsigned int i;

	for (i = 0; i < h->log.nr; i++)
		if (strcasestr(h->log.line[i], "tdx") &&
		    !strcasestr(h->log.line[i], "kvm_intel:") && !outlived(h, i) &&
		    parse_seamcall(h->log.line[i], leaf, &status))
			break;
	if (i == h->log.nr) {
		no_trouble(h, f, "the module answered");
		return;
	}
	tdx_status_text(status, text);
	tdx_read(f, "log: %s", h->log.line[i]);
	tdx_found(f, TDX_BAD, "", what_to_change(status));
	snprintf(f->means, sizeof(f->means), "%s failed with %s", leaf, text);
}

void tdx_check_module_memory(const struct tdx_host *h, struct tdx_finding *f)
{
	int line = kernel_log_last(&h->log, "TDMRs exhausted", NULL);

	if (line < 0)
		line = kernel_log_last(&h->log, "reserved areas exhausted", NULL);
	if (trouble(h, f, line)) {
		tdx_found(
			f, TDX_BAD,
			"memory lies in too many pieces: the module's list of memory regions (TDMR) or of the holes in them is full",
			"a simpler memory map: all memory slots alike, no memmap= or mem= on the command line, no persistent or CXL memory in between; update BIOS and module");
		return;
	}
	line = kernel_log_last(&h->log, "allocated for PAMT", NULL);
	if (line >= 0) {
		tdx_read(f, "log: %s", h->log.line[line]);
		tdx_found(
			f, TDX_GOOD,
			"memory for the module's own page tables (PAMT), about 1/256 of all unless it is dynamic",
			"");
		return;
	}
	no_trouble(h, f, "all memory was accepted");
}

/*
 * Asked for, nothing in the way as far as can be seen, and not a word: kernels do not report
 * a SEAMCALL that raises #GP or #UD.
 */
static bool failed_silently(const struct tdx_host *h)
{
	size_t row;

	return h->tdx == NO && h->requested && h->platform_flag && refusal_line(h, &row) < 0 &&
	       h->ept != NO && h->ept_ad != NO && h->apicv != NO && h->tdp_mmu != NO &&
	       h->mmio_caching != NO;
}

/* Is there a line of trouble with the module that the checks above have found? */
static bool told(const struct tdx_host *h)
{
	static const char *const texts[] = { "not enabled by BIOS", "module not loaded",
					     "module is not loaded", "exhausted", "SEAMCALL" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (kernel_log_last(&h->log, texts[i], "tdx:") >= 0)
			return true;
	return false;
}

void tdx_check_module_initialized(const struct tdx_host *h, struct tdx_finding *f)
{
	int good = initialized_line(h);
	int bad = kernel_log_last(&h->log, "module initialization failed", "tdx");

	if (works(h) || good > bad) {
		tdx_read(f, "%s", good >= 0 ? h->log.line[good] : "KVM offers TDX");
		tdx_found(f, TDX_GOOD, "the TDX module is ready", "");
	} else if (bad >= 0 || told(h)) {
		tdx_read(f, "log: %s", bad >= 0 ? h->log.line[bad] : "see above");
		tdx_found(f, TDX_BAD, "the kernel could not initialize the TDX module",
			  "what the checks above say");
	} else if (h->log.error || !h->log.complete) {
		tdx_read(f, "log: %s",
			 h->log.error ? strerror(h->log.error) : "its beginning is gone");
		tdx_found(f, TDX_CANNOT_TELL, "what the kernel said of the module cannot be read",
			  "run as root, soon after booting");
	} else if (failed_silently(h)) {
		tdx_read(f, "log: nothing, from boot on; kvm_intel.tdx was asked for and is N");
		tdx_found(
			f, TDX_BAD,
			"the kernel gave up without a word: so it does when SEAMCALL raises #GP, that is when the BIOS has switched TDX on only in part",
			"BIOS: TME, TME-MT, TDX and the TDX SEAM loader all on, memory integrity off, SGX on; then a cold boot");
	} else {
		tdx_read(f, "log: nothing, from boot on");
		tdx_found(
			f, h->tdx == YES ? TDX_BAD : TDX_LATER,
			"the kernel has not tried to initialize the TDX module: kernels do so when kvm_intel is loaded with tdx=1",
			RELOAD);
	}
}

void tdx_check_capability_vm_types(const struct tdx_host *h, struct tdx_finding *f)
{
	if (h->kvm_error[0]) {
		tdx_read(f, "%s", h->kvm_error);
		tdx_found(f, TDX_CANNOT_TELL, "KVM cannot be asked",
			  "load kvm_intel; run as root or as a member of group kvm");
		return;
	}
	tdx_read(f, "KVM_CHECK_EXTENSION KVM_CAP_VM_TYPES: %#x", h->vm_types);
	if (works(h))
		tdx_found(f, TDX_GOOD, "KVM makes TDs (bit 5)", "");
	else if (h->tdx == UNKNOWN)
		tdx_found(f, TDX_BAD,
			  "VMMs say \"vm-type tdx not supported\": the kernel has no TDX in KVM",
			  NEEDS_TDX_KERNEL);
	else if (h->ept == NO)
		tdx_found(f, TDX_BAD, "VMMs say \"vm-type tdx not supported\": kvm_intel.ept is N",
			  "kvm_intel.ept=1");
	else if (h->tdx == NO && !asked_for(h))
		tdx_found(
			f, TDX_BAD,
			"VMMs say \"vm-type tdx not supported\": kvm_intel.tdx is N, which is the default",
			RELOAD);
	else
		tdx_found(f, TDX_BAD,
			  "VMMs say \"vm-type tdx not supported\": KVM has given TDX up",
			  "what the checks above say");
}
