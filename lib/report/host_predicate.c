// SPDX-License-Identifier: GPL-2.0-only
/* Host predicates: version comparisons, and the fields that are compared. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_predicate.h"

/* Takes the next number of "6.1.0": false at the end of the dotted numbers. */
static bool next_number(const char **text, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoul(*text, &end, 10);
	*text = *end == '.' ? end + 1 : end;
	return true;
}

static int compare_versions(const char *a, const char *b)
{
	unsigned long x, y;
	bool more_a, more_b;

	for (;;) {
		x = y = 0;
		more_a = next_number(&a, &x);
		more_b = next_number(&b, &y);
		if (!more_a && !more_b)
			return 0;
		if (x != y)
			return x < y ? -1 : 1;
	}
}

static const char *const operators[] = { ">=", "<=", "!=", "==", "=", ">", "<" };

/* The operator a comparison begins with, or NULL. */
static const char *comparison_operator(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operators); i++)
		if (!strncmp(word, operators[i], strlen(operators[i])))
			return operators[i];
	return NULL;
}

static bool compare_holds(const char *version, const char *operator, const char *limit)
{
	int order = compare_versions(version, limit);

	switch (operator[0]) {
	case '>':
		return operator[1] ? order >= 0 : order > 0;
	case '<':
		return operator[1] ? order <= 0 : order < 0;
	case '!':
		return order != 0;
	default:
		return order == 0;
	}
}

bool version_matches(const char *version, const char *comparisons)
{
	const char *word = comparisons, *operator;

	if (!isdigit((unsigned char)*version))
		return false;
	for (;;) {
		word += strspn(word, " ");
		if (!*word)
			return true;
		operator = comparison_operator(word);
		if (!operator || !compare_holds(version, operator, word + strlen(operator)))
			return false;
		word += strcspn(word, " ");
	}
}

/* "6.1.0" and nothing else. */
static bool is_dotted_number(const char *text, size_t length)
{
	bool digit = false;
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] == '.' && digit)
			digit = false;
		else if (isdigit((unsigned char)text[i]))
			digit = true;
		else
			return false;
	}
	return digit;
}

static bool comparisons_well_formed(const char *comparisons)
{
	const char *word = comparisons, *operator;
	bool any = false;
	size_t length;

	for (;;) {
		word += strspn(word, " ");
		if (!*word)
			return any;
		operator = comparison_operator(word);
		if (!operator)
			return false;
		word += strlen(operator);
		length = strcspn(word, " ");
		if (!is_dotted_number(word, length))
			return false;
		word += length;
		any = true;
	}
}

/* The fields a predicate can have: one row each. */
enum field_kind { FIELD_TEXT, FIELD_VERSION, FIELD_TRISTATE };

static const struct host_field {
	const char *name;
	enum field_kind kind;
	size_t offset;
} host_fields[] = {
	{ "backend", FIELD_TEXT, offsetof(struct host_card, backend) },
	{ "tdp", FIELD_TRISTATE, offsetof(struct host_card, tdp) },
	{ "smaller_maxphyaddr", FIELD_TRISTATE,
	  offsetof(struct host_card, smaller_maxphyaddr) },
	{ "la57", FIELD_TRISTATE, offsetof(struct host_card, la57) },
	{ "emulator", FIELD_TEXT, offsetof(struct host_card, emulator) },
	{ "emulator_version", FIELD_VERSION, offsetof(struct host_card, emulator_version) },
	{ "kernel", FIELD_VERSION, offsetof(struct host_card, kernel) },
	{ "cpu_vendor", FIELD_TEXT, offsetof(struct host_card, cpu_vendor) },
};

static const struct host_field *find_host_field(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(host_fields); i++)
		if (!strcmp(name, host_fields[i].name))
			return &host_fields[i];
	return NULL;
}

static bool host_field_matches(const struct host_field *field, json_t *wanted,
			       const struct host_card *host)
{
	const char *at = (const char *)host + field->offset;
	const char *text = json_string_value(wanted);

	switch (field->kind) {
	case FIELD_TEXT:
		/* What the host did not tell is not known to be something else, either. */
		if (*text == '!')
			return strcmp(at, text + 1) && strcmp(at, "unknown");
		return !strcmp(at, text);
	case FIELD_VERSION:
		return version_matches(at, text);
	case FIELD_TRISTATE:
		/* What the host did not tell matches neither true nor false. */
		return *(const enum tristate *)at == (json_is_true(wanted) ? YES : NO);
	}
	return false;
}

bool host_predicate_check(json_t *predicate, char *error, size_t size)
{
	const struct host_field *field;
	const char *name, *text;
	json_t *value;

	if (!json_is_object(predicate) || !json_object_size(predicate)) {
		snprintf(error, size, "'host' must be an object with at least one field");
		return false;
	}
	json_object_foreach(predicate, name, value) {
		field = find_host_field(name);
		text = json_string_value(value);
		if (!field)
			snprintf(error, size, "unknown field 'host.%s'", name);
		else if (field->kind == FIELD_TRISTATE && !json_is_boolean(value))
			snprintf(error, size, "'host.%s' must be true or false", name);
		else if (field->kind != FIELD_TRISTATE && (!text || !*text || !strcmp(text, "!")))
			snprintf(error, size, "'host.%s' must be a text that is not empty", name);
		else if (field->kind == FIELD_VERSION && !comparisons_well_formed(text))
			snprintf(error, size,
				 "'host.%s' must be comparisons such as '>=6.1 <7.4', not '%s'",
				 name, text);
		else
			continue;
		return false;
	}
	return true;
}

bool host_predicate_matches(json_t *predicate, const struct host_card *host)
{
	const char *name;
	json_t *value;

	json_object_foreach(predicate, name, value)
		if (!host_field_matches(find_host_field(name), value, host))
			return false;
	return true;
}
