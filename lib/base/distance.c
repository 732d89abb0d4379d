/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Optimal string alignment, in a table that is small because words are: no allocation, no failure. */

#include "lib/base/distance.h"

#include <assert.h>

#include "lib/base/macro.h"

size_t word_distance(const char *a, const char *b) {
        size_t d[DISTANCE_LENGTH_MAX + 1][DISTANCE_LENGTH_MAX + 1];
        size_t m = strlen(a), n = strlen(b);

        assert(m <= DISTANCE_LENGTH_MAX && n <= DISTANCE_LENGTH_MAX);
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
