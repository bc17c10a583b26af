// SPDX-License-Identifier: GPL-2.0-only
/* Names for the numbers that the TDX module returns. */
#include <stdio.h>

#include "tdx_status.h"

struct named {
	u64 number;
	const char *name, *means;
};

static const struct named statuses[] = {
#define STATUS(number, name, means) { number##ull << 32, #name, means },
#include "tdx_status.def"
#undef STATUS
};

/* arch/x86/include/asm/tdx.h: not the module's answers but the instruction's. */
static const struct named instruction[] = {
	{ 0x8000ff00ffff0000ull, "VMFAILINVALID", "no TDX module is loaded" },
	{ 0x8000ff000000000dull, "GP", "SEAMCALL raised #GP: TDX is not enabled by the BIOS" },
	{ 0x8000ff0000000006ull, "UD", "SEAMCALL raised #UD: the CPU is not in VMX operation" },
};

static const char *const classes[] = {
	[0x00] = "general", [0x01] = "operand", [0x02] = "resource busy", [0x03] = "page metadata",
	[0x04] = "dependency", [0x05] = "module state", [0x06] = "TD state", [0x07] = "vCPU state",
	[0x08] = "key state", [0x09] = "platform", [0x0a] = "physical memory",
	[0x0b] = "guest memory", [0x0c] = "metadata", [0x0d] = "service TD", [0x0e] = "migration",
	[0x10] = "report", [0x11] = "L2 VM",
};

/* What the low 32 bits of an operand's status name. */
static const struct named operands[] = {
	{ 0, "RAX", "" }, { 1, "RCX", "" }, { 2, "RDX", "" }, { 3, "RBX", "" }, { 5, "RBP", "" },
	{ 6, "RSI", "" }, { 7, "RDI", "" }, { 8, "R8", "" }, { 9, "R9", "" }, { 10, "R10", "" },
	{ 11, "R11", "" }, { 12, "R12", "" }, { 13, "R13", "" }, { 14, "R14", "" },
	{ 15, "R15", "" }, { 64, "ATTRIBUTES", "" }, { 65, "XFAM", "" },
	{ 66, "EXEC_CONTROLS", "" }, { 67, "EPTP_CONTROLS", "" }, { 68, "MAX_VCPUS", "" },
	{ 69, "CPUID_CONFIG", "" }, { 70, "TSC_FREQUENCY", "" }, { 71, "NUM_L2_VMS", "" },
	{ 95, "PAGE", "" }, { 96, "TDMR_INFO_PA", "" }, { 128, "TDR", "" }, { 129, "TDCX", "" },
	{ 130, "TDVPR", "" }, { 144, "TDCS", "" }, { 145, "TDVPS", "" }, { 146, "SEPT", "" },
	{ 147, "SEPT_ENTRY", "" }, { 169, "TD_EPOCH", "" }, { 176, "METADATA_FIELD", "" },
	{ 184, "SYS", "" }, { 185, "TDMR", "" }, { 186, "KOT", "" }, { 187, "KET", "" },
};

