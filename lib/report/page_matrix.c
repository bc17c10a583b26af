// SPDX-License-Identifier: GPL-2.0-only
/*
 * Outcomes by paging mode and state.
 *
 * A subtest's name is PREFIX/MODE/REST: modes are the columns, what follows the mode is the row,
 * and each prefix (an engine, a path) has its table.  Where a name has a pair of modes,
 * PREFIX/MODE-MODE, it is the heat map of transitions between them; PREFIX/MODE, those within
 * a mode, are its diagonal.
 */
#include <stdlib.h>

#include "json_get.h"
#include "mmu_state.h"
#include "page_internal.h"
#include "run_load.h"

#define MAX_TABLES 8 /* of one test: with more prefixes than that they become rows */

static int mode_by_name(const char *text, size_t length)
{
	int i;

	for (i = 0; i < NR_STATE_MODES; i++)
		if (strlen(state_modes[i].name) == length &&
		    !memcmp(state_modes[i].name, text, length))
			return i;
	return -1;
}

/* A subtest's name, taken apart; column is -1 if it has no mode. */
struct place {
	char prefix[256], row[256];
	int column;
	bool pair;
};

static void find_place(const char *name, struct place *place)
{
	const char *at, *rest, *dash;
	size_t length;
	int from;

	memset(place, 0, sizeof(*place));
	for (at = name; at; at = rest) {
		length = strcspn(at, "/");
		rest = at[length] ? at + length + 1 : NULL;
		dash = memchr(at, '-', length);
		from = dash ? mode_by_name(at, dash - at) : -1;
		place->column = from >= 0 ? mode_by_name(dash + 1, at + length - dash - 1) :
					    mode_by_name(at, length);
		if (place->column < 0)
			continue;
		place->pair = from >= 0;
		snprintf(place->prefix, sizeof(place->prefix), "%.*s",
			 (int)(at > name ? at - name - 1 : 0), name);
		snprintf(place->row, sizeof(place->row), "%s%s%s",
			 from >= 0 ? state_modes[from].name : "", from >= 0 && rest ? " " : "",
			 rest ? rest : "");
		return;
	}
	snprintf(place->row, sizeof(place->row), "%s", name);
}

/* The object of this name below another, made if there is none. */
static json_t *child(json_t *parent, const char *key)
{
	if (!json_object_get(parent, key))
		json_object_set_new(parent, key, json_object());
	return json_object_get(parent, key);
}

/* How the names of one test are laid out. */
struct layout {
	bool fold;	/* prefixes are rows: with one row each, or very many, tables would say less */
	json_t *paired; /* the prefixes in which there are pairs of modes */
};

static struct layout find_layout(json_t *subtests)
{
	json_t *prefixes = json_object(), *subtest;
	struct layout layout = { .paired = json_object() };
	struct place place;
	bool rests = false;
	size_t i, nr;

	json_array_foreach(subtests, i, subtest) {
		find_place(text_of(subtest, "name"), &place);
		json_object_set_new(prefixes, place.prefix, json_true());
		rests |= place.row[0] != '\0';
		if (place.pair)
			json_object_set_new(layout.paired, place.prefix, json_true());
	}
	nr = json_object_size(prefixes);
	layout.fold = nr > 1 && !json_object_size(layout.paired) && (!rests || nr > MAX_TABLES);
	json_decref(prefixes);
	return layout;
}

/* {PREFIX: {ROW: {MODE: place in the list of subtests}}} */
static json_t *make_tables(json_t *subtests, const struct layout *layout)
{
	json_t *tables = json_object(), *table, *subtest;
	const char *column;
	struct place place;
	char row[520];
	size_t i;

	json_array_foreach(subtests, i, subtest) {
		find_place(text_of(subtest, "name"), &place);
		column = place.column < 0 ? "-" : state_modes[place.column].name;
		snprintf(row, sizeof(row), "%s%s%s", layout->fold ? place.prefix : "",
			 layout->fold && *place.prefix && *place.row ? "/" : "", place.row);
		if (!*row && json_object_get(layout->paired, place.prefix))
			snprintf(row, sizeof(row), "%s", column);
		table = child(tables, layout->fold ? "" : place.prefix);
		json_object_set_new(child(table, row), column, json_integer(i));
	}
	return tables;
}

/* Is any cell of the table in this column? */
static bool has_column(json_t *table, const char *column)
{
	const char *row;
	json_t *cells;

	json_object_foreach(table, row, cells)
		if (json_object_get(cells, column))
			return true;
	return false;
}

/* The more cases fail the darker: 1 to 3. */
static int heat(long long failed)
{
	return failed < 10 ? 1 : failed < 1000 ? 2 : 3;
}

