// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status codes of the TDX module are told apart: by name, class, severity and operand.
 *
 * Would catch: a number or a name that stands twice in tdx_status.def, bits that disagree with
 * the class that a code belongs to, an operand read where the details are something else.
 * Needs nothing.  The answers are the ABI reference's, by hand.
 */
#include <stdio.h>
#include <string.h>

#include "tdx_status.h"

static unsigned int number, failures;

static void result(bool ok, const char *name, const char *said)
{
	if (!ok)
		printf("# %s\nnot ", said);
	printf("ok %u %s\n", ++number, name);
	failures += !ok;
}

static const struct {
	u64 status;
	const char *text;
} texts[] = {
	{ 0, "0 SUCCESS (class general)" },
	{ 0xc000010000000045, "0xc000010000000045 OPERAND_INVALID (class operand, not recoverable), "
			      "operand CPUID_CONFIG: an argument is refused" },
	{ 0xc000010000000001, "0xc000010000000001 OPERAND_INVALID (class operand, not recoverable), "
			      "operand RCX: an argument is refused" },
	{ 0x8000020000000092, "0x8000020000000092 OPERAND_BUSY (class resource busy), operand SEPT: "
			      "in use elsewhere: to be called again" },
	{ 0xc000092100000122, "0xc000092100000122 INCORRECT_MSR_VALUE (class platform, not recoverable), "
			      "MSR 0x122 (IA32_TSX_CTRL): firmware left an MSR as this module does not allow" },
	{ 0x00000b0a00000000, "0xb0a00000000 PAGE_ALREADY_ACCEPTED (class guest memory)" },
	{ 0xc0000b0b00000001, "0xc0000b0b00000001 PAGE_SIZE_MISMATCH (class guest memory, not recoverable), "
			      "detail 0x1" },
	{ 0x8000ff00ffff0000, "0x8000ff00ffff0000 VMFAILINVALID (class instruction): no TDX module is loaded" },
	{ 0xc00012ab00000000, "0xc00012ab00000000 unknown status (class unknown, not recoverable)" },
};

static const struct {
	u64 leaf;
	const char *name;
} leaves[] = {
	{ 33, "TDH.SYS.INIT" }, { 0x21, "TDH.SYS.INIT" }, { 0x22, "TDH.SYS.RD" },
	{ 45, "TDH.SYS.CONFIG" }, { 0x10009, "TDH.MNG.CREATE" }, { 0x7777, "SEAMCALL 0x7777" },
};

static void check_table(void)
{
	static const struct {
		u32 number;
		const char *name;
	} rows[] = {
#define STATUS(number, name, means) { number, #name },
#include "tdx_status.def"
#undef STATUS
	};
	const char *wrong = NULL;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_status s = tdx_status_decode((u64)rows[i].number << 32);

		for (j = 0; j < i; j++)
			if (rows[i].number == rows[j].number)
				wrong = rows[i].name;
		/* Bit 62 without an error is what ends a TD or vCPU; fatal is never recoverable. */
		if (strcmp(s.name, rows[i].name) || (s.fatal && s.recoverable) ||
		    !strcmp(s.class_name, "unknown") || rows[i].number & 0x0fff0000)
			wrong = rows[i].name;
	}
	result(!wrong, "each status stands once, and in a class that there is", wrong);
}

int main(void)
{
	char text[TDX_STATUS_LEN], leaf[TDX_LEAF_LEN];
	size_t i;

	printf("KTAP version 1\n1..%zu\n", 1 + ARRAY_SIZE(texts) + ARRAY_SIZE(leaves));
	check_table();
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		tdx_status_text(texts[i].status, text);
		result(!strcmp(text, texts[i].text), texts[i].text, text);
	}
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		const char *name = tdx_seamcall_name(leaves[i].leaf, leaf);

		result(!strcmp(name, leaves[i].name), leaves[i].name, name);
	}
	return failures ? 1 : 0;
}
