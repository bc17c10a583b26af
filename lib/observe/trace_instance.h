/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tracing instance of this process, and its removal whatever way the process ends.
 * A concept of its own because of that; role_observer.c is what uses it.
 */
#ifndef KMC_TRACE_INSTANCE_H
#define KMC_TRACE_INSTANCE_H

#include <stddef.h>
#include <tracefs/tracefs.h>

/*
 * Makes the one instance of this process, after removing those of dead ones.  NULL, and why,
 * where tracefs is not mounted or may not be used.
 */
struct tracefs_instance *trace_instance_create(char *why, size_t size);
void trace_instance_remove(struct tracefs_instance *instance);

#endif
