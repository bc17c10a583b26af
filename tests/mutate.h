/* SPDX-License-Identifier: GPL-2.0-only */
/* Malformed inputs from well-formed ones, the same ones for the same seed. */
#ifndef KMC_MUTATE_H
#define KMC_MUTATE_H

#include <string.h>

#include "types.h"

#define MUTATED_MAX 20000

/* xorshift64*; state must not be 0. */
static inline u64 mutate_random(u64 *state, u64 below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dull >> 11) % below;
}

/* What parsers trip over, besides single bytes. */
static const char *const mutate_words[] = {
	"/",  ",",	"=",  "0",     "-1",	  "18446744073709551616", "99999999999999999999999", "%s%n",
	"\n", "\"",	"\\", "{",     "[[[[[[[", "null",		  "\xff\xfe",		     "\xc3\xa9",
	"*",  "+([!/])", "(",  "\\u0000", "1e999",  "true",		  "ps",			     "b64",
	" ",  "--",	"'",  "$(:)",  ";",	  "..",			  "9=p",		     "\x01",
};

/* Opens a gap of length at a place, if there is room. */
static inline size_t mutate_insert(char *text, size_t size, size_t at, const char *what, size_t length)
{
	if (size + length > MUTATED_MAX)
		return size;
	memmove(text + at + length, text + at, size - at);
	memcpy(text + at, what, length);
	return size + length;
}

/* One change; returns the new size. */
static inline size_t mutate_once(u64 *state, char *text, size_t size, const char *other)
{
	size_t at = mutate_random(state, size + 1), length, i;
	const char *word;
	char one;

	switch (mutate_random(state, 9)) {
	case 0: /* another byte */
		if (at < size)
			text[at] = mutate_random(state, 256);
		return size;
	case 1: /* another bit */
		if (at < size)
			text[at] ^= 1 << mutate_random(state, 8);
		return size;
	case 2: /* something missing */
		length = mutate_random(state, 1 + (size - at < 16 ? size - at : 16));
		memmove(text + at, text + at + length, size - at - length);
		return size - length;
	case 3: /* something twice */
		length = mutate_random(state, 1 + (size - at < 200 ? size - at : 200));
		if (size + length > MUTATED_MAX)
			return size;
		memmove(text + at + length, text + at, size - at);
		return size + length;
	case 4: /* cut short */
		return at;
	case 5: /* a part of another one */
		length = strlen(other);
		i = mutate_random(state, length + 1);
		return mutate_insert(text, size, at, other + i, mutate_random(state, length - i + 1));
	case 6: /* very long */
		one = at < size ? text[at] : 'x';
		length = mutate_random(state, 3000);
		for (i = 0; i < length; i++)
			size = mutate_insert(text, size, at, &one, 1);
		return size;
	default:
		word = mutate_words[mutate_random(state, sizeof(mutate_words) / sizeof(mutate_words[0]))];
		return mutate_insert(text, size, at, word, strlen(word));
	}
}

/* One of the texts, changed once to four times, with a NUL behind it; returns its size. */
static inline size_t mutate(u64 *state, const char *const *texts, unsigned int nr, char result[MUTATED_MAX + 1])
{
	unsigned int changes;
	size_t size;

	*state += !*state;
	strcpy(result, texts[mutate_random(state, nr)]);
	size = strlen(result);
	for (changes = 1 + mutate_random(state, 4); changes; changes--)
		size = mutate_once(state, result, size, texts[mutate_random(state, nr)]);
	result[size] = '\0';
	return size;
}

#endif
