// SPDX-License-Identifier: GPL-2.0-only
/* A VM with the agent loaded: memory and tagged pages. */
#include <stdlib.h>
#include <string.h>

#include "guest_internal.h"
#include "l1.h"
#include "labels.h"
#include "test_assert.h"
#include "x86.h"

#define MAX_FRAMES 4096
#define DEFAULT_TIMEOUT_MS 500
/* Hosts with 4-level TDP cannot map guest physical addresses above 48 bits. */
#define MAX_ALIAS_BIT 47

const char *const agent_access_names[NR_AGENT_ACCESSES] = { "read", "write", "fetch", "ldt" };
const char *const agent_care_names[NR_CARES] = { "fast", "behind", "careful" };

u32 agent_access_offset(enum agent_access access)
{
	static const u32 offsets[NR_AGENT_ACCESSES] = { DATA_READ_OFFSET, DATA_WRITE_OFFSET,
							DATA_FETCH_OFFSET, DATA_LDT_OFFSET };

	return offsets[access];
}

/* Any mixing will do that keeps neighbouring pages apart in 20 bits, too. */
u32 guest_page_tag(gpa_t gpa)
{
	u64 gfn = gpa >> 12;

	return (u32)((gfn * 0x9e3779b97f4a7c15ull) >> 24) | 1;
}

u32 agent_tag(enum agent_access access, gpa_t gpa)
{
	/* A descriptor's limit has 20 bits. */
	return guest_page_tag(gpa) & (access == AGENT_LDT ? 0xfffff : ~0u);
}

bool guest_page_by_tag(const struct guest *guest, u32 tag, bool ldt, gpa_t *gpa)
{
	u32 mask = ldt ? 0xfffff : ~0u;
	u64 i;

	for (i = 0; i < guest->nr_frames; i++) {
		if (((guest_page_tag(guest->frame[i]) ^ tag) & mask) == 0) {
			*gpa = guest->frame[i];
			return true;
		}
	}
	return false;
}

void guest_fill_page(u8 *page, u32 tag)
{
	/* Data, read/write, accessed, DPL 3; the limit is the tag's low 20 bits. */
	u64 descriptor = (tag & 0xffff) | (u64)(tag & 0xf0000) << 32 | 0x40f3ull << 40;

	memcpy(page + DATA_READ_OFFSET, &tag, sizeof(tag));
	memcpy(page + DATA_WRITE_OFFSET + 8, &tag, sizeof(tag));
	memcpy(page + DATA_FETCH_OFFSET, agent_page_code, agent_page_code_end - agent_page_code);
	memcpy(page + DATA_FETCH_OFFSET + 1, &tag, sizeof(tag)); /* mov $tag, %eax */
	/* Behind the first tag, which is the end of an instruction in front of the page. */
	memcpy(page + DATA_READ_OFFSET + sizeof(tag), agent_page_note,
	       agent_page_code_end - agent_page_note);
	memcpy(page + DATA_FRONT_OFFSET, agent_page_front, DATA_FRONT_SIZE);
	memcpy(page + DATA_LDT_OFFSET, &descriptor, sizeof(descriptor));
}

bool guest_page_code_tag(const u8 *code, u32 *tag)
{
	size_t rest = 1 + sizeof(*tag);

	memcpy(tag, code + 1, sizeof(*tag));
	return code[0] == agent_page_code[0] &&
	       !memcmp(code + rest, agent_page_code + rest,
		       agent_page_code_end - agent_page_code - rest);
}

void guest_forget_code(struct guest *guest, gpa_t gpa)
{
	u8 *page = vm_gpa2hva(guest->vm, gpa & ~0xfffull);
	volatile u8 *code = page + DATA_FETCH_OFFSET;

	if (page)
		*code = *code;
}

