/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of an object that may be missing or of another type: what is not there is empty. */
#ifndef KMC_JSON_GET_H
#define KMC_JSON_GET_H

#include <jansson.h>
#include <string.h>

#include "types.h"

static inline const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static inline long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline bool flag_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* Has the member this text? */
static inline bool is(const json_t *object, const char *key, const char *value)
{
	return !strcmp(text_of(object, key), value);
}

/* A file may hold any number: what overflows is wrong, and no more. */
static inline void add_to(json_t *object, const char *key, long long n)
{
	json_object_set_new(object, key, json_integer((u64)number_of(object, key) + (u64)n));
}

/* Adds the numbers of one object of counts, which may be missing, to another's, made if need be. */
static inline void add_counts(json_t *object, const char *key, const json_t *counts)
{
	const char *name;
	json_t *count;

	if (!json_object_size(counts))
		return;
	if (!json_is_object(json_object_get(object, key)))
		json_object_set_new(object, key, json_object());
	json_object_foreach((json_t *)counts, name, count)
		add_to(json_object_get(object, key), name, json_integer_value(count));
}

/* The list of this name, made if there is none. */
static inline json_t *list_of(json_t *object, const char *key)
{
	if (!json_is_array(json_object_get(object, key)))
		json_object_set_new(object, key, json_array());
	return json_object_get(object, key);
}

#endif
