// SPDX-License-Identifier: GPL-2.0-only
/* CPUs offered with less than KVM supports: see include/cpu_offer.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_offer.h"
#include "test_assert.h"
#include "vm.h"

#define PREFIX "cpu-"

static struct cpu_offer used;

void cpu_offer_use(const struct cpu_offer *offer)
{
	used = *offer;
}

const struct cpu_offer *cpu_offer_used(void)
{
	return &used;
}

void cpu_offer_text(const struct cpu_offer *offer, char text[CPU_OFFER_LEN])
{
	char width[12] = "";

	if (offer->maxphyaddr)
		snprintf(width, sizeof(width), ",phys%u", offer->maxphyaddr);
	snprintf(text, CPU_OFFER_LEN, "%s%s%s%s", width, offer->no_1g ? ",no-1g" : "",
		 offer->no_pse36 ? ",no-pse36" : "",
		 offer->intel ? ",intel" :
		 offer->amd   ? ",amd" :
				"");
	if (!*text)
		return;
	/* The first comma makes room. */
	memmove(text + strlen(PREFIX), text + 1, strlen(text));
	memcpy(text, PREFIX, strlen(PREFIX));
	strcat(text, "/");
}

static bool parse_word(const char *word, size_t len, struct cpu_offer *offer)
{
	char *end;

	if (len == 6 && !memcmp(word, "phys", 4) && !offer->maxphyaddr) {
		unsigned long width = strtoul(word + 4, &end, 10);

		if (end != word + len || width < 32 || width > 52)
			return false;
		offer->maxphyaddr = width;
		return true;
	}
	if (len == 5 && !memcmp(word, "no-1g", len) && !offer->no_1g)
		return offer->no_1g = true;
	if (len == 8 && !memcmp(word, "no-pse36", len) && !offer->no_pse36)
		return offer->no_pse36 = true;
	if (len == 5 && !memcmp(word, "intel", len) && !offer->intel && !offer->amd)
		return offer->intel = true;
	if (len == 3 && !memcmp(word, "amd", len) && !offer->intel && !offer->amd)
		return offer->amd = true;
	return false;
}

const char *cpu_offer_parse(const char *text, struct cpu_offer *offer, const char **rest)
{
	*offer = (struct cpu_offer){ 0 };
	*rest = text;
	if (strncmp(text, PREFIX, strlen(PREFIX)))
		return NULL;
	text += strlen(PREFIX);
	for (;;) {
		size_t len = strcspn(text, ",/");

		if (!parse_word(text, len, offer) || !text[len])
			return "a CPU is cpu-physN,no-1g,no-pse36,intel/ (or amd; any of them, N from 32 to 52)";
		text += len + 1;
		if (text[-1] == '/')
			break;
	}
	*rest = text;
	return NULL;
}

/* "GenuineIntel", "AuthenticAMD": EBX, EDX, ECX. */
static void set_vendor(struct kvm_cpuid_entry2 *e)
{
	if (e && used.intel) {
		e->ebx = 0x756e6547;
		e->edx = 0x49656e69;
		e->ecx = 0x6c65746e;
	}
	if (e && used.amd) {
		e->ebx = 0x68747541;
		e->edx = 0x69746e65;
		e->ecx = 0x444d4163;
	}
}

void cpu_offer_apply(struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *l1 = cpuid_entry(cpuid, 1, 0);
	struct kvm_cpuid_entry2 *e1 = cpuid_entry(cpuid, 0x80000001, 0);
	struct kvm_cpuid_entry2 *e8 = cpuid_entry(cpuid, 0x80000008, 0);

	if (used.maxphyaddr) {
		TEST_REQUIRE(e8 && (e8->eax & 0xff) >= used.maxphyaddr,
			     "the CPU has no %u physical-address bits", used.maxphyaddr);
		e8->eax = (e8->eax & ~0xffu) | used.maxphyaddr;
	}
	if (used.wider && e8) {
		TEST_REQUIRE((e8->eax & 0xff) + used.wider <= 52,
			     "no CPU has more physical-address bits than the host's (52 at most)");
		e8->eax += used.wider;
	}
	set_vendor(cpuid_entry(cpuid, 0, 0));
	set_vendor(cpuid_entry(cpuid, 0x80000000, 0));
	if (used.no_1g && e1)
		e1->edx &= ~(1u << 26);
	if (used.no_pse36 && l1)
		l1->edx &= ~(1u << 17);
	/* AMD repeats it (APM3 E.4.2). */
	if (used.no_pse36 && e1)
		e1->edx &= ~(1u << 17);
}
