/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a SEAMCALL's or TDCALL's completion status (RAX) says.
 *
 * Bits 63 error, 62 not recoverable, 61 fatal; 47:40 class, 39:32 name within the class;
 * 31:0 details, often the operand that is meant.  Codes of the CALL instruction itself (no
 * module, not in VMX operation) have 0xffff in bits 47:32 or none of these fields at all.
 * Source: Intel TDX Module ABI Reference; arch/x86/include/asm/tdx.h TDX_SEAMCALL_*.
 */
#ifndef KMC_TDX_STATUS_H
#define KMC_TDX_STATUS_H

#include "types.h"

/* The bits that name a status. */
#define TDX_STATUS_MASK 0xffffffff00000000ull

#define TDX_STATUS_SUCCESS 0ull
#define TDX_STATUS_OPERAND_INVALID 0xc000010000000000ull
#define TDX_STATUS_RND_NO_ENTROPY 0x8000020300000000ull
#define TDX_STATUS_SYS_NOT_READY 0xc000050500000000ull
#define TDX_STATUS_INCORRECT_CPUID_VALUE 0xc000090000000000ull
#define TDX_STATUS_INCORRECT_MSR_VALUE 0xc000092100000000ull
#define TDX_STATUS_METADATA_FIELD_ID_INCORRECT 0xc0000c0000000000ull

struct tdx_status {
	const char *name;  /* "OPERAND_INVALID"; "unknown status" */
	const char *means; /* may be empty */
	const char *class_name;
	bool error, recoverable, fatal;
	u32 detail;
	const char *operand; /* the detail's name where the status has an operand, else NULL */
};

struct tdx_status tdx_status_decode(u64 status);

/* "TDH.SYS.INIT", or "SEAMCALL 0x..." in the buffer. */
#define TDX_LEAF_LEN 40
const char *tdx_seamcall_name(u64 leaf, char text[TDX_LEAF_LEN]);

/* "0xc000010000000045 OPERAND_INVALID (class operand), operand CPUID_CONFIG: an argument ..." */
#define TDX_STATUS_LEN 256
void tdx_status_text(u64 status, char text[TDX_STATUS_LEN]);

#endif
