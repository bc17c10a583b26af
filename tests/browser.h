/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A headless browser for the suite's tests, driven through a pair of pipes: JSON messages of the
 * DevTools protocol, each ended by a zero byte, on the browser's descriptors 3 and 4.
 *
 * Whatever does not work ends the program with a line: the browser is then no use.
 */
#ifndef KMC_BROWSER_H
#define KMC_BROWSER_H

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROWSER_TIMEOUT_MS 30000

static struct {
	pid_t pid;
	int to, from;
	int last_id;
	char *session;
	json_t *troubles; /* console errors, exceptions, requests that leave the page */
	char *buffer;
	size_t used, size;
} browser;

static _Noreturn void browser_failed(const char *what)
{
	printf("# the browser: %s\n", what);
	fflush(stdout);
	if (browser.pid > 0)
		kill(browser.pid, SIGKILL);
	exit(1);
}

static void browser_send(const char *method, json_t *params)
{
	json_t *message = json_pack("{s:i, s:s, s:o}", "id", ++browser.last_id, "method", method,
				    "params", params ? params : json_object());
	char *text;
	size_t size, done = 0;
	ssize_t n;

	if (browser.session)
		json_object_set_new(message, "sessionId", json_string(browser.session));
	text = json_dumps(message, JSON_COMPACT);
	for (size = strlen(text) + 1; done < size; done += n) {
		n = write(browser.to, text + done, size - done);
		if (n <= 0)
			browser_failed("it takes no more commands");
	}
	free(text);
	json_decref(message);
}

/* The next message, or NULL if none comes in time. */
static json_t *browser_receive(int timeout_ms)
{
	struct pollfd ready = { .fd = browser.from, .events = POLLIN };
	json_t *message;
	size_t length;
	ssize_t n;

	while (!memchr(browser.buffer, '\0', browser.used)) {
		if (browser.size - browser.used < 65536) {
			browser.size = 2 * browser.size + 131072;
			browser.buffer = realloc(browser.buffer, browser.size);
		}
		if (poll(&ready, 1, timeout_ms) <= 0)
			return NULL;
		n = read(browser.from, browser.buffer + browser.used, browser.size - browser.used);
		if (n <= 0)
			browser_failed("it has ended");
		browser.used += n;
	}
	length = strlen(browser.buffer) + 1;
	message = json_loads(browser.buffer, 0, NULL);
	browser.used -= length;
	memmove(browser.buffer, browser.buffer + length, browser.used);
	return message ? message : json_object();
}

static void browser_trouble(const char *what, const char *text)
{
	json_array_append_new(browser.troubles, json_sprintf("%s: %s", what, text ? text : "?"));
}

/* Events that a good page does not cause. */
static void browser_take_event(json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method")), *text;
	json_t *params = json_object_get(message, "params"), *part;

	if (!method)
		return;
	if (!strcmp(method, "Runtime.exceptionThrown")) {
		part = json_object_get(params, "exceptionDetails");
		text = json_string_value(
			json_object_get(json_object_get(part, "exception"), "description"));
		browser_trouble("exception", text);
	} else if (!strcmp(method, "Runtime.consoleAPICalled")) {
		browser_trouble("console", json_string_value(json_object_get(params, "type")));
	} else if (!strcmp(method, "Log.entryAdded")) {
		part = json_object_get(params, "entry");
		browser_trouble("log", json_string_value(json_object_get(part, "text")));
	} else if (!strcmp(method, "Network.requestWillBeSent")) {
		text = json_string_value(
			json_object_get(json_object_get(params, "request"), "url"));
		if (text && strncmp(text, "file:", 5) && strncmp(text, "data:", 5))
			browser_trouble("request", text);
	}
}

/* The answer's "result", or NULL for an error; the caller's reference.  params is stolen. */
static json_t *browser_try(const char *method, json_t *params)
{
	json_t *message, *id, *result;
	int wanted;

	browser_send(method, params);
	wanted = browser.last_id;
	while ((message = browser_receive(BROWSER_TIMEOUT_MS))) {
		id = json_object_get(message, "id");
		if (json_is_integer(id) && json_integer_value(id) == wanted) {
			result = json_incref(json_object_get(message, "result"));
			json_decref(message);
			return result;
		}
		browser_take_event(message);
		json_decref(message);
	}
	browser_failed(method);
}

