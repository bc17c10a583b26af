// SPDX-License-Identifier: GPL-2.0-only
/* The regions of shared tables, their contents and their copy; see include/shared_tables.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shared_tables.h"
#include "test_assert.h"
#include "x86.h"

#define PAGE 0x1000ull
/* Above those that vm_mem_add() hands out. */
#define FIRST_SLOT 100
#define LARGE_ALIGN 0x400000ull

/* Fixed pages of the arena: what every address space has. */
#define AGENT8 (ARENA_GPA + 0 * PAGE)  /* 4 PTs: the agent's 8 MiB */
#define AGENT4 (ARENA_GPA + 4 * PAGE)  /* 2 PTs */
#define WINDOW8 (ARENA_GPA + 6 * PAGE)
#define WINDOW4 (ARENA_GPA + 7 * PAGE)
#define LOW8 (ARENA_GPA + 8 * PAGE)    /* PD of the first GiB */
#define FIRST_DATA 128

/* Pages of the big region that hold something; the rest is never looked at. */
static const u64 big_pages[] = { 0, PAGE, 0x1ff000, 0x200000, 0x3ff000, 0x400000, 0x401000,
				 0x600000, 0x801000, 0xa01000, BIG_LAST - 0x200000,
				 BIG_LAST - 0x100000, BIG_LAST };

/* What belongs to a region may end within a large page; its mapping does not. */
static u64 mapped_size(u64 size)
{
	return (size + LARGE_ALIGN - 1) & ~(LARGE_ALIGN - 1);
}

