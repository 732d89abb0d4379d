/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guessing verbs and options: a slip of the finger (lits), or the beginning of the word (rem), which
 * isn't taken for the word itself because a script that abbreviates would break with the next option.
 */

#include "ublkctl/nearest.h"

#include "lib/base/macro.h"

enum { WORD_LENGTH_MAX = 32 };

/* The number of letters to add, drop, replace or swap with their neighbour to make a into b. */
static size_t distance(const char *a, const char *b) {
        size_t d[WORD_LENGTH_MAX + 1][WORD_LENGTH_MAX + 1];
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

void nearest_offer(struct nearest *nearest, const char *candidate) {
        size_t n = strlen(nearest->word);

        if (n > WORD_LENGTH_MAX || strlen(candidate) > WORD_LENGTH_MAX)
                return;

        /* The beginning of a word is as good as one slip. */
        size_t d = n >= 2 && strncmp(candidate, nearest->word, n) == 0
                           ? 1
                           : distance(nearest->word, candidate);
        if (d < nearest->best) {
                nearest->best = d;
                nearest->found = candidate;
        }
}
