// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time against the number of cases: a dot for each subtest, both axes logarithmic.  Dots along a
 * line from the lower left are as they should be; what rises faster does not stay affordable.
 */
#include <stdlib.h>

#include "json_get.h"
#include "page_internal.h"

#define DECADES 6  /* 1 case to 1 million, 1 ms to 1000 s */
#define DECADE 50  /* units of the picture */
#define SIZE (DECADES * DECADE)
#define MARGIN 40
#define CELL 2     /* of dots that close only the first is drawn */
#define NR_CELLS (SIZE / CELL + 1)

/* DECADE * log10(n), by squaring: one bit of the result at a time. */
static int logarithm(long long n)
{
	double rest = n;
	int whole = 0, i, fraction = 0;

	for (; rest >= 10 && whole < DECADES; rest /= 10)
		whole++;
	for (i = 0; i < 8; i++) {
		rest *= rest;
		fraction *= 2;
		if (rest >= 10) {
			rest /= 10;
			fraction++;
		}
	}
	return whole >= DECADES ? SIZE : whole * DECADE + fraction * DECADE / 256;
}

static void put_axes(const struct page *page)
{
	static const char *const cases[] = { "1", "10", "100", "1K", "10K", "100K", "1M" };
	static const char *const times[] = { "1 ms", "10", "100", "1 s", "10", "100", "1000" };
	int i;

	for (i = 0; i <= DECADES; i++) {
		int at = i * DECADE;

		markup(page->to, "<path d=\"M%d 0V%d M0 %dH%d\"/><text x=%d y=%d>%s</text>"
				 "<text x=%d y=%d>%s</text>\n",
		       at, SIZE, at, SIZE, at, SIZE + 14, cases[i], -MARGIN + 4, SIZE - at + 4, times[i]);
	}
	markup(page->to, "<text x=%d y=%d>cases</text>\n", SIZE / 2 - 10, SIZE + 28);
}

static void put_dot(const struct page *page, const json_t *test, const json_t *subtest,
		    bool (*drawn)[NR_CELLS])
{
	const long long cases = number_of(subtest, "cases"), ms = number_of(subtest, "time_ms");
	int x, y;

	if (cases < 1)
		return;
	x = logarithm(cases);
	y = logarithm(ms > 0 ? ms : 1);
	if (drawn[x / CELL][y / CELL])
		return;
	drawn[x / CELL][y / CELL] = true;
	markup(page->to, "<circle cx=%d cy=%d r=2><title>%s %s: %lld cases, %lld ms</title></circle>\n", x,
	       SIZE - y, text_of(test, "name"), text_of(subtest, "name"), cases, ms);
}

void page_growth(const struct page *page)
{
	bool (*drawn)[NR_CELLS] = calloc(NR_CELLS, sizeof(*drawn));
	json_t *test, *subtest;
	size_t i, k;

	if (!drawn || !number_of(json_object_get(page->run, "totals"), "cases")) {
		free(drawn);
		return;
	}
	markup(page->to, "<section aria-labelledby=growth><h2 id=growth>Time and cases</h2>\n"
			 "<details><summary>Time of each subtest against its number of cases</summary>\n"
			 "<svg class=growth role=img aria-label=\"time against number of cases\" "
			 "viewBox=\"%d %d %d %d\">\n",
	       -MARGIN, -4, SIZE + MARGIN + 20, SIZE + MARGIN);
	put_axes(page);
	json_array_foreach(json_object_get(page->run, "tests"), i, test)
		json_array_foreach(json_object_get(test, "subtests"), k, subtest)
			put_dot(page, test, subtest, drawn);
	markup(page->to, "</svg></details></section>\n");
	free(drawn);
}

/*
 * Cases per second against vCPUs that are busy at the same time, where a test tells both: each
 * test's rate with its fewest is 1, and along the diagonal each vCPU adds as much as the first.
 */
#define OCTAVES 6 /* 1 to 64 */
#define OCTAVE (SIZE / OCTAVES)

/* OCTAVE * log2(n), n not less than 1. */
static int octaves(double n)
{
	int whole = 0;

	for (; n >= 2 && whole < OCTAVES; n /= 2)
		whole++;
	/* Between powers of two a straight line is near enough to be drawn. */
	return whole >= OCTAVES ? SIZE : whole * OCTAVE + (int)((n - 1) * OCTAVE);
}

static void put_rates(const struct page *page, const json_t *test)
{
	const json_t *subtest;
	double alone = 0;
	size_t i;

	json_array_foreach(json_object_get(test, "subtests"), i, subtest) {
		const long long vcpus = number_of(subtest, "vcpus");
		const long long rate = number_of(subtest, "per_second");

		if (vcpus < 1 || rate < 1)
			continue;
		if (!alone)
			alone = (double)rate / vcpus;
		markup(page->to, "<circle cx=%d cy=%d r=3><title>%s %s: %lld vCPUs, %lld cases/s"
				 "</title></circle>\n",
		       octaves(vcpus), SIZE - (rate > alone ? octaves(rate / alone) : 0),
		       text_of(test, "name"), text_of(subtest, "name"), vcpus, rate);
	}
}

static bool has_rates(const json_t *test)
{
	const json_t *subtest;
	size_t i;

	json_array_foreach(json_object_get(test, "subtests"), i, subtest)
		if (number_of(subtest, "vcpus") > 0 && number_of(subtest, "per_second") > 0)
			return true;
	return false;
}

static void put_rate_axes(const struct page *page)
{
	int i;

	for (i = 0; i <= OCTAVES; i++) {
		int at = i * OCTAVE;

		markup(page->to, "<path d=\"M%d 0V%d M0 %dH%d\"/><text x=%d y=%d>%d</text>"
				 "<text x=%d y=%d>×%d</text>\n",
		       at, SIZE, at, SIZE, at, SIZE + 14, 1 << i, -MARGIN + 4, SIZE - at + 4, 1 << i);
	}
	markup(page->to, "<path d=\"M0 %dL%d 0\"/><text x=%d y=%d>vCPUs</text>\n", SIZE, SIZE,
	       SIZE / 2 - 10, SIZE + 28);
}

void page_rates(const struct page *page)
{
	const json_t *tests = json_object_get(page->run, "tests"), *test;
	bool any = false;
	size_t i;

	json_array_foreach(tests, i, test)
		any |= has_rates(test);
	if (!any)
		return;
	markup(page->to, "<section aria-labelledby=rates><h2 id=rates>Rate and vCPUs</h2>\n"
			 "<details><summary>Cases per second against vCPUs that make them at a time"
			 "</summary>\n"
			 "<svg class=growth role=img aria-label=\"rate against number of vCPUs\" "
			 "viewBox=\"%d %d %d %d\">\n",
	       -MARGIN, -4, SIZE + MARGIN + 20, SIZE + MARGIN);
	put_rate_axes(page);
	json_array_foreach(tests, i, test)
		put_rates(page, test);
	markup(page->to, "</svg></details></section>\n");
}
