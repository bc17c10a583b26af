/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which hosts a known issue belongs to: a JSON object whose fields must all agree
 * with the host card, e.g. {"backend": "kvm_amd", "tdp": true, "kernel": ">=6.1 <7"}.
 */
#ifndef KMC_HOST_PREDICATE_H
#define KMC_HOST_PREDICATE_H

#include <jansson.h>

#include "host.h"
#include "types.h"

/* Is it well-formed?  If not, error says in one line what is wrong. */
bool host_predicate_check(json_t *predicate, char *error, size_t size);

/* predicate must have passed the check.  A fact the host did not tell never matches. */
bool host_predicate_matches(json_t *predicate, const struct host_card *host);

/*
 * Does a dotted version satisfy space-separated comparisons such as ">=6.1 <7.4"?
 * What follows the dotted numbers ("-54-cloud-amd64") is ignored, a missing number
 * counts as 0, and a text that begins with no number satisfies nothing.
 */
bool version_matches(const char *version, const char *comparisons);

#endif