static void *map_pages(u64 size, bool large)
{
	u64 extra = large ? LARGE_ALIGN : 0;
	u8 *p = mmap(NULL, size + extra, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *start;

	TEST_ASSERT(p != MAP_FAILED, "no %#llx bytes of memory", (unsigned long long)size);
	start = (u8 *)(((uintptr_t)p + extra) & ~(extra ? extra - 1 : 0));
	/* The parts before and behind are given back, so that size is all there is to unmap. */
	if (start > p)
		munmap(p, start - p);
	if (p + extra > start)
		munmap(start + size, p + extra - start);
	madvise(start, size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return start;
}

static void mem_init(struct shared_mem *m, enum shared_region region, const char *name, gpa_t gpa,
		     u64 size, int backings)
{
	int i;

	*m = (struct shared_mem){ .name = name, .slot = FIRST_SLOT + region, .gpa = gpa,
				  .size = size };
	for (i = 0; i < backings; i++) {
		m->host[i] = map_pages(mapped_size(size), region == REGION_BIG);
		m->copy[i] = map_pages(mapped_size(size), false);
	}
}

struct shared_tables *shared_create(void)
{
	struct shared_tables *s = calloc(1, sizeof(*s));

	TEST_ASSERT(s, "out of memory");
	s->guest = guest_create(NULL);
	mem_init(&s->mem[REGION_ARENA], REGION_ARENA, "arena", ARENA_GPA, ARENA_PAGES * PAGE, 1);
	mem_init(&s->mem[REGION_SLOT], REGION_SLOT, "slot", SLOT_GPA, SLOT_PAGES * PAGE, 2);
	mem_init(&s->mem[REGION_BIG], REGION_BIG, "big", BIG_GPA, BIG_SIZE, 1);
	return s;
}

void shared_free(struct shared_tables *shared)
{
	int r, b;

	if (!shared)
		return;
	guest_free(shared->guest);
	for (r = 0; r < NR_REGIONS; r++) {
		struct shared_mem *m = &shared->mem[r];

		for (b = 0; b < 2 && m->host[b]; b++) {
			munmap(m->host[b], mapped_size(m->size));
			munmap(m->copy[b], mapped_size(m->size));
		}
	}
	free(shared);
}

/* The model's memory is what is there now. */
static void update_ranges(struct shared_tables *s)
{
	unsigned int nr = 0;
	int r;

	for (r = 0; r < NR_REGIONS; r++)
		if (s->mem[r].present)
			s->range[nr++] = (struct phys_range){ s->mem[r].gpa, s->mem[r].size,
							      s->mem[r].copy[s->mem[r].backing] };
	s->memory = (struct phys_memory){ s->range, nr };
}

struct shared_mem *shared_mem_at(struct shared_tables *shared, gpa_t gpa)
{
	int r;

	for (r = 0; r < NR_REGIONS; r++) {
		struct shared_mem *m = &shared->mem[r];

		if (m->present && gpa >= m->gpa && gpa - m->gpa < m->size)
			return m;
	}
	return NULL;
}

u8 *shared_copy(struct shared_tables *shared, gpa_t gpa)
{
	struct shared_mem *m = shared_mem_at(shared, gpa);

	return m ? m->copy[m->backing] + (gpa - m->gpa) : NULL;
}

u8 *shared_host(struct shared_tables *shared, gpa_t gpa)
{
	struct shared_mem *m = shared_mem_at(shared, gpa);

	return m ? m->host[m->backing] + (gpa - m->gpa) : NULL;
}

static void set_bit(u64 *bits, u64 n)
{
	bits[n / 64] |= BIT_ULL(n % 64);
}

static void note_dirty(struct shared_tables *s, gpa_t gpa, bool must)
{
	struct shared_mem *m = shared_mem_at(s, gpa);

	if (!m || m->size > REGION_MAX_PAGES * PAGE)
		return;
	set_bit(must ? m->must_dirty : m->may_dirty, (gpa - m->gpa) / PAGE);
	set_bit(m->used, (gpa - m->gpa) / PAGE);
}

void shared_follow(struct shared_tables *shared, gpa_t gpa, u64 value, u8 bytes)
{
	memcpy(shared_copy(shared, gpa), &value, bytes);
	note_dirty(shared, gpa, true);
}

void shared_put(struct shared_tables *shared, gpa_t gpa, u64 value, u8 bytes)
{
	TEST_ASSERT(shared_mem_at(shared, gpa), "no memory at %#llx", (unsigned long long)gpa);
	memcpy(shared_copy(shared, gpa), &value, bytes);
	memcpy(shared_host(shared, gpa), &value, bytes);
}

static void put8(struct shared_tables *s, gpa_t table, unsigned int index, u64 entry)
{
	shared_put(s, table + 8 * index, entry, 8);
}

static void put4(struct shared_tables *s, gpa_t table, unsigned int index, u64 entry)
{
	shared_put(s, table + 4 * index, entry, 4);
}

/* The first GiB of every address space: the agent as agent.h says, and the window. */
static void write_low(struct shared_tables *s)
{
	unsigned int i;

	for (i = 0; i < AGENT_LINEAR_END >> 12; i++) {
		u64 entry = (i % (AGENT_USER_ALIAS >> 12)) * PAGE |
			    (i < AGENT_USER_ALIAS >> 12 ? E_SRW : E_RW);

		put8(s, AGENT8, i, entry);
		put4(s, AGENT4, i, entry);
	}
	for (i = 0; i < ARENA_PAGES; i++) {
		put8(s, WINDOW8, i, (ARENA_GPA + i * PAGE) | E_SRW);
		put4(s, WINDOW4, i, (ARENA_GPA + i * PAGE) | E_SRW);
	}
	for (i = 0; i < 4; i++)
		put8(s, LOW8, i, (AGENT8 + i * PAGE) | E_RW);
	put8(s, LOW8, SHARED_WINDOW >> 21, WINDOW8 | E_RW);
}

static void write_roots(struct shared_tables *s, unsigned int set)
{
	put4(s, ROOT_PD(set), 0, AGENT4 | E_RW);
	put4(s, ROOT_PD(set), 1, (AGENT4 + PAGE) | E_RW);
	put4(s, ROOT_PD(set), SHARED_WINDOW >> 22, WINDOW4 | E_RW);
	put8(s, ROOT_PAE(set), 0, LOW8 | E_PAE);
	put8(s, ROOT_PDPT(set), 0, LOW8 | E_RW);
	put8(s, ROOT_PML4(set), 0, ROOT_PDPT(set) | E_RW);
	put8(s, ROOT_PML5(set), 0, ROOT_PML4(set) | E_RW);
}

/* Tags differ between pages and between the two sets of contents. */
static void fill_pages(struct shared_mem *m)
{
	u64 i;
	int b;

	for (b = 0; b < 2 && m->host[b]; b++) {
		if (m->size == BIG_SIZE) {
			for (i = 0; i < ARRAY_SIZE(big_pages); i++)
				guest_fill_page(m->copy[b] + big_pages[i],
						guest_page_tag(m->gpa + big_pages[i]));
			for (i = 0; i < ARRAY_SIZE(big_pages); i++)
				memcpy(m->host[b] + big_pages[i], m->copy[b] + big_pages[i], PAGE);
			continue;
		}
		memset(m->copy[b], 0, m->size);
		for (i = m->gpa == ARENA_GPA ? FIRST_DATA : 0; i < m->size / PAGE; i++)
			guest_fill_page(m->copy[b] + i * PAGE,
					guest_page_tag(m->gpa + i * PAGE + ((u64)b << 36)));
		memcpy(m->host[b], m->copy[b], m->size);
	}
}

static void set_slot(struct shared_tables *s, struct shared_mem *m, u64 size)
{
	struct kvm_userspace_memory_region region = {
		.slot = m->slot,
		.flags = (m->log ? KVM_MEM_LOG_DIRTY_PAGES : 0) |
			 (m->readonly ? KVM_MEM_READONLY : 0),
		.guest_phys_addr = m->gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)m->host[m->backing],
	};
	int err = __vm_ioctl(s->guest->vm, KVM_SET_USER_MEMORY_REGION, &region);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %s flags %#x gpa %#llx size %#llx: %s",
		    m->name, region.flags, (unsigned long long)m->gpa, (unsigned long long)size,
		    strerror(err));
	update_ranges(s);
}