/* SEAMCALL leaves that a kernel uses to set a host or a TD up. */
static const struct named leaves[] = {
	{ 0, "TDH.VP.ENTER", "" }, { 1, "TDH.MNG.ADDCX", "" }, { 2, "TDH.MEM.PAGE.ADD", "" },
	{ 3, "TDH.MEM.SEPT.ADD", "" }, { 4, "TDH.VP.ADDCX", "" }, { 6, "TDH.MEM.PAGE.AUG", "" },
	{ 7, "TDH.MEM.RANGE.BLOCK", "" }, { 8, "TDH.MNG.KEY.CONFIG", "" },
	{ 9, "TDH.MNG.CREATE", "" }, { 10, "TDH.VP.CREATE", "" }, { 11, "TDH.MNG.RD", "" },
	{ 16, "TDH.MR.EXTEND", "" }, { 17, "TDH.MR.FINALIZE", "" }, { 18, "TDH.VP.FLUSH", "" },
	{ 19, "TDH.MNG.VPFLUSHDONE", "" }, { 20, "TDH.MNG.KEY.FREEID", "" },
	{ 21, "TDH.MNG.INIT", "" }, { 22, "TDH.VP.INIT", "" }, { 24, "TDH.PHYMEM.PAGE.RDMD", "" },
	{ 26, "TDH.VP.RD", "" }, { 28, "TDH.PHYMEM.PAGE.RECLAIM", "" },
	{ 29, "TDH.MEM.PAGE.REMOVE", "" }, { 30, "TDH.MEM.SEPT.REMOVE", "" },
	{ 31, "TDH.SYS.KEY.CONFIG", "" }, { 32, "TDH.SYS.INFO", "" }, { 33, "TDH.SYS.INIT", "" },
	{ 34, "TDH.SYS.RD", "" }, { 35, "TDH.SYS.LP.INIT", "" }, { 36, "TDH.SYS.TDMR.INIT", "" },
	{ 38, "TDH.MEM.TRACK", "" }, { 40, "TDH.PHYMEM.CACHE.WB", "" },
	{ 41, "TDH.PHYMEM.PAGE.WBINVD", "" }, { 43, "TDH.VP.WR", "" },
	{ 44, "TDH.SYS.LP.SHUTDOWN", "" }, { 45, "TDH.SYS.CONFIG", "" },
};

static const struct named *find(const struct named *table, size_t nr, u64 number)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

#define FIND(table, number) find(table, ARRAY_SIZE(table), number)

/* Is what the details name an operand?  INCORRECT_MSR_VALUE's are an MSR. */
static const char *operand_name(u64 status)
{
	u8 class = status >> 40 & 0xff;
	const struct named *operand;

	if (class != 0x01 && class != 0x02 && class != 0x03)
		return NULL;
	operand = FIND(operands, (u32)status);
	return operand ? operand->name : NULL;
}

struct tdx_status tdx_status_decode(u64 status)
{
	const struct named *row = FIND(instruction, status);
	u8 class = status >> 40 & 0xff;
	struct tdx_status s = { .name = "unknown status", .means = "", .class_name = "unknown" };

	s.error = status >> 63;
	s.recoverable = !(status >> 62 & 1);
	s.fatal = status >> 61 & 1;
	if (row) {
		s.class_name = "instruction";
	} else {
		row = FIND(statuses, status & TDX_STATUS_MASK);
		s.detail = status;
		if (class < ARRAY_SIZE(classes) && classes[class])
			s.class_name = classes[class];
		s.operand = operand_name(status);
	}
	if (row) {
		s.name = row->name;
		s.means = row->means;
	}
	return s;
}

const char *tdx_seamcall_name(u64 leaf, char text[TDX_LEAF_LEN])
{
	/* Bits 23:16 are the version of the call. */
	const struct named *row = FIND(leaves, leaf & ~0xff0000ull);

	if (row)
		return row->name;
	snprintf(text, TDX_LEAF_LEN, "SEAMCALL %#llx", (unsigned long long)leaf);
	return text;
}

void tdx_status_text(u64 status, char text[TDX_STATUS_LEN])
{
	struct tdx_status s = tdx_status_decode(status);
	char detail[64] = "";

	if (s.operand)
		snprintf(detail, sizeof(detail), ", operand %s", s.operand);
	else if ((status & TDX_STATUS_MASK) == TDX_STATUS_INCORRECT_MSR_VALUE)
		snprintf(detail, sizeof(detail), ", MSR %#x%s", s.detail,
			 s.detail == 0x122 ? " (IA32_TSX_CTRL)" : "");
	else if (s.detail)
		snprintf(detail, sizeof(detail), ", detail %#x", s.detail);
	snprintf(text, TDX_STATUS_LEN, "%#llx %s (class %s%s)%s%s%s", (unsigned long long)status,
		 s.name, s.class_name, s.error && !s.recoverable ? ", not recoverable" : "", detail,
		 s.means[0] ? ": " : "", s.means);
}
