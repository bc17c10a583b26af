// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host side of L1 for VMX: the VMCS as a list of fields and values (Intel SDM vol. 3C
 * chapter 25; checks at VM entry: chapter 27).
 *
 * KVM's handling of L1's instructions is in arch/x86/kvm/vmx/nested.c.
 */
#include <string.h>

#include "l1_internal.h"
#include "nested.h"
#include "test_assert.h"
#include "vmx.h"
#include "x86.h"

extern const u8 l1_vmx_start[], l1_vmx_end[], l1_vmx_run[], l1_vmx_exit[];

#define CPUID_VMX BIT_ULL(5) /* 1 ECX */
#define MAX_FIELDS 128

struct field {
	u64 encoding, value;
};

/* What L1's code reads and writes at L1_SCRATCH. */
struct l1_vmx_work {
	u64 saved[4], vmxon, vmcs, nr_fields, invept, descriptor[2], step, nr_stores, flags, unused[3];
	struct l1_exit last;
	u64 unused_c0[8];
	struct field field[MAX_FIELDS];
	struct l1_store store[L1_MAX_STORES];
};
_Static_assert(offsetof(struct l1_vmx_work, step) == L1V_STEP, "l1_vmx_work.step");
_Static_assert(offsetof(struct l1_vmx_work, flags) == L1V_FLAGS, "l1_vmx_work.flags");
_Static_assert(offsetof(struct l1_vmx_work, last) == L1V_LAST, "l1_vmx_work.last");
_Static_assert(offsetof(struct l1_vmx_work, field) == L1V_FIELDS, "l1_vmx_work.field");
_Static_assert(offsetof(struct l1_vmx_work, store) == L1V_STORES, "l1_vmx_work.store");
_Static_assert(sizeof(struct l1_vmx_work) <= L1_CONTROL - L1_SCRATCH, "L1_SCRATCH");

static struct l1_vmx_work *work_of(struct guest *guest)
{
	return vm_gpa2hva(guest->vm, L1_SCRATCH);
}

static u32 controls2_allowed(const struct guest *guest)
{
	if (!(vcpu_get_msr(guest->vcpu, MSR_VMX_PROCBASED) >> 32 & VMX_PROC_SECONDARY))
		return 0;
	return vcpu_get_msr(guest->vcpu, MSR_VMX_PROCBASED2) >> 32;
}

static const char *vmx_lacks(struct guest *guest, bool nested)
{
	const struct kvm_cpuid_entry2 *features = cpuid_entry(guest->vcpu->cpuid, 1, 0);

	if (!features || !(features->ecx & CPUID_VMX))
		return "KVM offers no VMX to guests (kvm_intel nested=0, or another backend)";
	if (nested && !(controls2_allowed(guest) & VMX_PROC2_EPT))
		return "KVM offers no nested paging to guests (kvm_intel ept=0)";
	return NULL;
}

static const char *vmx_cannot(const struct guest *guest, const struct mmu_state *state, bool nested)
{
	const enum paging_mode paging = state_modes[state->mode].paging;

	/* See l1_state() in lib/engine/l2.c; this L1 is 64-bit code. */
	if (!nested && guest->vm->card.tdp != YES &&
	    (paging == PAGING_2LEVEL || paging == PAGING_PAE))
		return "INVLPG by a 32-bit L2 of a 64-bit L1 takes a host down that shadows";
	if (paging != PAGING_NONE)
		return NULL;
	if (nested && controls2_allowed(guest) & VMX_PROC2_UNRESTRICTED)
		return NULL;
	/* SDM 24.8: CR0.PG is one of the bits that VMX operation fixes. */
	return "an L2 without paging needs nested paging and \"unrestricted guest\"";
}

struct ept_caps l1_ept_caps(struct guest *guest)
{
	u64 cap = vcpu_get_msr(guest->vcpu, MSR_VMX_EPT_VPID_CAP);

	return (struct ept_caps){
		.execonly = cap & EPT_CAP_EXECONLY,
		.walk_5 = cap & EPT_CAP_WALK_5,
		.mt_uc = cap & EPT_CAP_UC,
		.mt_wb = cap & EPT_CAP_WB,
		.page_2m = cap & EPT_CAP_2M,
		.page_1g = cap & EPT_CAP_1G,
		.ad = cap & EPT_CAP_AD,
		.advanced_info = cap & EPT_CAP_ADVANCED,
	};
}

