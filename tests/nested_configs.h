/* SPDX-License-Identifier: GPL-2.0-only */
/* Which nested tables and which L2 the tests of the nested walkers try. */
#ifndef KMC_NESTED_CONFIGS_H
#define KMC_NESTED_CONFIGS_H

#include "nested_world.h"

#define CPU_ALL .lm = true, .nx = true, .smep = true, .smap = true, .pku = true, .la57 = true, \
		.pse36 = true
static const struct cpu_facts nested_intel = { VENDOR_INTEL, 46, CPU_ALL, .gbpages = true };
static const struct cpu_facts nested_intel_52 = { VENDOR_INTEL, 52, CPU_ALL, .gbpages = true };
static const struct cpu_facts nested_intel_36 = { VENDOR_INTEL, 36, CPU_ALL };
static const struct cpu_facts nested_amd = { VENDOR_AMD, 48, CPU_ALL, .gbpages = true };
static const struct cpu_facts nested_amd_52 = { VENDOR_AMD, 52, CPU_ALL, .gbpages = true };
static const struct cpu_facts nested_amd_40 = { VENDOR_AMD, 40, CPU_ALL };

enum nested_config_index {
	NPT4, NPT4_NO_NX, NPT4_52, NPT4_40, NPT5, NPT_PAE, NPT_PAE_NO_NX, NPT2, NPT2_NO_PSE,
	NPT4_L2_5, NPT4_L2_PAE, NPT4_L2_2, NPT4_L2_NOPG, NPT_PAE_L2_4,
	EPT4, EPT4_NO_AD, EPT4_BARE, EPT4_2M, EPT4_52, EPT4_36, EPT5, EPT5_NO_AD,
	EPT4_MBEC, EPT4_MBEC_BARE, EPT4_L2_5, EPT4_L2_PAE, EPT4_L2_2, EPT4_L2_NOPG,
	EPT4_NO_AD_L2_PAE, EPT4_IRET, EPT4_NMI_UNDEFINED,
	NR_NESTED_CONFIGS,
};

#define LONG_CR4 X86_CR4_PAE
#define LONG_EFER (X86_EFER_LMA | X86_EFER_LME)
#define NPT(cr4, efer) .tables = { .kind = NESTED_NPT, .l1_cr4 = cr4, .l1_efer = efer }
#define NPT_LONG NPT(LONG_CR4, LONG_EFER | X86_EFER_NX)

