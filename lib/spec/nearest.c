/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guessing which key was meant. Most wrong keys are right ones in another spelling (size_bytes,
 * Size-Bytes), a part of one (size, depth), or a slip of the finger, so that is what is looked for,
 * in this order. A guess that is far off is worse than none: then the caller lists all keys
 * instead.
 */

#include "lib/spec/spec.h"

#include <ctype.h>

enum { KEY_LENGTH_MAX = 32, PART_LENGTH_MIN = 4 };

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

/* The number of letters to add, drop, replace or swap with their neighbour to make a into b. */
static size_t distance(const char *a, const char *b) {
        size_t d[KEY_LENGTH_MAX + 1][KEY_LENGTH_MAX + 1];
        size_t m = strlen(a), n = strlen(b);

        for (size_t i = 0; i <= m; i++)
                for (size_t j = 0; j <= n; j++) {
                        if (i == 0 || j == 0) {
                                d[i][j] = i + j;
                                continue;
                        }
                        size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                        d[i][j] = MIN(replaced, MIN(d[i - 1][j], d[i][j - 1]) + 1);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
                }
        return d[m][n];
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
                size_t d = distance(wrong, known);
                if (d < best) {
                        best = d;
                        nearest = candidate;
                }
        }
        return part ? part : nearest;
}