void shared_delete(struct shared_tables *shared, enum shared_region region)
{
	struct shared_mem *m = &shared->mem[region];

	if (!m->present)
		return;
	m->present = m->log = m->readonly = false;
	set_slot(shared, m, 0);
}

void shared_add(struct shared_tables *shared, enum shared_region region, bool readonly, u8 backing)
{
	struct shared_mem *m = &shared->mem[region];

	TEST_ASSERT(!m->present, "slot %s is there already", m->name);
	m->present = true;
	m->readonly = readonly;
	m->backing = backing;
	memset(m->must_dirty, 0, sizeof(m->must_dirty));
	memset(m->may_dirty, 0, sizeof(m->may_dirty));
	memset(m->used, 0, sizeof(m->used));
	/* Fixed pages and roots: the agent itself runs through these. */
	if (region == REGION_ARENA)
		m->used[0] = ~0ull;
	set_slot(shared, m, m->size);
}

void shared_move(struct shared_tables *shared, enum shared_region region, gpa_t gpa)
{
	struct shared_mem *m = &shared->mem[region];

	m->gpa = gpa;
	set_slot(shared, m, m->size);
}

void shared_log(struct shared_tables *shared, enum shared_region region, bool on)
{
	struct shared_mem *m = &shared->mem[region];

	m->log = on;
	memset(m->must_dirty, 0, sizeof(m->must_dirty));
	memset(m->may_dirty, 0, sizeof(m->may_dirty));
	set_slot(shared, m, m->size);
}

void shared_read_log(struct shared_tables *shared, enum shared_region region,
		     u64 log[REGION_MAX_PAGES / 64])
{
	struct shared_mem *m = &shared->mem[region];
	struct kvm_dirty_log arg = { .slot = m->slot, .dirty_bitmap = log };
	int err;

	memset(log, 0, REGION_MAX_PAGES / 8);
	err = __vm_ioctl(shared->guest->vm, KVM_GET_DIRTY_LOG, &arg);
	TEST_ASSERT(!err, "KVM_GET_DIRTY_LOG slot %s: %s", m->name, strerror(err));
}

void shared_drop(struct shared_tables *shared, gpa_t gpa)
{
	u8 *host = shared_host(shared, gpa);

	TEST_ASSERT(host, "no memory at %#llx", (unsigned long long)gpa);
	TEST_ASSERT(!madvise(host, PAGE, MADV_DONTNEED), "MADV_DONTNEED at %#llx",
		    (unsigned long long)gpa);
	memset(shared_copy(shared, gpa), 0, PAGE);
}

void shared_reset(struct shared_tables *shared)
{
	static const gpa_t home[NR_REGIONS] = { ARENA_GPA, SLOT_GPA, BIG_GPA };
	unsigned int i;
	int r;

	/* When a slot goes, KVM drops what it made of it. */
	for (r = 0; r < NR_REGIONS; r++) {
		shared_delete(shared, r);
		shared->mem[r].gpa = home[r];
		fill_pages(&shared->mem[r]);
	}
	for (r = 0; r < NR_REGIONS; r++)
		shared_add(shared, r, false, 0);
	write_low(shared);
	write_roots(shared, 0);
	write_roots(shared, 1);
	for (i = 0; i < shared->nr_seats; i++)
		shared->seat[i].entered = false;
}