#define CAPS_BARE .mt_uc = true, .mt_wb = true
#define CAPS_2M CAPS_BARE, .page_2m = true, .ad = true
#define CAPS_ALL CAPS_2M, .execonly = true, .walk_5 = true, .page_1g = true, .advanced_info = true
#define EPTP_4 ((u64)EPT_MT_WB | 3 << EPTP_PWL_SHIFT)
#define EPTP_5 ((u64)EPT_MT_WB | 4 << EPTP_PWL_SHIFT)
#define EPT(eptp, caps_, ...) \
	.tables = { .kind = NESTED_EPT, .root = eptp, .caps = { caps_ }, ##__VA_ARGS__ }

/* L2: write protection and NX, no SMEP or SMAP, so that user pages are open to CPL 0. */
#define L2(mode) .l2_mode = mode, .cr0 = X86_CR0_WP, .efer = X86_EFER_NX

static const struct world_config nested_configs[NR_NESTED_CONFIGS] = {
	[NPT4] = { "npt4", &nested_amd, NPT_LONG, L2(PAGING_4LEVEL) },
	[NPT4_NO_NX] = { "npt4-no-nx", &nested_amd, NPT(LONG_CR4, LONG_EFER), L2(PAGING_4LEVEL) },
	[NPT4_52] = { "npt4-52-bits", &nested_amd_52, NPT_LONG, L2(PAGING_4LEVEL) },
	[NPT4_40] = { "npt4-40-bits-no-1g", &nested_amd_40, NPT_LONG, L2(PAGING_4LEVEL) },
	[NPT5] = { "npt5", &nested_amd_52, NPT(LONG_CR4 | X86_CR4_LA57, LONG_EFER | X86_EFER_NX),
		   L2(PAGING_5LEVEL) },
	[NPT_PAE] = { "npt-pae", &nested_amd, NPT(X86_CR4_PAE, X86_EFER_NX), L2(PAGING_PAE) },
	[NPT_PAE_NO_NX] = { "npt-pae-no-nx", &nested_amd, NPT(X86_CR4_PAE, 0), L2(PAGING_PAE) },
	[NPT2] = { "npt2", &nested_amd, NPT(X86_CR4_PSE, 0), L2(PAGING_2LEVEL) },
	[NPT2_NO_PSE] = { "npt2-no-pse", &nested_amd, NPT(0, X86_EFER_NX), L2(PAGING_2LEVEL) },
	[NPT4_L2_5] = { "npt4-l2-5level", &nested_amd, NPT_LONG, L2(PAGING_5LEVEL) },
	[NPT4_L2_PAE] = { "npt4-l2-pae", &nested_amd, NPT_LONG, L2(PAGING_PAE) },
	[NPT4_L2_2] = { "npt4-l2-2level", &nested_amd, NPT_LONG, L2(PAGING_2LEVEL) },
	[NPT4_L2_NOPG] = { "npt4-l2-nopg", &nested_amd, NPT_LONG, L2(PAGING_NONE) },
	[NPT_PAE_L2_4] = { "npt-pae-l2-4level", &nested_amd, NPT(X86_CR4_PAE, X86_EFER_NX),
			   L2(PAGING_4LEVEL) },
	[EPT4] = { "ept4", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL), L2(PAGING_4LEVEL) },
	[EPT4_NO_AD] = { "ept4-no-ad", &nested_intel, EPT(EPTP_4, CAPS_ALL), L2(PAGING_4LEVEL) },
	[EPT4_BARE] = { "ept4-bare", &nested_intel, EPT(EPTP_4, CAPS_BARE), L2(PAGING_4LEVEL) },
	[EPT4_2M] = { "ept4-2m", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_2M),
		      L2(PAGING_4LEVEL) },
	[EPT4_52] = { "ept4-52-bits", &nested_intel_52, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
		      L2(PAGING_4LEVEL) },
	[EPT4_36] = { "ept4-36-bits", &nested_intel_36, EPT(EPTP_4, CAPS_ALL),
		      L2(PAGING_4LEVEL) },
	[EPT5] = { "ept5", &nested_intel_52, EPT(EPTP_5 | EPTP_AD, CAPS_ALL), L2(PAGING_5LEVEL) },
	[EPT5_NO_AD] = { "ept5-no-ad", &nested_intel_52, EPT(EPTP_5, CAPS_ALL),
			 L2(PAGING_4LEVEL) },
	[EPT4_MBEC] = { "ept4-mbec", &nested_intel,
			EPT(EPTP_4 | EPTP_AD, CAPS_ALL, .mbec = true), L2(PAGING_4LEVEL) },
	[EPT4_MBEC_BARE] = { "ept4-mbec-bare", &nested_intel,
			     EPT(EPTP_4, CAPS_BARE, .mbec = true), L2(PAGING_4LEVEL) },
	[EPT4_L2_5] = { "ept4-l2-5level", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
			L2(PAGING_5LEVEL) },
	[EPT4_L2_PAE] = { "ept4-l2-pae", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
			  L2(PAGING_PAE) },
	[EPT4_L2_2] = { "ept4-l2-2level", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
			L2(PAGING_2LEVEL) },
	[EPT4_L2_NOPG] = { "ept4-l2-nopg", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
			   L2(PAGING_NONE) },
	[EPT4_NO_AD_L2_PAE] = { "ept4-no-ad-l2-pae", &nested_intel, EPT(EPTP_4, CAPS_ALL),
				L2(PAGING_PAE) },
	[EPT4_IRET] = { "ept4-iret", &nested_intel, EPT(EPTP_4 | EPTP_AD, CAPS_ALL),
			L2(PAGING_4LEVEL), .iret = true },
	[EPT4_NMI_UNDEFINED] = { "ept4-nmi-undefined", &nested_intel,
				 EPT(EPTP_4 | EPTP_AD, CAPS_ALL), L2(PAGING_4LEVEL),
				 .iret = true, .nmi_undefined = true },
};

#endif
