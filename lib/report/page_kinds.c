// SPDX-License-Identifier: GPL-2.0-only
/*
 * What went wrong, in how many of the failing cases.
 *
 * A mistake in a walker makes thousands of cases fail in a few ways: rule, expected and observed
 * outcome.  Each way has a row with its number of cases and leads to one of them.
 */
#include <stdlib.h>

#include "json_get.h"
#include "page_internal.h"

#define MIN_CASES 4 /* fewer are read one by one */
#define MAX_ROWS 20

/* Which page it was makes no other kind: "ok page=0x1000000" becomes "ok page=0x...". */
static void put_outcome(FILE *to, const char *outcome)
{
	const char *number;

	while ((number = strstr(outcome, "0x"))) {
		fprintf(to, "%.*s0x...", (int)(number - outcome), outcome);
		outcome = number + 2 + strspn(number + 2, "0123456789abcdef");
	}
	fputs(outcome, to);
}

void page_kind_key(const json_t *failure, char key[PAGE_KEY_LEN])
{
	FILE *to = fmemopen(key, PAGE_KEY_LEN, "w");

	key[0] = '\0';
	if (!to)
		return;
	fprintf(to, "%s\n", text_of(failure, "rule"));
	put_outcome(to, text_of(failure, "expected"));
	fputc('\n', to);
	put_outcome(to, text_of(failure, "observed"));
	fprintf(to, "\n%s", text_of(failure, "test"));
	fclose(to);
	key[PAGE_KEY_LEN - 1] = '\0';
}

/* {KEY: {"key", "cases", "number" of the first in full or 0}} */
static json_t *find_kinds(const struct page *page)
{
	json_t *kinds = json_object(), *kind, *failure;
	char key[PAGE_KEY_LEN];
	size_t i;

	json_array_foreach(json_object_get(page->run, "failures"), i, failure) {
		page_kind_key(failure, key);
		if (!json_object_get(kinds, key))
			json_object_set_new(kinds, key, json_pack("{s:s}", "key", key));
		add_to(json_object_get(kinds, key), "cases", 1);
	}
	json_array_foreach(page->shown, i, failure) {
		page_kind_key(failure, key);
		kind = json_object_get(kinds, key);
		if (!number_of(kind, "number"))
			add_to(kind, "number", i + 1);
	}
	return kinds;
}

static int more_cases_first(const void *a, const void *b)
{
	long long of_a = number_of(*(json_t *const *)a, "cases");
	long long of_b = number_of(*(json_t *const *)b, "cases");

	return (of_a < of_b) - (of_a > of_b);
}

static void put_kind(const struct page *page, const json_t *kind)
{
	long long number = number_of(kind, "number");
	char cases[PAGE_NUMBER_LEN], *part, *state;
	char *copy = strdup(text_of(kind, "key"));

	page_number(number_of(kind, "cases"), cases);
	markup(page->to, "<tr><td class=n>");
	if (number)
		markup(page->to, "<a href=\"#case-%lld\">%s</a>", number, cases);
	else
		markup(page->to, "%s", cases);
	markup(page->to, "</td>");
	for (state = copy; (part = strsep(&state, "\n"));)
		markup(page->to, "<td>%s</td>", part);
	markup(page->to, "</tr>\n");
	free(copy);
}

static void put_table(const struct page *page, json_t **sorted, size_t nr)
{
	size_t i;

	markup(page->to, "<div class=scroll tabindex=0 role=region aria-label=\"kinds of failing "
			 "cases\"><table class=kinds><caption>What went wrong</caption><thead><tr>"
			 "<th scope=col>cases</th><th scope=col>rule</th><th scope=col>expected</th>"
			 "<th scope=col>observed</th><th scope=col>test</th></tr></thead>"
			 "<tbody>\n");
	for (i = 0; i < nr && i < MAX_ROWS; i++)
		put_kind(page, sorted[i]);
	markup(page->to, "</tbody></table></div>\n");
	if (nr > MAX_ROWS)
		markup(page->to, "<p>Kinds that are not shown: %zu, of fewer cases each.</p>\n",
		       nr - MAX_ROWS);
}

void page_kinds(const struct page *page)
{
	json_t *kinds, *kind, **sorted;
	const char *key;
	size_t nr = 0;

	if (json_array_size(json_object_get(page->run, "failures")) < MIN_CASES)
		return;
	kinds = find_kinds(page);
	sorted = calloc(json_object_size(kinds), sizeof(*sorted));
	json_object_foreach(kinds, key, kind)
		if (sorted)
			sorted[nr++] = kind;
	if (sorted) {
		qsort(sorted, nr, sizeof(*sorted), more_cases_first);
		put_table(page, sorted, nr);
	}
	free(sorted);
	json_decref(kinds);
}
