/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run as one HTML page for people: no network, no other file.
 *
 * Everything is there without JavaScript, which adds searching, filtering and copying; outcomes
 * have a symbol and a word as well as a colour.  docs/results.md says what is on it.
 */
#ifndef KMC_PAGE_H
#define KMC_PAGE_H

#include <jansson.h>
#include <stdio.h>

/* run is what run_load() gives. */
void page_write(const json_t *run, FILE *to);

#endif