static void put_cell(const struct page *page, const json_t *test, size_t nr, long long i)
{
	json_t *subtest = json_array_get(json_object_get(test, "subtests"), i);
	const char *name = text_of(subtest, "name");
	enum outcome outcome = outcome_of(subtest);
	long long failed = number_of(subtest, "failed"), known = number_of(subtest, "known");
	long long number = page_first_case(page, test, name);

	markup(page->to, "<td class=\"%s heat%d\">", outcome_texts_of[outcome].name,
	       outcome == OUTCOME_FAIL ? heat(failed) : 0);
	if (number)
		markup(page->to, "<a href=\"#case-%lld\"", number);
	else
		markup(page->to, "<a href=\"#t%zus%lld\"", nr, i);
	markup(page->to, " title=\"%s: %s, %lld of %lld cases failed, %lld known\">", name,
	       outcome_texts_of[outcome].word, failed, number_of(subtest, "cases"), known);
	page_symbol(page, outcome);
	if (failed)
		markup(page->to, "%lld", failed);
	markup(page->to, "</a></td>");
}

static void put_row(const struct page *page, const json_t *test, size_t nr, json_t *table,
		    const char *row)
{
	json_t *cells = json_object_get(table, row), *cell;
	int mode;

	markup(page->to, "<tr><th scope=row>%s</th>", *row ? row : "all");
	if (json_object_get(cells, "-"))
		put_cell(page, test, nr, number_of(cells, "-"));
	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		if (!has_column(table, state_modes[mode].name))
			continue;
		cell = json_object_get(cells, state_modes[mode].name);
		if (cell)
			put_cell(page, test, nr, json_integer_value(cell));
		else
			markup(page->to, "<td></td>");
	}
	markup(page->to, "</tr>\n");
}

/* Modes first, in their order, as runs may be shuffled. */
static void put_rows(const struct page *page, const json_t *test, size_t nr, json_t *table)
{
	const char *row;
	json_t *cells;
	int mode;

	for (mode = 0; mode < NR_STATE_MODES; mode++)
		if (json_object_get(table, state_modes[mode].name))
			put_row(page, test, nr, table, state_modes[mode].name);
	json_object_foreach(table, row, cells)
		if (mode_by_name(row, strlen(row)) < 0)
			put_row(page, test, nr, table, row);
}

static void put_table(const struct page *page, const json_t *test, size_t nr, const char *prefix,
		      json_t *table)
{
	int mode;

	markup(page->to, "<div class=scroll tabindex=0 role=region aria-label=\"matrix of %s %s\">"
			 "<table class=matrix><caption>%s %s</caption><thead><tr><td></td>",
	       text_of(test, "name"), prefix, text_of(test, "name"), prefix);
	if (has_column(table, "-"))
		markup(page->to, "<th scope=col>outcome</th>");
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		if (has_column(table, state_modes[mode].name))
			markup(page->to, "<th scope=col>%s</th>", state_modes[mode].name);
	markup(page->to, "</tr></thead><tbody>\n");
	put_rows(page, test, nr, table);
	markup(page->to, "</tbody></table></div>\n");
}

static void put_test_matrix(const struct page *page, const json_t *test, size_t nr, bool open)
{
	json_t *subtests = json_object_get(test, "subtests"), *tables, *table;
	struct layout layout = find_layout(subtests);
	char title[HOST_TITLE_LEN];
	const char *prefix;

	tables = make_tables(subtests, &layout);
	markup(page->to, "<details class=test%s><summary>", open ? " open" : "");
	page_symbol(page, outcome_of(test));
	markup(page->to, " <b>%s</b>", text_of(test, "name"));
	if (json_object_get(test, "host")) {
		host_title(page->run, test, title);
		markup(page->to, " on %s", title);
	}
	markup(page->to, "</summary>\n");
	json_object_foreach(tables, prefix, table)
		put_table(page, test, nr, prefix, table);
	markup(page->to, "</details>\n");
	json_decref(tables);
	json_decref(layout.paired);
}

static void put_legend(const struct page *page)
{
	int i;

	markup(page->to, "<p class=legend>");
	for (i = 0; i < NR_OUTCOMES; i++)
		markup(page->to, "<span class=%s>%s %s</span> ", outcome_texts_of[i].name,
		       outcome_texts_of[i].symbol, outcome_texts_of[i].word);
	markup(page->to, "A number counts failing cases. Columns are paging modes, rows what follows "
			 "them in a subtest's name, or the other mode of a transition.</p>\n");
}

void page_matrices(const struct page *page)
{
	json_t *tests = json_object_get(page->run, "tests"), *test;
	size_t i;

	markup(page->to, "<section aria-labelledby=matrix><h2 id=matrix>Matrix</h2>\n");
	put_legend(page);
	json_array_foreach(tests, i, test)
		if (json_array_size(json_object_get(test, "subtests")))
			put_test_matrix(page, test, i,
					is(test, "status", "fail") || json_array_size(tests) <= 2);
	markup(page->to, "</section>\n");
}