static json_t *browser_call(const char *method, json_t *params)
{
	json_t *result = browser_try(method, params);

	if (!result)
		browser_failed(method);
	return result;
}

static void browser_do(const char *method, json_t *params)
{
	json_decref(browser_call(method, params));
}

/* What a JavaScript expression comes to; promises are waited for. */
static json_t *browser_value(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static json_t *browser_value(const char *fmt, ...)
{
	char expression[4096];
	json_t *answer, *value;
	va_list args;

	va_start(args, fmt);
	vsnprintf(expression, sizeof(expression), fmt, args);
	va_end(args);
	answer = browser_call("Runtime.evaluate",
			      json_pack("{s:s, s:b, s:b, s:b}", "expression", expression,
					"returnByValue", 1, "awaitPromise", 1, "userGesture", 1));
	if (json_object_get(answer, "exceptionDetails"))
		browser_trouble("this threw", expression);
	value = json_incref(json_object_get(json_object_get(answer, "result"), "value"));
	json_decref(answer);
	return value ? value : json_null();
}

static json_t *browser_key(const char *type, const char *key, int code)
{
	return json_pack("{s:s, s:s, s:i}", "type", type, "key", key, "windowsVirtualKeyCode", code);
}

/* Presses and releases a key: its name and number, and the character it types or NULL. */
static void browser_press(const char *key, int code, const char *types)
{
	json_t *down = browser_key(types ? "keyDown" : "rawKeyDown", key, code);

	if (types)
		json_object_set_new(down, "text", json_string(types));
	browser_do("Input.dispatchKeyEvent", down);
	browser_do("Input.dispatchKeyEvent", browser_key("keyUp", key, code));
}

/* Loads a page and waits until it is there. */
static void browser_open(const char *url)
{
	json_t *message;
	const char *method;
	bool loaded = false;

	browser_do("Page.navigate", json_pack("{s:s}", "url", url));
	while (!loaded && (message = browser_receive(BROWSER_TIMEOUT_MS))) {
		method = json_string_value(json_object_get(message, "method"));
		loaded = method && !strcmp(method, "Page.loadEventFired");
		browser_take_event(message);
		json_decref(message);
	}
	if (!loaded)
		browser_failed("the page does not load");
}

static void browser_start(const char *program, const char *profile)
{
	char folder[4096];
	int to[2], from[2];
	json_t *answer, *other;

	if (pipe(to) || pipe(from))
		browser_failed("no pipe");
	signal(SIGPIPE, SIG_IGN);
	browser.troubles = json_array();
	browser.size = 131072;
	browser.buffer = malloc(browser.size);
	snprintf(folder, sizeof(folder), "--user-data-dir=%s", profile);
	browser.pid = fork();
	if (!browser.pid) {
		/* Both are above 4 by now, whatever was closed before. */
		if (dup2(fcntl(to[0], F_DUPFD, 10), 3) != 3 ||
		    dup2(fcntl(from[1], F_DUPFD, 10), 4) != 4)
			_exit(127);
		/* Root has no sandbox, containers have a small /dev/shm; nothing is fetched. */
		execlp(program, program, "--headless", "--remote-debugging-pipe", "--no-sandbox",
		       "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		       "--disable-background-networking", "--hide-scrollbars", folder,
		       "about:blank", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	browser.to = to[1];
	browser.from = from[0];
	answer = browser_call("Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
	other = browser_call("Target.attachToTarget",
			     json_pack("{s:O, s:b}", "targetId", json_object_get(answer, "targetId"),
				       "flatten", 1));
	browser.session = strdup(json_string_value(json_object_get(other, "sessionId")) ?: "");
	json_decref(answer);
	json_decref(other);
	browser_do("Page.enable", NULL);
	browser_do("Runtime.enable", NULL);
	browser_do("Log.enable", NULL);
	browser_do("Network.enable", NULL);
	browser_do("DOM.enable", NULL);
}

static void browser_end(void)
{
	kill(browser.pid, SIGTERM);
	waitpid(browser.pid, NULL, 0);
	json_decref(browser.troubles);
	free(browser.session);
	free(browser.buffer);
}

#endif
