/* SPDX-License-Identifier: GPL-2.0-only */
/* The host card as JSON, for results, and as text, for people. */
#ifndef KMC_HOST_TEXT_H
#define KMC_HOST_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "host.h"

/* One member per field of the card; what is unknown is null. */
json_t *host_card_json(const struct host_card *card);

/* The card that was made such an object; what is missing there is unknown. */
void host_card_from_json(const json_t *object, struct host_card *card);

/* What a member of that object is called for people; the key itself if it has no name. */
const char *host_field_label(const char *key);

/* One aligned "key: value" line per field. */
void host_card_print(const struct host_card *card, FILE *to);

#endif
