// SPDX-License-Identifier: GPL-2.0-only
/* Role words as they go by: the tracepoint kvmmmu:kvm_mmu_get_page of this process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "role_observer.h"
#include "trace_instance.h"

#define SYSTEM "kvmmmu"
#define EVENT "kvm_mmu_get_page"
/* Per CPU: a state makes some hundred events of 40 bytes before they are read. */
#define BUFFER_KB "256"

/* The fields of the event, in this order. */
static const char *const field_names[] = { "gfn", "role", "root_count", "unsync", "created" };
enum { GFN, ROLE, ROOT_COUNT, UNSYNC, CREATED, NR_EVENT_FIELDS };

struct role_observer {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	int event_id;
	struct tep_format_field *field[NR_EVENT_FIELDS];
	bool lost;
	/* While reading: */
	void (*each)(const struct role_event *event, void *context);
	void *context;
	int own_pid; /* as the tracer sees it: that of the outermost process namespace */
};

static int on_event(struct tep_event *event, struct tep_record *record, int cpu, void *context)
{
	struct role_observer *o = context;
	unsigned long long value[NR_EVENT_FIELDS];
	struct role_event e;
	int i;

	(void)cpu;
	/* Before this one; or nobody knows how many (-1). */
	if (record->missed_events)
		o->lost = true;
	if (!event || event->id != o->event_id)
		return 0;
	for (i = 0; i < NR_EVENT_FIELDS; i++)
		if (tep_read_number_field(o->field[i], record->data, &value[i])) {
			o->lost = true;
			return 0;
		}
	e = (struct role_event){
		.gfn = value[GFN],
		.word = value[ROLE],
		.root_count = value[ROOT_COUNT],
		.unsync = value[UNSYNC],
		.created = value[CREATED],
	};
	o->each(&e, o->context);
	return 0;
}

/* Only the marker is in the buffer yet: who wrote it? */
static int on_marker(struct tep_event *event, struct tep_record *record, int cpu, void *context)
{
	struct role_observer *o = context;

	(void)event;
	(void)cpu;
	o->own_pid = tep_data_pid(o->tep, record);
	return 0;
}

/*
 * This thread's pid as events carry it.  In a container getpid() is another number; a mark
 * that this thread leaves in the buffer tells.
 */
static bool find_own_pid(struct role_observer *o)
{
	if (tracefs_instance_file_write(o->instance, "trace_marker", "kmc") < 0)
		return false;
	tracefs_iterate_raw_events(o->tep, o->instance, NULL, 0, on_marker, o);
	return o->own_pid > 0;
}

/* Returns NULL or what could not be done. */
static const char *find_fields(struct role_observer *o)
{
	static const char *const systems[] = { "ftrace", SYSTEM, NULL };
	struct tep_event *event;
	int i;

	if (!tracefs_event_file_exists(o->instance, SYSTEM, EVENT, "enable"))
		return "this kernel has no tracepoint " SYSTEM ":" EVENT;
	/* Formats only: no plugins are loaded. */
	o->tep = tracefs_local_events_system(NULL, systems);
	event = o->tep ? tep_find_event_by_name(o->tep, SYSTEM, EVENT) : NULL;
	if (!event)
		return "the format of tracepoint " SYSTEM ":" EVENT " cannot be read";
	o->event_id = event->id;
	for (i = 0; i < NR_EVENT_FIELDS; i++) {
		o->field[i] = tep_find_field(event, field_names[i]);
		if (!o->field[i])
			return "tracepoint " SYSTEM ":" EVENT " lacks a field of gfn, role, root_count, unsync, created";
	}
	return NULL;
}

static const char *start(struct role_observer *o)
{
	const char *reason = find_fields(o);
	char pid[16];

	if (reason)
		return reason;
	if (tracefs_instance_file_write(o->instance, "buffer_size_kb", BUFFER_KB) < 0)
		return "the trace buffer cannot be sized";
	if (!find_own_pid(o))
		return "the trace buffer cannot be written and read back";
	snprintf(pid, sizeof(pid), "%d", o->own_pid);
	if (tracefs_instance_file_write(o->instance, "set_event_pid", pid) < 0)
		return "events cannot be limited to this process";
	/* Threads that are made from here on. */
	if (tracefs_option_enable(o->instance, TRACEFS_OPTION_EVENT_FORK))
		return "events cannot be limited to this process and its threads";
	if (tracefs_event_enable(o->instance, SYSTEM, EVENT))
		return "tracepoint " SYSTEM ":" EVENT " cannot be enabled";
	return NULL;
}

struct role_observer *role_observer_open(char why[OBSERVER_WHY_LEN])
{
	struct role_observer *o = calloc(1, sizeof(*o));
	const char *reason;

	if (!o) {
		snprintf(why, OBSERVER_WHY_LEN, "out of memory");
		return NULL;
	}
	o->instance = trace_instance_create(why, OBSERVER_WHY_LEN);
	if (!o->instance) {
		free(o);
		return NULL;
	}
	reason = start(o);
	if (reason) {
		snprintf(why, OBSERVER_WHY_LEN, "%s", reason);
		role_observer_close(o);
		return NULL;
	}
	return o;
}

void role_observer_close(struct role_observer *o)
{
	if (!o)
		return;
	trace_instance_remove(o->instance);
	tep_free(o->tep);
	free(o);
}

const char *role_observer_read(struct role_observer *o,
			       void (*each)(const struct role_event *event, void *context),
			       void *context)
{
	o->each = each;
	o->context = context;
	o->lost = false;
	if (tracefs_iterate_raw_events(o->tep, o->instance, NULL, 0, on_event, o))
		return "the trace buffer could not be read";
	return o->lost ? "the trace buffer lost events" : NULL;
}
