/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far two words are apart, for "did you mean …?". */

#include <stddef.h>

enum { DISTANCE_LENGTH_MAX = 32 };

/* The number of letters to add, drop, replace or swap with their neighbour to make a into b. Both are at most
 * DISTANCE_LENGTH_MAX long. */
size_t word_distance(const char *a, const char *b);
