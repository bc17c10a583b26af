// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page of a run, in a real browser: does it work with a keyboard, on a phone, without colours
 * and without scripts?  Called by report_page_test.sh with the browser, a folder for its profile
 * and screenshots, and the page of run_fixture.sh's record_everything.
 *
 * Would catch: a script that fails, a page that loads something, a filter that filters nothing, a
 * failing case that only a mouse can open, a table that makes a phone scroll sideways, an outcome
 * that is but a colour, something that is nothing without JavaScript.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>

#include "browser.h"

static int number, failures;
static bool good = true;
static const char *folder, *url;

static void problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void problem(const char *fmt, ...)
{
	va_list args;

	good = false;
	va_start(args, fmt);
	fputs("# ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

/* Ends one check; what the browser complained about since the last counts, too. */
static void check(const char *name)
{
	json_t *text;
	size_t i;

	/* Events come in order: after this answer there is none from before. */
	json_decref(browser_value("1"));
	json_array_foreach(browser.troubles, i, text)
		problem("%s", json_string_value(text));
	json_array_clear(browser.troubles);
	printf("%sok %d %s\n", good ? "" : "not ", ++number, name);
	fflush(stdout);
	failures += !good;
	good = true;
}

static long long number_is(const char *expression)
{
	json_t *value = browser_value("%s", expression);
	long long n = json_integer_value(value);

	json_decref(value);
	return n;
}

/* The expression holds; else the text it comes to, if it is one, is shown. */
static bool holds(const char *expression)
{
	json_t *value = browser_value("%s", expression);
	bool ok = json_is_true(value);

	if (!ok)
		problem("not so: %.300s: %.200s", expression, json_string_value(value) ?: "false");
	json_decref(value);
	return ok;
}

static void press_enter(void)
{
	browser_press("Enter", 13, "\r");
}

static void press_tab(void)
{
	browser_press("Tab", 9, NULL);
}

/* With the Tab key alone, from where the focus is. */
static bool tab_to(const char *what)
{
	char expression[512];
	json_t *value;
	bool there = false;
	int i;

	snprintf(expression, sizeof(expression), "document.activeElement.matches('%s')", what);
	for (i = 0; i < 300 && !there; i++) {
		press_tab();
		value = browser_value("%s", expression);
		there = json_is_true(value);
		json_decref(value);
	}
	if (!there)
		problem("the Tab key does not lead to %s", what);
	return there;
}

/* As base64 text, which the caller of this program decodes. */
static void screenshot(const char *name)
{
	json_t *answer = browser_call("Page.captureScreenshot", NULL);
	char path[4096];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s.png.base64", folder, name);
	to = fopen(path, "we");
	if (!to || fputs(json_string_value(json_object_get(answer, "data")) ?: "", to) < 0)
		problem("cannot write %s", path);
	if (to)
		fclose(to);
	json_decref(answer);
}

static void set_width(int width, int height)
{
	browser_do("Emulation.setDeviceMetricsOverride",
		   json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", height,
			     "deviceScaleFactor", 1, "mobile", width < 600));
}

#define VISIBLE_ROWS "[...document.querySelectorAll('.row')].filter(r => !r.hidden)"

static void page_loads(void)
{
	holds("document.title.includes('4 failed')");
	holds("document.readyState === 'complete'");
	holds("!document.getElementById('tools').hidden");
	holds("document.querySelectorAll('.matrix').length >= 4");
	/* Each kind of mismatch leads to a case of it. */
	holds("document.querySelectorAll('.kinds tbody tr').length === 4");
	holds("[...document.querySelectorAll('.kinds td a')].every(a => "
	      "document.querySelector(a.hash).classList.contains('case'))");
	holds("document.querySelector('.kinds tbody tr').textContent.includes('ok page=0x...')");
	/* What records say is text, never markup. */
	holds("document.scripts.length === 1 && document.images.length === 0");
	screenshot("desktop");
	check("the page loads, without an error and without a request");
}

static void filter_narrows(void)
{
	long long all = number_is(VISIBLE_ROWS ".length"), some;

	browser_press("/", 191, "/");
	holds("document.activeElement.id === 'search'");
	browser_do("Input.insertText", json_pack("{s:s}", "text", "FORCED 4level"));
	some = number_is(VISIBLE_ROWS ".length");
	if (some <= 0 || some >= all)
		problem("searching leaves %lld of %lld rows", some, all);
	holds(VISIBLE_ROWS ".every(r => r.textContent.includes('forced'))");
	holds("document.getElementById('shown').textContent.startsWith(" VISIBLE_ROWS
	      ".length + ' of ')");
	holds("[...document.querySelectorAll('#tests ~ .test')].some(t => t.hidden)");
	holds("(search.value = '', search.dispatchEvent(new Event('input', {bubbles: true})))");
	if (number_is(VISIBLE_ROWS ".length") != all)
		problem("an empty search does not show all rows");
	/* The boxes, by keyboard. */
	holds("(search.focus(), true)");
	if (tab_to("input[value=pass]")) {
		browser_press(" ", 32, " ");
		holds(VISIBLE_ROWS ".every(r => r.dataset.outcome !== 'pass')");
		browser_press(" ", 32, " ");
	}
	if (number_is(VISIBLE_ROWS ".length") != all)
		problem("ticking the box again does not show all rows");
	check("searching and filtering narrow the rows, by keyboard");
}

static void case_opens(void)
{
	holds("(search.focus(), !document.getElementById('case-2').open)");
	if (tab_to("#case-2 > summary")) {
		press_enter();
		holds("document.getElementById('case-2').open");
		holds("document.getElementById('case-2').innerText.includes('#UD')");
	}
	/* By the link of a cell of the matrix, and by the page's address. */
	holds("(document.querySelector('.matrix td a[href=\"#case-3\"]').focus(), true)");
	press_enter();
	holds("new Promise(done => setTimeout(() => done("
	      "document.getElementById('case-3').open && document.activeElement.parentElement.id === 'case-3'"
	      "), 200))");
	check("a failing case opens by keyboard and by link");
	browser_open("about:blank");
	holds("true");
}

static void case_is_complete(void)
{
	char address[4200];

	snprintf(address, sizeof(address), "%s#case-1", url);
	browser_open(address);
	holds("document.getElementById('case-1').open");
	holds("['#PF(p,fetch)', 'ok page=0x1000000', 'a-smep', 'SDM 3A 4.6.1', 'PML4E', '0x80010031',"
	      " 'SMEP', 'cr4_smep'].filter(t => !document.getElementById('case-1').innerText.includes(t))"
	      ".join() || true");
	/* The path is drawn from the top level down. */
	holds("(b => b.every((r, i) => !i || r.top >= b[i - 1].bottom))"
	      "([...document.querySelectorAll('#case-1 .path li')].map(l => l.getBoundingClientRect()))");
	holds("document.querySelector('#case-1 .replay code').textContent.includes("
	      "'walk_test --case 4level/wp,smep/cpl0/fetch')");
	check("the case has registers, role, path, rule and replay");
}

static void replay_is_copied(void)
{
	json_t *unused = browser_try("Browser.grantPermissions",
				     json_pack("{s:[s,s]}", "permissions", "clipboardReadWrite",
					       "clipboardSanitizedWrite"));

	json_decref(unused);
	holds("(document.querySelector('#case-1 .copy').focus(), true)");
	press_enter();
	holds("new Promise(done => setTimeout(() => done(/Copied|Selected/.test("
	      "document.querySelector('#case-1 .copy').textContent)), 300))");
	/* What was copied is the command and nothing else, or it is selected to be copied. */
	holds("(async () => { const want = document.querySelector('#case-1 .replay code').textContent;"
	      " let got; try { got = await navigator.clipboard.readText(); }"
	      " catch { got = String(getSelection()); }"
	      " return got === want || 'copied ' + got; })()");
	check("the replay command is copied");
}

static void fits_a_phone(void)
{
	static const int widths[] = { 320, 375, 768 };
	char expression[512];
	size_t i;

	holds("(document.querySelectorAll('details').forEach(d => d.open = true), true)");
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		set_width(widths[i], 700);
		/* Not innerWidth, which grows with what does not fit. */
		snprintf(expression, sizeof(expression),
			 "(w => document.documentElement.scrollWidth <= w || w + ': ' + "
			 "[...document.querySelectorAll('body *')]"
			 ".filter(e => !e.parentElement.closest('.scroll') && e.getBoundingClientRect().right > w + 1)"
			 ".map(e => e.tagName + '.' + e.className).slice(0, 5))(%d)", widths[i]);
		holds(expression);
	}
	/* Wide tables scroll in themselves, and can be reached to do so. */
	holds("[...document.querySelectorAll('.scroll')].every(s => s.tabIndex === 0)");
	set_width(375, 1200);
	screenshot("phone");
	set_width(1200, 900);
	check("no sideways scrolling on a narrow screen");
}

