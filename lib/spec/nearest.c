/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guessing which key was meant. Most wrong keys are right ones in another spelling (size_bytes,
 * Size-Bytes), a part of one (size, depth), or a slip of the finger, so that is what is looked for,
 * in this order. A guess that is far off is worse than none: then the caller lists all keys
 * instead.
 */

#include "lib/spec/spec.h"

#include <ctype.h>

#include "lib/base/distance.h"

enum { KEY_LENGTH_MAX = DISTANCE_LENGTH_MAX, PART_LENGTH_MIN = 4 };

/* Lower case, without dashes and underscores. False: too long to be meant as any key. */
static bool simplify(const char *key, char ret[KEY_LENGTH_MAX]) {
        size_t n = 0;

        for (; *key; key++) {
                if (*key == '-' || *key == '_')
                        continue;
                if (n + 1 >= KEY_LENGTH_MAX)
                        return false;
                ret[n++] = (char)tolower((unsigned char)*key);
        }
        ret[n] = 0;
        return true;
}

const char *spec_key_nearest(const char *key) {
        char wrong[KEY_LENGTH_MAX], known[KEY_LENGTH_MAX];
        const char *part = NULL, *nearest = NULL;

        if (!simplify(key, wrong))
                return NULL;

        size_t best = MAX((size_t)1, strlen(wrong) / 3) + 1;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                const char *candidate = spec_field(k)->key;

                if (!simplify(candidate, known))
                        continue;
                if (streq(wrong, known))
                        return candidate;
                if (!part && strlen(wrong) >= PART_LENGTH_MIN && strstr(known, wrong))
                        part = candidate;
                size_t d = word_distance(wrong, known);
                if (d < best) {
                        best = d;
                        nearest = candidate;
                }
        }
        return part ? part : nearest;
}
