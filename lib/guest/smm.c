// SPDX-License-Identifier: GPL-2.0-only
/* The host side of SMM: see include/smm.h. */
#include <string.h>

#include "smm.h"

extern const u8 smm_code_start[], smm_code_end[];

#define ALIAS_OFFSET (BOOT_ALIAS & 0xfff)

struct smm_view smm_install(struct vm *vm)
{
	struct smm_view view = {
		.smram = vm_mem_add_in_space(vm, 1, SMM_BASE, SMM_SIZE),
		.data = vm_mem_add_in_space(vm, 1, DATA_PAGE, 0x1000),
		.alias = vm_mem_add_in_space(vm, 1, BOOT_ALIAS & ~0xfff, 0x1000),
	};

	memcpy(view.smram + SMM_ENTRY, smm_code_start, smm_code_end - smm_code_start);
	return view;
}

static void put(u8 *p, u64 value, int bytes)
{
	memcpy(p, &value, bytes);
}

struct smm_notes *smm_prepare(const struct smm_view *view, u32 rounds)
{
	struct smm_notes *notes = (void *)(view->smram + (SMM_NOTES - SMM_BASE));

	memset(notes, 0xff, sizeof(*notes));
	notes->rounds = rounds;
	put(view->data, SMM_DATA_VALUE, 4);
	put(view->data + SMM_STORE_OFFSET, 0, 4);
	put(view->alias + ALIAS_OFFSET, SMM_ALIAS_VALUE, 4);
	return notes;
}

/* A descriptor's upper half (SDM 3A figure 3-8) without base and limit. */
static u32 segment_flags(const struct kvm_segment *s)
{
	return (u32)s->type << 8 | (u32)s->s << 12 | (u32)s->dpl << 13 |
	       (u32)(s->present && !s->unusable) << 15 | (u32)s->avl << 20 | (u32)s->l << 21 |
	       (u32)s->db << 22 | (u32)s->g << 23;
}

/*
 * 64-bit map
 */

#define S64_GDTR 0x60
#define S64_LDTR 0x70
#define S64_IDTR 0x80
#define S64_TR 0x90
#define S64_EFER 0xd0
#define S64_CR4 0x148
#define S64_CR3 0x150
#define S64_CR0 0x158
#define S64_RFLAGS 0x170
#define S64_RIP 0x178
#define S64_RAX 0x1f8 /* RCX and so on below it */

static void put_segment64(u8 *p, const struct kvm_segment *s)
{
	put(p, s->selector, 2);
	put(p + 2, segment_flags(s) >> 8, 2);
	put(p + 4, s->limit, 4);
	put(p + 8, s->base, 8);
}

static void put_table64(u8 *p, const struct kvm_dtable *t)
{
	put(p + 4, t->limit, 4);
	put(p + 8, t->base, 8);
}

static void set64(u8 *area, const struct kvm_sregs *s, const struct kvm_regs *r)
{
	const struct kvm_segment *segments[] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs };
	const u64 gprs[] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
			     r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++)
		put_segment64(area + i * 16, segments[i]);
	put_table64(area + S64_GDTR, &s->gdt);
	put_segment64(area + S64_LDTR, &s->ldt);
	put_table64(area + S64_IDTR, &s->idt);
	put_segment64(area + S64_TR, &s->tr);
	put(area + S64_EFER, s->efer, 8);
	put(area + S64_CR4, s->cr4, 8);
	put(area + S64_CR3, s->cr3, 8);
	put(area + S64_CR0, s->cr0, 8);
	put(area + S64_RFLAGS, r->rflags, 8);
	put(area + S64_RIP, r->rip, 8);
	for (i = 0; i < ARRAY_SIZE(gprs); i++)
		put(area + S64_RAX - i * 8, gprs[i], 8);
}

/*
 * 32-bit map
 */

#define S32_CR4 0x114
#define S32_DS 0x12c       /* FS, GS */
#define S32_IDTR 0x150
#define S32_TR 0x15c
#define S32_GDTR 0x16c
#define S32_LDTR 0x178
#define S32_ES 0x184       /* CS, SS */
#define S32_SELECTORS 0x1a8 /* ES, CS, SS, DS, FS, GS, LDTR, TR */
#define S32_GPRS 0x1d0     /* EAX, ECX and so on */
#define S32_EIP 0x1f0
#define S32_EFLAGS 0x1f4
#define S32_CR3 0x1f8
#define S32_CR0 0x1fc

static void put_segment32(u8 *p, const struct kvm_segment *s)
{
	put(p, segment_flags(s), 4);
	put(p + 4, s->limit, 4);
	put(p + 8, s->base, 4);
}

static void put_table32(u8 *p, const struct kvm_dtable *t)
{
	put(p + 4, t->limit, 4);
	put(p + 8, t->base, 4);
}

static void set32(u8 *area, const struct kvm_sregs *s, const struct kvm_regs *r)
{
	const struct kvm_segment *segments[] = { &s->es, &s->cs, &s->ss, &s->ds,
						 &s->fs, &s->gs, &s->ldt, &s->tr };
	static const u16 places[] = { S32_ES, S32_ES + 12, S32_ES + 24, S32_DS,
				      S32_DS + 12, S32_DS + 24, S32_LDTR, S32_TR };
	const u64 gprs[] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		put_segment32(area + places[i], segments[i]);
		put(area + S32_SELECTORS + i * 4, segments[i]->selector, 4);
	}
	put_table32(area + S32_GDTR, &s->gdt);
	put_table32(area + S32_IDTR, &s->idt);
	put(area + S32_CR4, s->cr4, 4);
	put(area + S32_CR3, s->cr3, 4);
	put(area + S32_CR0, s->cr0, 4);
	put(area + S32_EFLAGS, r->rflags, 4);
	put(area + S32_EIP, r->rip, 4);
	for (i = 0; i < ARRAY_SIZE(gprs); i++)
		put(area + S32_GPRS + i * 4, gprs[i], 4);
}

void smm_save_area_set(const struct smm_view *view, bool map64, const struct kvm_sregs *sregs,
		       const struct kvm_regs *regs)
{
	if (map64)
		set64(view->smram + SMM_SAVE, sregs, regs);
	else
		set32(view->smram + SMM_SAVE, sregs, regs);
}

void smm_save_area_set_tr_type(const struct smm_view *view, bool map64, u8 type)
{
	/* Bits 11:8 of the flags, of which the 64-bit map keeps bits 23:8. */
	u8 *p = view->smram + SMM_SAVE + (map64 ? S64_TR + 2 : S32_TR + 1);

	*p = (*p & 0xf0) | type;
}
