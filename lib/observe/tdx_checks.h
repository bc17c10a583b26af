/* SPDX-License-Identifier: GPL-2.0-only */
/* The checks of a TDX host, in order: TDX_CHECK(function, name, what is right). */
#ifndef KMC_TDX_CHECKS_H
#define KMC_TDX_CHECKS_H

#include "tdx_host.h"

#define TDX_CHECKS(TDX_CHECK)                                                                      \
	TDX_CHECK(cpu_vmx, "cpu/vmx", "an Intel CPU with VMX, not under a hypervisor")             \
	TDX_CHECK(cpu_tme, "cpu/tme", "CPUID(7).ECX[13]: total memory encryption")                 \
	TDX_CHECK(cpu_instructions, "cpu/instructions", "MOVDIR64B and self-snoop")                \
	TDX_CHECK(cpu_ept, "cpu/5-level-ept", "known, so that GPAW 52 can be had or not")          \
	TDX_CHECK(msr_readable, "msr/readable", "/dev/cpu/*/msr can be read")                      \
	TDX_CHECK(msr_seamrr_capable, "msr/seamrr-capable", "MSR 0xfe bit 15: the CPU can do TDX") \
	TDX_CHECK(msr_tme, "msr/tme", "MSR 0x982 bit 1: TME is on")                                \
	TDX_CHECK(msr_key_split, "msr/key-split", "MSR 0x87[63:32]: two TDX KeyIDs or more")       \
	TDX_CHECK(msr_seamrr, "msr/seamrr", "MSR 0x1401 bits 11:10: SEAMRR on and locked")         \
	TDX_CHECK(msr_mcheck, "msr/mcheck", "MSR 0xa0 is 0")                                       \
	TDX_CHECK(msr_sgx, "msr/sgx", "MSR 0x3a bit 18: SGX is on")                                \
	TDX_CHECK(msr_production, "msr/production", "MSR 0xce bit 27: production part")            \
	TDX_CHECK(log_tme, "log/tme", "no \"x86/tme: not enabled by BIOS\"")                       \
	TDX_CHECK(log_keyids, "log/keyids", "\"BIOS enabled: private KeyID range [a, b)\"")        \
	TDX_CHECK(log_hibernation, "log/hibernation", "hibernation is switched off")               \
	TDX_CHECK(cpuinfo_flag, "kernel/platform-flag", "tdx_host_platform in /proc/cpuinfo")      \
	TDX_CHECK(kvm_loaded, "kvm_intel/loaded", "kvm_intel with the parameter tdx")              \
	TDX_CHECK(kvm_parameters, "kvm_intel/parameters", "ept, eptad, enable_apicv, tdp_mmu, mmio_caching") \
	TDX_CHECK(kvm_refusal, "kvm_intel/refusal", "nothing in the log that kept kvm_intel from TDX") \
	TDX_CHECK(kvm_tdx, "kvm_intel/tdx", "parameter tdx is Y")                                  \
	TDX_CHECK(module_bios, "module/bios", "SEAMCALL is possible")                              \
	TDX_CHECK(module_loaded, "module/loaded", "the BIOS has loaded a TDX module")              \
	TDX_CHECK(module_seamcall, "module/seamcall", "no SEAMCALL failed")                        \
	TDX_CHECK(module_memory, "module/memory", "all memory fits into TDMRs")                    \
	TDX_CHECK(module_initialized, "module/initialized", "the kernel has initialized the module") \
	TDX_CHECK(capability_vm_types, "capability/vm-types", "KVM_CAP_VM_TYPES bit 5")            \
	TDX_CHECK(run_packages, "run/packages", "each package has an online CPU")                  \
	TDX_CHECK(run_nodes, "run/nodes", "each node's memory can be TDX memory")                  \
	TDX_CHECK(run_keyids, "run/keyids", "a KeyID is free")                                     \
	TDX_CHECK(run_kexec, "run/kexec", "known whether kexec is safe")                           \
	TDX_CHECK(run_log, "run/log", "no TD failed")

#define TDX_DECLARE(function, name, expected) \
	void tdx_check_##function(const struct tdx_host *h, struct tdx_finding *f);
TDX_CHECKS(TDX_DECLARE)
#undef TDX_DECLARE

#endif