/* Relative luminance and contrast as in WCAG 2, of the text of each outcome on its ground. */
#define CONTRAST                                                                                  \
	"(() => { const lum = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)" \
	".map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);"                       \
	" return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };"                                  \
	" const bad = []; for (const e of document.querySelectorAll('.counts li:not(.zero), .legend span,"  \
	" .sym, .matrix td[class], .bit, body')) { let g = e; while (g && getComputedStyle(g)"    \
	".backgroundColor === 'rgba(0, 0, 0, 0)') g = g.parentElement;"                           \
	" const a = lum(getComputedStyle(e).color), b = lum(getComputedStyle(g || document.body)" \
	".backgroundColor); const r = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);"           \
	" if (r < 4.5) bad.push(e.className + ' ' + r.toFixed(1)); } return bad.join() || true; })()"

static void colours_are_not_needed(void)
{
	static const char *const schemes[] = { "light", "dark" };
	size_t i;

	holds("[...document.querySelectorAll('.matrix td[class]')].every(c => c.textContent.trim())");
	/* Another symbol for each outcome, and a word for those who hear the page. */
	holds("(m => m.size >= 4 && new Set(m.values()).size === m.size)(new Map("
	      "[...document.querySelectorAll('.matrix .sym')].map(s => [s.className, s.textContent])))");
	holds("[...document.querySelectorAll('.sym')].every(s => s.nextSibling.className === 'heard')");
	for (i = 0; i < 2; i++) {
		browser_do("Emulation.setEmulatedMedia",
			   json_pack("{s:[{s:s, s:s}]}", "features", "name",
				     "prefers-color-scheme", "value", schemes[i]));
		holds(CONTRAST);
	}
	screenshot("dark");
	check("outcomes have symbols and words, and contrast, light and dark");
}

