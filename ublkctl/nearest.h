/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of some words was meant. Offer each; `found` is the nearest one, NULL when none is near. */

#include <stddef.h>

struct nearest {
        const char *word;
        size_t best;
        const char *found;
};

#define NEAREST_FOR(w) ((struct nearest){ .word = (w), .best = strlen(w) / 3 + 2 })

void nearest_offer(struct nearest *nearest, const char *candidate);