void guest_tag_page(struct guest *guest, gpa_t gpa)
{
	u8 *page = vm_gpa2hva(guest->vm, gpa & ~0xfffull);
	u32 tag = guest_page_tag(gpa), mark;

	TEST_ASSERT(page, "no guest memory at %#llx", (unsigned long long)gpa);
	memcpy(&mark, page, sizeof(mark));
	if (mark == tag)
		return;
	TEST_ASSERT(guest->nr_frames < MAX_FRAMES, "more than %d data pages", MAX_FRAMES);
	guest->frame[guest->nr_frames++] = gpa & ~0xfffull;
	guest_fill_page(page, tag);
}

/*
 * What QEMU's emulated CPU does differently, where a guest would not survive it.
 *
 * A loaded TSS is busy, type 11.  QEMU keeps the type that LTR found before it set the busy
 * bit, and aborts ("invalid tss type") at a change of stacks when VMRUN gave it the type
 * that is right.
 *
 * PDPTEs are registers and have no accessed bit (SDM 3A 4.4.1, table 4-8: reserved).  QEMU
 * walks them in memory and sets it there; KVM then finds a reserved bit when it loads them
 * for a guest that changes CR0 or CR4, and raises #GP.
 *
 * EFER.LME = 1 is legal with CR4.PAE = 0 while CR0.PG = 0.  QEMU, at an exit from a guest in
 * that state, takes the host's CR0.PG = 1 for the guest's attempt to enter long mode without
 * PAE, leaves PG clear, and the host is gone.
 *
 * QEMU translates code once, and at each store to a page that code was executed in looks through all
 * it has of that page, of every mode and privilege level: microseconds, for a store.
 */
static void emulator_quirks(struct guest *guest)
{
	const struct host_card *card = &guest->vm->card;
	bool tcg = !strcmp(card->emulator, "qemu-tcg");

	guest->tss32_type = tcg ? 9 : 11;
	guest->marks_pdptes = tcg && card->tdp == YES;
	guest->lme_needs_pae = tcg && card->tdp == YES;
	guest->stores_meet_code = tcg;
}

/* Of a CPU with all that KVM supports, whatever the guest's is offered. */
static struct cpu_facts supported_facts(const struct vm *vm)
{
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vm->kvm_fd);
	const struct cpu_facts facts = cpuid_facts(cpuid);

	free(cpuid);
	return facts;
}

/*
 * Behind address bits that KVM supports and this CPU is not offered lies all memory again:
 * a host that lets the guest set them gets somewhere, and is seen to.
 */
static void add_hidden_aliases(struct guest *guest, const struct cpu_facts *supported)
{
	int bit, end = supported->maxphyaddr;

	for (bit = guest->cpu.maxphyaddr; bit < end && bit <= MAX_ALIAS_BIT; bit++) {
		vm_mem_alias(guest->vm, 0, GUEST_RAM_SIZE, BIT_ULL(bit));
		vm_mem_alias(guest->vm, DATA_HUGE, DATA_HUGE_SIZE, DATA_HUGE | BIT_ULL(bit));
	}
}

/* 4-MByte pages of the caller's lists may lie anywhere below 2^40 (PSE-36). */
static void add_listed_aliases(struct guest *guest, const struct cpu_facts *supported)
{
	const struct variant_list *list = &guest->area[AREA_2LEVEL_PSE].variants[2];
	u16 i;

	for (i = 0; i < list->nr; i++) {
		gpa_t gpa = entry_address(PAGING_2LEVEL, 2, true, list->bits[i] | DATA_LARGE,
					  supported);

		if (!(list->bits[i] & PTE_PS) || vm_gpa2hva(guest->vm, gpa))
			continue;
		vm_mem_add(guest->vm, gpa, DATA_LARGE_SIZE, VM_ANY_NODE);
		guest_tag_page(guest, gpa);
	}
}

