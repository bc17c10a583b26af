// SPDX-License-Identifier: GPL-2.0-only
/* A TD on a TDX host: see include/td_guest.h. */
#include "td_internal.h"
#include "test_assert.h"

static void real_create(struct td_guest *td)
{
	(void)td;
	TEST_REQUIRE(false, "not yet");
}

static void real_destroy(struct td_guest *td)
{
	(void)td;
}

static enum td_event real_run(struct td_vcpu *v, struct td_exit *exit)
{
	(void)exit;
	return td_stop(v, "not yet");
}

static void real_map_done(struct td_vcpu *v, int error)
{
	(void)v;
	(void)error;
}

static int real_convert(struct td_guest *td, gpa_t gpa, u64 pages, bool private)
{
	(void)td;
	(void)gpa;
	(void)pages;
	(void)private;
	return 0;
}

const struct td_kind_ops td_real_ops = {
	real_create, real_destroy, real_run, real_map_done, real_convert,
};