static void vmx_init(struct guest *guest)
{
	u32 revision = vcpu_get_msr(guest->vcpu, MSR_VMX_BASIC) & VMX_BASIC_REVISION;
	u8 *ports = vm_gpa2hva(guest->vm, L1_IO_BITMAP);

	memcpy(vm_gpa2hva(guest->vm, L1_HOST_SAVE), &revision, sizeof(revision));
	memcpy(vm_gpa2hva(guest->vm, L1_CONTROL), &revision, sizeof(revision));
	memset(ports, 0xff, 0x2000);
	memset(ports + 0x2000, 0, 0x1000); /* no MSR exits */
	ports[AGENT_STRING_PORT / 8] &= (u8)~L1_OPEN_PORTS;
	vcpu_set_msr(guest->vcpu, MSR_FEATURE_CONTROL,
		     FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON);
}

static u64 vmx_full(enum paging_mode mode, int level, bool leaf)
{
	(void)mode;
	return EPT_RWX | (leaf ? (u64)EPT_MT_WB << EPT_MT_SHIFT : 0) |
	       (leaf && level > 1 ? EPT_PS : 0);
}

static u64 vmx_root(enum state_mode mode, gpa_t table)
{
	u64 levels = mode == MODE_5LEVEL ? 5 : 4;

	return table | EPT_MT_WB | (levels - 1) << EPTP_PWL_SHIFT;
}

static void put(struct l1_vmx_work *w, u64 encoding, u64 value)
{
	TEST_ASSERT(w->nr_fields < MAX_FIELDS, "more than %d VMCS fields", MAX_FIELDS);
	w->field[w->nr_fields++] = (struct field){ encoding, value };
}

/* The wanted controls, and those that must be 1; whether all wanted may be (3D A.2). */
static u32 controls(struct guest *guest, u32 msr, u32 wanted)
{
	bool exact = vcpu_get_msr(guest->vcpu, MSR_VMX_BASIC) & VMX_BASIC_TRUE;
	u64 allowed = vcpu_get_msr(guest->vcpu,
				   msr + (exact && msr != MSR_VMX_PROCBASED2 ? VMX_TRUE : 0));

	TEST_ASSERT(!(wanted & ~(u32)(allowed >> 32)), "VMX controls %#x of MSR %#x, allowed %#llx",
		    wanted, msr, (unsigned long long)allowed);
	return wanted | (u32)allowed;
}

static void put_controls(struct guest *guest, struct l1_vmx_work *w, const struct kvm_sregs *l2)
{
	const struct l1_setup *setup = &guest->l1->setup;
	bool ia32e = l2->efer & X86_EFER_LMA;
	u32 second = 0;

	if (setup->nested)
		second = VMX_PROC2_EPT | (controls2_allowed(guest) & VMX_PROC2_UNRESTRICTED);
	put(w, VMCS_PINBASED, controls(guest, MSR_VMX_PINBASED, 0));
	put(w, VMCS_PROCBASED,
	    controls(guest, MSR_VMX_PROCBASED,
		     VMX_PROC_IO_BITMAPS | VMX_PROC_MSR_BITMAPS | (second ? VMX_PROC_SECONDARY : 0)));
	if (second)
		put(w, VMCS_PROCBASED2, controls(guest, MSR_VMX_PROCBASED2, second));
	put(w, VMCS_EXIT_CONTROLS,
	    controls(guest, MSR_VMX_EXIT,
		     VMX_EXIT_HOST_64BIT | VMX_EXIT_SAVE_EFER | VMX_EXIT_LOAD_EFER));
	put(w, VMCS_ENTRY_CONTROLS,
	    controls(guest, MSR_VMX_ENTRY, VMX_ENTRY_LOAD_EFER | (ia32e ? VMX_ENTRY_IA32E : 0)));
	put(w, VMCS_IO_BITMAP_A, L1_IO_BITMAP);
	put(w, VMCS_IO_BITMAP_B, L1_IO_BITMAP + 0x1000);
	put(w, VMCS_MSR_BITMAP, L1_IO_BITMAP + 0x2000);
	/*
	 * Nothing but what always exits: L2's exceptions and control registers are its own, but for
	 * the bits that VMX operation fixes (SDM 24.8), which L2 need not know of.
	 */
	put(w, VMCS_EXCEPTIONS, 0);
	put(w, VMCS_PF_MASK, 0);
	put(w, VMCS_PF_MATCH, 0);
	put(w, VMCS_CR3_TARGETS, 0);
	put(w, VMCS_CR0_MASK, X86_CR0_NE);
	put(w, VMCS_CR4_MASK, X86_CR4_VMXE);
	put(w, VMCS_CR0_SHADOW, l2->cr0);
	put(w, VMCS_CR4_SHADOW, l2->cr4);
	put(w, VMCS_EXIT_MSR_STORES, 0);
	put(w, VMCS_EXIT_MSR_LOADS, 0);
	put(w, VMCS_ENTRY_MSR_LOADS, 0);
	put(w, VMCS_ENTRY_EVENT, 0);
	if (setup->nested)
		put(w, VMCS_EPTP, setup->root);
}

