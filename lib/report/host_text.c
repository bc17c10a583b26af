// SPDX-License-Identifier: GPL-2.0-only
/* The host card, printed: one table row per field serves both forms. */
#include <string.h>

#include "host_text.h"
#include "results_file.h"

enum field_kind { FIELD_TEXT, FIELD_TRISTATE, FIELD_NUMBER };

static const struct card_field {
	const char *key;   /* in JSON: the name of the struct member */
	const char *label; /* for people */
	enum field_kind kind;
	size_t offset, size;
} fields[] = {
#define FIELD(kind, member, label)                                          \
	{ #member, label, FIELD_##kind, offsetof(struct host_card, member), \
	  sizeof(((struct host_card *)0)->member) }
	FIELD(TEXT, kernel, "kernel"),
	FIELD(TEXT, kernel_version, "kernel build"),
	FIELD(TEXT, cpu_vendor, "CPU vendor"),
	FIELD(TEXT, cpu_model, "CPU model"),
	FIELD(NUMBER, cpus, "CPUs"),
	FIELD(NUMBER, numa_nodes, "NUMA nodes"),
	FIELD(TEXT, emulator, "runs under"),
	FIELD(TEXT, emulator_version, "emulator version"),
	FIELD(TEXT, backend, "KVM backend"),
	FIELD(TRISTATE, tdp, "EPT/NPT"),
	FIELD(TRISTATE, tdp_mmu, "TDP MMU"),
	FIELD(TRISTATE, nested, "nested"),
	FIELD(TRISTATE, fep, "forced emulation"),
	FIELD(TRISTATE, smaller_maxphyaddr, "low MAXPHYADDR"),
	FIELD(TRISTATE, tdx, "TDX"),
	FIELD(NUMBER, maxphyaddr, "MAXPHYADDR"),
	FIELD(TRISTATE, lm, "long mode"),
	FIELD(TRISTATE, la57, "LA57"),
	FIELD(TRISTATE, nx, "NX"),
	FIELD(TRISTATE, gbpages, "1G pages"),
	FIELD(TRISTATE, pse36, "PSE-36"),
	FIELD(TRISTATE, smep, "SMEP"),
	FIELD(TRISTATE, smap, "SMAP"),
	FIELD(TRISTATE, pku, "PKU"),
#undef FIELD
};

json_t *host_card_json(const struct host_card *card)
{
	json_t *object = json_object(), *value = NULL;
	const struct card_field *field;
	const char *at;
	size_t i;
	int number;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		field = &fields[i];
		at = (const char *)card + field->offset;
		switch (field->kind) {
		case FIELD_TEXT:
			value = json_text(at);
			break;
		case FIELD_TRISTATE:
			number = *(const enum tristate *)at;
			value = number == UNKNOWN ? json_null() : json_boolean(number);
			break;
		case FIELD_NUMBER:
			number = *(const int *)at;
			value = number < 0 ? json_null() : json_integer(number);
			break;
		}
		json_object_set_new(object, field->key, value);
	}
	json_object_set_new(object, "kvm_device", json_text(kvm_device_path()));
	json_object_set_new(object, "kvm_error",
			    card->kvm_error[0] ? json_text(card->kvm_error) : json_null());
	return object;
}

const char *host_field_label(const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].key, key))
			return fields[i].label;
	if (!strcmp(key, "kvm_device"))
		return "KVM device";
	return strcmp(key, "kvm_error") ? key : "KVM";
}

void host_card_from_json(const json_t *object, struct host_card *card)
{
	const struct card_field *field;
	json_t *value;
	size_t i;
	char *at;

	memset(card, 0, sizeof(*card));
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		field = &fields[i];
		at = (char *)card + field->offset;
		value = json_object_get(object, field->key);
		switch (field->kind) {
		case FIELD_TEXT:
			snprintf(at, field->size, "%s", json_string_value(value) ?: "unknown");
			break;
		case FIELD_TRISTATE:
			*(enum tristate *)at = json_is_boolean(value) ? json_is_true(value) :
									UNKNOWN;
			break;
		case FIELD_NUMBER:
			*(int *)at = json_is_integer(value) ? json_integer_value(value) : -1;
			break;
		}
	}
}

static void print_field(const char *label, const char *value, FILE *to)
{
	fprintf(to, "%s:%*s%s\n", label, (int)(18 - strlen(label)), "", value);
}

void host_card_print(const struct host_card *card, FILE *to)
{
	const struct card_field *field;
	const char *at, *value;
	char number[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		field = &fields[i];
		at = (const char *)card + field->offset;
		value = "unknown";
		switch (field->kind) {
		case FIELD_TEXT:
			value = at;
			break;
		case FIELD_TRISTATE:
			if (*(const enum tristate *)at != UNKNOWN)
				value = *(const enum tristate *)at == YES ? "yes" : "no";
			break;
		case FIELD_NUMBER:
			snprintf(number, sizeof(number), "%d", *(const int *)at);
			if (*(const int *)at >= 0)
				value = number;
			break;
		}
		print_field(field->label, value, to);
	}
	if (card->kvm_error[0])
		print_field("KVM", card->kvm_error, to);
	else
		fprintf(to, "KVM:%*s%s is usable\n", 15, "", kvm_device_path());
}
