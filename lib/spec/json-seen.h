/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keys of one JSON object so far, to find those that are given twice. Starts as all zeros. */

#include "lib/spec/json-token.h"

struct json_seen {
        struct json_seen_key {
                char *key;
                uint32_t hash;
                struct spec_position at;
        } * items;
        size_t n, allocated;
};

/* Takes *key over if it is new. Returns 0, -EINVAL (it is not, an error was added) or -ENOMEM. */
int json_seen_add(struct json_seen *seen, const struct json_reader *reader, char **key,
                  struct spec_position at);

void json_seen_done(struct json_seen *seen);