/* A page that an entry reaches when one address bit above 4 GiB is set in it. */
static void add_aliases(struct guest *guest, const struct cpu_facts *supported)
{
	int bit, end = guest->cpu.maxphyaddr;
	u32 i;

	/* Beyond what KVM supports there is none, whatever the CPU is offered. */
	if (end > supported->maxphyaddr)
		end = supported->maxphyaddr;
	if (end > MAX_ALIAS_BIT + 1)
		end = MAX_ALIAS_BIT + 1;
	for (bit = 32; bit < end; bit++) {
		vm_mem_add(guest->vm, DATA_PAGE + BIT_ULL(bit), 0x1000, VM_ANY_NODE);
		guest_tag_page(guest, DATA_PAGE + BIT_ULL(bit));
	}
	for (bit = 32; bit < end && bit < 40 && supported->pse36; bit++) {
		vm_mem_add(guest->vm, DATA_LARGE + BIT_ULL(bit), DATA_LARGE_SIZE, VM_ANY_NODE);
		guest_tag_page(guest, DATA_LARGE + BIT_ULL(bit));
	}
	/* A 2-MByte page's table-index bits are part of its offset: any page may be hit. */
	for (i = 0; i < DATA_LARGE_SIZE; i += 0x1000)
		guest_tag_page(guest, DATA_LARGE + i);
	guest_tag_page(guest, DATA_PAGE);
	guest_tag_page(guest, DATA_HUGE);
	guest_tag_page(guest, AGENT_PROBE);
}

/* The tables of every area, and the memory that the model walks. */
static void images_init(struct guest *guest, struct variant_list (*variants)[MAX_LEVELS + 1])
{
	int i;

	for (i = 0; i < NR_TABLE_AREAS; i++) {
		struct table_image *t = &guest->area[i];

		t->image = calloc(1, TABLE_AREA_SIZE);
		TEST_ASSERT(t->image, "out of memory");
		tables_init(guest, i, variants);
		guest->range[i] = (struct phys_range){ t->base, TABLE_AREA_SIZE, t->image };
	}
	guest->memory = (struct phys_memory){ guest->range, NR_TABLE_AREAS };
}

/* Where variant_piece() leads in a 1-GByte page, which is tagged nowhere else. */
static void tag_huge_pieces(struct guest *guest)
{
	int i, level;

	for (i = 0; i < NR_TABLE_AREAS; i++) {
		const struct table_image *t = &guest->area[i];

		for (level = 1; level < 3 && t->variants[3].ps_is_page; level++)
			guest_tag_page(guest, DATA_HUGE | (u64)variant_piece(&t->variants[level])
					      << paging_formats[t->shape.mode].level[level].shift);
	}
}

static struct guest *guest_alloc(void)
{
	static u64 serial;
	struct guest *guest = calloc(1, sizeof(*guest));

	TEST_ASSERT(guest, "out of memory");
	guest->serial = ++serial;
	guest->frame = calloc(MAX_FRAMES, sizeof(*guest->frame));
	TEST_ASSERT(guest->frame, "out of memory");
	guest->timeout_ms = DEFAULT_TIMEOUT_MS;
	return guest;
}

struct guest *guest_create_model(const struct cpu_facts *cpu)
{
	struct guest *guest = guest_alloc();

	guest->cpu = *cpu;
	images_init(guest, NULL);
	return guest;
}

static void guest_init(struct guest *guest, struct variant_list (*variants)[MAX_LEVELS + 1])
{
	struct cpu_facts supported;
	u8 *ram;
	int i;

	emulator_quirks(guest);
	ram = vm_mem_add(guest->vm, 0, GUEST_RAM_SIZE, VM_ANY_NODE);
	vm_mem_add(guest->vm, DATA_HUGE, DATA_HUGE_SIZE, VM_ANY_NODE);
	guest->vcpu = vm_vcpu_add(guest->vm, 0);
	guest->cpu = cpuid_facts(guest->vcpu->cpuid);
	vcpu_sregs_get(guest->vcpu, &guest->reset);
	supported = supported_facts(guest->vm);
	add_aliases(guest, &supported);
	add_hidden_aliases(guest, &supported);

	memcpy(ram + AGENT_CODE, agent_start, agent_end - agent_start);
	memcpy(ram + AGENT_PROBE - DATA_FRONT_SIZE, agent_page_front, DATA_FRONT_SIZE);
	descriptors_init(ram);
	images_init(guest, variants);
	if (variants)
		add_listed_aliases(guest, &supported);
	else
		tag_huge_pieces(guest);
	for (i = 0; i < NR_TABLE_AREAS; i++)
		memcpy(ram + guest->area[i].base, guest->area[i].image, TABLE_AREA_SIZE);
}