static void put_segments(struct l1_vmx_work *w, const struct kvm_sregs *s)
{
	const struct kvm_segment *const all[] = { &s->es, &s->cs, &s->ss,  &s->ds,
						  &s->fs, &s->gs, &s->ldt, &s->tr };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		const struct kvm_segment *g = all[i];
		u32 rights = g->type | g->s << 4 | g->dpl << 5 | g->present << 7 | g->avl << 12 |
			     g->l << 13 | g->db << 14 | g->g << 15;

		put(w, VMCS_GUEST_SELECTOR + 2 * i, g->selector);
		put(w, VMCS_GUEST_LIMIT + 2 * i, g->limit);
		put(w, VMCS_GUEST_RIGHTS + 2 * i, g->unusable ? 1u << 16 : rights);
		put(w, VMCS_GUEST_BASE + 2 * i, g->base);
	}
	put(w, VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
	put(w, VMCS_GUEST_GDTR_BASE, s->gdt.base);
	put(w, VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
	put(w, VMCS_GUEST_IDTR_BASE, s->idt.base);
}

/* With EPT the PDPTEs of a PAE guest are fields (SDM 27.3.2.4). */
static void put_pdptes(struct guest *guest, struct l1_vmx_work *w, const struct kvm_sregs *s)
{
	const struct l1_setup *setup = &guest->l1->setup;
	u64 pdptr[4];
	int i;

	if (!setup->nested || !(s->cr0 & X86_CR0_PG) || !(s->cr4 & X86_CR4_PAE) ||
	    s->efer & X86_EFER_LMA)
		return;
	memcpy(pdptr, vm_gpa2hva(guest->vm, s->cr3 & BITS_ULL(31, 5)), sizeof(pdptr));
	if (setup->l2_cr3)
		memcpy(pdptr, setup->l2_pdptr, sizeof(pdptr));
	for (i = 0; i < 4; i++)
		put(w, VMCS_GUEST_PDPTE + 2 * i, pdptr[i]);
}

static void put_guest(struct guest *guest, struct l1_vmx_work *w, const struct kvm_sregs *s,
		      const struct kvm_regs *regs)
{
	const u64 own_cr3 = guest->l1->setup.l2_cr3;

	put_segments(w, s);
	put_pdptes(guest, w, s);
	/* VMX operation demands NE and VMXE of L2, too (SDM 24.8). */
	put(w, VMCS_GUEST_CR0, s->cr0 | X86_CR0_NE);
	put(w, VMCS_GUEST_CR3, own_cr3 ? own_cr3 : s->cr3);
	put(w, VMCS_GUEST_CR4, s->cr4 | X86_CR4_VMXE);
	put(w, VMCS_GUEST_EFER, s->efer);
	put(w, VMCS_GUEST_DR7, 0x400);
	put(w, VMCS_GUEST_RSP, regs->rsp);
	put(w, VMCS_GUEST_RIP, regs->rip);
	put(w, VMCS_GUEST_RFLAGS, regs->rflags);
	put(w, VMCS_LINK_POINTER, ~0ull);
	put(w, VMCS_GUEST_DEBUGCTL, 0);
	put(w, VMCS_GUEST_INTERRUPTIBILITY, 0);
	put(w, VMCS_GUEST_ACTIVITY, 0);
	put(w, VMCS_GUEST_PENDING_DEBUG, 0);
	put(w, VMCS_GUEST_SYSENTER_CS, 0);
	put(w, VMCS_GUEST_SYSENTER_ESP, 0);
	put(w, VMCS_GUEST_SYSENTER_EIP, 0);
}

/* L1's own state, which an exit loads. */
static void put_host(struct l1_vmx_work *w, const struct kvm_sregs *own)
{
	static const u16 selectors[] = { SEL_DATA, SEL_CODE64, SEL_DATA, SEL_DATA,
					 SEL_DATA, SEL_DATA,   SEL_TSS64 };
	const u64 bases[] = { 0, 0, own->tr.base, own->gdt.base, own->idt.base };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(selectors); i++)
		put(w, VMCS_HOST_SELECTOR + 2 * i, selectors[i]);
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		put(w, VMCS_HOST_FS_BASE + 2 * i, bases[i]);
	put(w, VMCS_HOST_CR0, own->cr0);
	put(w, VMCS_HOST_CR3, own->cr3);
	put(w, VMCS_HOST_CR4, own->cr4);
	put(w, VMCS_HOST_EFER, own->efer);
	put(w, VMCS_HOST_SYSENTER_CS, 0);
	put(w, VMCS_HOST_SYSENTER_ESP, 0);
	put(w, VMCS_HOST_SYSENTER_EIP, 0);
	put(w, VMCS_HOST_RSP, L1_STACK_TOP);
	put(w, VMCS_HOST_RIP, L1_CODE + (l1_vmx_exit - l1_vmx_start));
}

