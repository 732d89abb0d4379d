/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guessing verbs and options: a slip of the finger (lits), or the beginning of the word (rem), which
 * isn't taken for the word itself because a script that abbreviates would break with the next option.
 */

#include "ublkctl/nearest.h"

#include "lib/base/distance.h"
#include "lib/base/macro.h"

void nearest_offer(struct nearest *nearest, const char *candidate) {
        size_t n = strlen(nearest->word);

        if (n > DISTANCE_LENGTH_MAX || strlen(candidate) > DISTANCE_LENGTH_MAX)
                return;

        /* The beginning of a word is as good as one slip. */
        size_t d = n >= 2 && strncmp(candidate, nearest->word, n) == 0
                           ? 1
                           : word_distance(nearest->word, candidate);
        if (d < nearest->best) {
                nearest->best = d;
                nearest->found = candidate;
        }
}
