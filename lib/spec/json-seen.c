/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A key that is given twice is the error that lenient readers hide best (one of the two silently
 * wins), so keys are compared decoded ("\u0070ath" is "path") and in every object, not only in the
 * outermost one. Hashes come first when comparing: a file of nothing but keys would take long
 * otherwise.
 */

#include "lib/spec/json-seen.h"

#include <errno.h>

#include "lib/spec/text.h"

static uint32_t hash_key(const char *key) {
        uint32_t h = 2166136261U;

        for (; *key; key++)
                h = (h ^ (unsigned char)*key) * 16777619U;
        return h;
}

static int refuse(const struct json_reader *reader, const char *key, struct spec_position at,
                  struct spec_position first) {
        const char *inside = reader->key;

        return spec_errors_add(reader->errors, &at, inside ? inside : key, SPEC_ERROR_DUPLICATE,
                               "%s%sgiven twice, first in line %u, column %u; keep one of them",
                               inside ? QUOTED(key) : "", inside ? " is " : "", first.line,
                               first.column);
}

int json_seen_add(struct json_seen *seen, const struct json_reader *reader, char **key,
                  struct spec_position at) {
        uint32_t hash = hash_key(*key);

        for (size_t i = 0; i < seen->n; i++)
                if (seen->items[i].hash == hash && streq(seen->items[i].key, *key))
                        return refuse(reader, *key, at, seen->items[i].at);

        if (seen->n == seen->allocated) {
                size_t wanted = MAX((size_t)8, seen->allocated * 2);
                struct json_seen_key *items = realloc(seen->items, wanted * sizeof(*items));

                if (!items)
                        return -ENOMEM;
                seen->items = items;
                seen->allocated = wanted;
        }
        seen->items[seen->n++] =
                (struct json_seen_key){ .key = TAKE_PTR(*key), .hash = hash, .at = at };
        return 0;
}

void json_seen_done(struct json_seen *seen) {
        for (size_t i = 0; i < seen->n; i++)
                free(seen->items[i].key);
        free(seen->items);
}