struct guest *guest_create(struct variant_list (*variants)[MAX_LEVELS + 1])
{
	return guest_create_front(FRONT_NONE, variants);
}

struct guest *guest_create_front(enum page_front front,
				 struct variant_list (*variants)[MAX_LEVELS + 1])
{
	/* First: where there is no KVM, this ends the subtest. */
	struct vm *vm = vm_create_barebones();
	struct guest *guest = guest_alloc();
	struct test_scope scope;
	enum test_end how;

	guest->vm = vm;
	guest->front = front;
	how = setjmp(*test_scope_enter(&scope));
	if (how) {
		guest_free(guest);
		test_end_again(how, &scope);
	}
	guest_init(guest, variants);
	test_scope_leave(&scope);
	return guest;
}

void guest_free(struct guest *guest)
{
	int i;

	if (!guest)
		return;
	kvm_stats_close(guest->stats);
	vm_free(guest->vm);
	for (i = 0; i < NR_TABLE_AREAS; i++)
		free(guest->area[i].image);
	l1_free(guest);
	free(guest->frame);
	free(guest);
}

u32 state_pkru(const struct mmu_state *state)
{
	return state_modes[state->mode].long_mode ? GUEST_PKRU : GUEST_PKRU_IGNORED;
}

struct walk_regs guest_walk_regs(const struct guest *guest, const struct mmu_state *state)
{
	const struct role_regs r = state_regs(state);
	const struct table_image *t = &guest->area[state_area(state)];
	struct walk_regs regs = {
		.cr0 = r.cr0,
		.cr4 = r.cr4,
		.efer = r.efer,
		.pkru = state_pkru(state),
		.cs_l = state_modes[state->mode].code64,
	};

	if (r.cr0 & X86_CR0_PG)
		regs.cr3 = t->base + AREA_TEST + (paging_formats[t->shape.mode].levels - 1) * 0x1000;
	if (state->mode == MODE_PAE)
		walk_load_pdptrs(&guest->cpu, regs.cr3, &guest->memory, regs.pdptr);
	return regs;
}

/* Each entry's first byte holds A and D; nothing else of it may change. */
static bool same_tables(const u8 *now, const u8 *image, u32 size, int entry_bytes)
{
	u32 i;

	for (i = 0; i < size; i++) {
		u8 changed = now[i] ^ image[i];

		if (i % entry_bytes == 0)
			changed &= ~(PTE_A | PTE_D);
		if (changed)
			return false;
	}
	return true;
}

const char *guest_check_memory(const struct guest *guest, const struct mmu_state *state)
{
	const struct table_image *t = &guest->area[state_area(state)];
	const int entry_bytes = paging_formats[t->shape.mode].entry_bytes;
	const u8 *now = vm_gpa2hva(guest->vm, t->base);
	u64 i;

	if (!same_tables(now + AREA_TEST, t->image + AREA_TEST, AREA_COPY - AREA_TEST, entry_bytes))
		return "a test table changed in other bits than A and D";
	if (memcmp(now + AREA_COPY, t->image + AREA_COPY, AREA_AGENT - AREA_COPY))
		return "the copy of the test tables changed";
	if (!same_tables(now + AREA_AGENT, t->image + AREA_AGENT, TABLE_AREA_SIZE - AREA_AGENT,
			 entry_bytes))
		return "a table of the agent changed in other bits than A and D";
	for (i = 0; i < guest->nr_frames; i++) {
		u32 tag;

		memcpy(&tag, vm_gpa2hva(guest->vm, guest->frame[i]), sizeof(tag));
		if (tag != guest_page_tag(guest->frame[i]))
			return "the tag of a data page changed";
	}
	return NULL;
}
