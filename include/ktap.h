/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run as one KTAP document (version 1; version 2 reads it the same): each test is a result with
 * its subtests nested in front of it, two blanks further in, as Documentation/dev-tools/ktap.rst
 * of the kernel has it.  TEST.ktap of a run is what the test itself said.
 */
#ifndef KMC_KTAP_H
#define KMC_KTAP_H

#include <jansson.h>
#include <stdio.h>

/* run is what run_load() gives. */
void ktap_write(const json_t *run, FILE *to);

#endif