/* Is something of this selector drawn?  Asked of the DOM, as no script runs. */
static bool is_drawn(json_t *root, const char *selector)
{
	json_t *found = browser_try("DOM.querySelector",
				    json_pack("{s:O, s:s}", "nodeId", root, "selector", selector));
	json_t *box = NULL;

	if (json_integer_value(json_object_get(found, "nodeId")))
		box = browser_try("DOM.getBoxModel",
				  json_pack("{s:O}", "nodeId", json_object_get(found, "nodeId")));
	json_decref(found);
	json_decref(box);
	return box != NULL;
}

static void works_without_scripts(void)
{
	static const char *const drawn[] = {
		"#case-1[open] .path li", "#case-1 .regs", "#case-1 .replay code", "#case-1 .answers",
		"#case-2 > summary", ".matrix td.fail a", "#tests ~ details summary",
		"#t0[open] tr.row", ".counts li.fail",
	};
	static const char *const hidden[] = { "#tools", ".copy", "#case-2[open]" };
	json_t *answer, *root;
	size_t i;

	browser_do("Emulation.setScriptExecutionDisabled", json_pack("{s:b}", "value", 1));
	browser_open(url);
	answer = browser_call("DOM.getDocument", NULL);
	root = json_object_get(json_object_get(answer, "root"), "nodeId");
	for (i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++)
		if (!is_drawn(root, drawn[i]))
			problem("not drawn without scripts: %s", drawn[i]);
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (is_drawn(root, hidden[i]))
			problem("drawn without scripts, which it needs: %s", hidden[i]);
	/* Opening is the browser's own. */
	json_decref(browser_call(
		"DOM.focus",
		json_pack("{s:o}", "nodeId",
			  json_incref(json_object_get(
				  browser_call("DOM.querySelector",
					       json_pack("{s:O, s:s}", "nodeId", root, "selector",
							 "#case-2 > summary")),
				  "nodeId")))));
	press_enter();
	if (!is_drawn(root, "#case-2[open] .answers"))
		problem("a case does not open without scripts");
	screenshot("no-script");
	json_decref(answer);
	check("complete without scripts");
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "page_in_browser: BROWSER FOLDER URL\n");
		return 2;
	}
	folder = argv[2];
	url = argv[3];
	printf("KTAP version 1\n1..8\n");
	browser_start(argv[1], folder);
	set_width(1200, 900);
	browser_open(url);
	page_loads();
	filter_narrows();
	case_opens();
	case_is_complete();
	replay_is_copied();
	fits_a_phone();
	colours_are_not_needed();
	works_without_scripts();
	browser_end();
	printf("# Totals: pass:%d fail:%d\n", number - failures, failures);
	return failures > 0;
}