/* May L2 end its batch, or its script, by itself? */
static void open_done(struct guest *guest)
{
	u8 *ports = vm_gpa2hva(guest->vm, L1_IO_BITMAP);
	const u8 bit = 1u << AGENT_DONE_PORT % 8;

	ports[AGENT_DONE_PORT / 8] |= bit;
	if (guest->l1->setup.open_done)
		ports[AGENT_DONE_PORT / 8] &= (u8)~bit;
}

static void put_invept(struct guest *guest, struct l1_vmx_work *w)
{
	const struct l1_setup *setup = &guest->l1->setup;
	static const u64 types[] = {
		[L1_FLUSH_ALL] = INVEPT_ALL, [L1_FLUSH_ROOT] = INVEPT_SINGLE, [L1_FLUSH_NONE] = 0
	};

	if (!setup->nested)
		return;
	w->invept = types[setup->flush];
	w->descriptor[0] = setup->flush == L1_FLUSH_ROOT ? setup->flush_root : 0;
}

/* L1 has run since the last exit: its registers are those that the exit loaded. */
static void check_own(struct guest *guest, const struct kvm_sregs *own)
{
	struct kvm_sregs s;

	vcpu_sregs_get(guest->vcpu, &s);
	TEST_ASSERT(s.cr0 == own->cr0 && s.cr3 == own->cr3 && s.cr4 == own->cr4 &&
		    s.efer == own->efer,
		    "behind a VM exit: CR0 %#llx CR3 %#llx CR4 %#llx EFER %#llx, host-state area: %#llx %#llx %#llx %#llx",
		    (unsigned long long)s.cr0, (unsigned long long)s.cr3,
		    (unsigned long long)s.cr4, (unsigned long long)s.efer,
		    (unsigned long long)own->cr0, (unsigned long long)own->cr3,
		    (unsigned long long)own->cr4, (unsigned long long)own->efer);
}

static void vmx_enter(struct guest *guest, const struct kvm_sregs *l2, struct kvm_sregs *own,
		      struct kvm_regs *regs)
{
	struct l1_vmx_work *w = work_of(guest);

	TEST_ASSERT(state_modes[guest->l1->setup.state.mode].code64,
		    "an L1 for VMX is 64-bit code");
	own->cr0 |= X86_CR0_NE;
	own->cr4 |= X86_CR4_VMXE;
	if (guest->l1->stayed)
		check_own(guest, own);
	memset(w, 0, sizeof(*w));
	w->flags = (guest->l1->stayed ? L1V_IS_ON : 0) |
		   (guest->l1->setup.stay ? L1V_STAY_ON : 0);
	guest->l1->stayed = guest->l1->setup.stay;
	w->vmxon = L1_HOST_SAVE;
	w->vmcs = L1_CONTROL;
	w->nr_stores = guest->l1->setup.nr_stores;
	TEST_ASSERT(w->nr_stores <= L1_MAX_STORES, "%u stores of L1's", guest->l1->setup.nr_stores);
	memcpy(w->store, guest->l1->setup.store, w->nr_stores * sizeof(w->store[0]));
	open_done(guest);
	put_invept(guest, w);
	put_controls(guest, w, l2);
	put_guest(guest, w, l2, regs);
	put_host(w, own);
	regs->rip = L1_CODE + (l1_vmx_run - l1_vmx_start);
	regs->rflags = X86_EFLAGS_FIXED;
}

static struct l1_exit vmx_last_exit(struct guest *guest)
{
	return work_of(guest)->last;
}

const struct l1_vendor l1_vmx = {
	.code = l1_vmx_start,
	.code_end = l1_vmx_end,
	.lacks = vmx_lacks,
	.cannot = vmx_cannot,
	.init = vmx_init,
	.full = vmx_full,
	.root = vmx_root,
	.enter = vmx_enter,
	.last_exit = vmx_last_exit,
};