gpa_t shared_root(const struct mmu_state *state, unsigned int set)
{
	switch (state_modes[state->mode].paging) {
	case PAGING_2LEVEL:
		return ROOT_PD(set);
	case PAGING_PAE:
		return ROOT_PAE(set);
	case PAGING_4LEVEL:
		return ROOT_PML4(set);
	case PAGING_5LEVEL:
		return ROOT_PML5(set);
	default:
		return 0;
	}
}

struct seat *shared_add_seat(struct shared_tables *shared)
{
	struct seat *seat = &shared->seat[shared->nr_seats];

	TEST_ASSERT(shared->nr_seats < MAX_SEATS, "more than %d seats", MAX_SEATS);
	seat_init(seat, shared->guest, shared->nr_seats);
	shared->nr_seats++;
	return seat;
}

void shared_load_pdptrs(struct shared_tables *shared, struct seat *seat)
{
	if (seat->state.mode == MODE_PAE)
		walk_load_pdptrs(&shared->guest->cpu, seat->cr3, &shared->memory,
				 shared->pdptr[seat->nr]);
}

struct walk_regs shared_walk_regs(const struct shared_tables *shared, const struct seat *seat)
{
	const struct role_regs r = state_regs(&seat->state);
	struct walk_regs regs = {
		.cr0 = r.cr0,
		.cr3 = seat->cr3,
		.cr4 = r.cr4,
		.efer = r.efer,
		.cs_l = state_modes[seat->state.mode].code64,
	};

	memcpy(regs.pdptr, shared->pdptr[seat->nr], sizeof(regs.pdptr));
	return regs;
}

void shared_note_access(struct shared_tables *shared, const struct walk_result *walk,
			enum access_kind kind)
{
	int i;

	for (i = 0; i < walk->nr_steps; i++) {
		const struct walk_step *step = &walk->step[i];
		u8 *copy = shared_copy(shared, step->entry_gpa);
		u8 *host = shared_host(shared, step->entry_gpa);
		u8 bits;

		if (!step->entry_gpa || !copy)
			continue;
		/* Under NPT a walk counts as a write to the table (APM2 15.25.5). */
		note_dirty(shared, step->entry_gpa, false);
		bits = (step->must_set & ~step->entry) | (*host & step->may_set & ~step->entry);
		if (bits) {
			*copy |= bits;
			note_dirty(shared, step->entry_gpa, true);
		}
	}
	if (walk->outcome == WALK_OK)
		note_dirty(shared, walk->gpa, kind == ACCESS_WRITE);
}

void shared_clean_pdptes(struct shared_tables *shared)
{
	int set, i;

	if (!shared->guest->marks_pdptes || !shared->mem[REGION_ARENA].present)
		return;
	for (set = 0; set < 2; set++)
		for (i = 0; i < 4; i++)
			*shared_host(shared, ROOT_PAE(set) + 8 * i) &= ~PTE_A;
}

static bool differs(const u8 *a, const u8 *b, u64 size, u64 *at)
{
	if (!memcmp(a, b, size))
		return false;
	for (*at = 0; a[*at] == b[*at]; (*at)++)
		;
	return true;
}

bool shared_memory_differs(struct shared_tables *shared, gpa_t *gpa)
{
	u64 at, i;
	int r;

	shared_clean_pdptes(shared);
	for (r = 0; r < NR_REGIONS; r++) {
		struct shared_mem *m = &shared->mem[r];
		u8 *host = m->host[m->backing], *copy = m->copy[m->backing];

		if (m->size == BIG_SIZE) {
			for (i = 0; i < ARRAY_SIZE(big_pages); i++) {
				*gpa = m->gpa + big_pages[i];
				if (differs(host + big_pages[i], copy + big_pages[i], PAGE, &at)) {
					*gpa += at;
					return true;
				}
			}
		} else if (differs(host, copy, m->size, &at)) {
			*gpa = m->gpa + at;
			return true;
		}
	}
	return false;
}
