/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings that people write: sizes and names. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a size: digits with an optional suffix K, M, G, T, P or E (powers of 1024, also written KiB …).
 * No sign, no fraction, no blanks. Returns 0, -EINVAL (not a size) or -ERANGE (over 2^63-1). */
int parse_size(const char *text, uint64_t *ret);

/* Reads a decimal number without sign. Returns 0, -EINVAL or -ERANGE. */
int parse_u64(const char *text, uint64_t *ret);

/* Writes bytes for people: the largest unit that divides it exactly ("64M", "1536K"), else the number. */
void format_size(uint64_t bytes, char *ret, size_t n);

/* Whether name may name a device: [A-Za-z0-9][A-Za-z0-9._-]{0,62}. */
bool name_is_valid(const char *name);

enum { NAME_LENGTH_MAX = 63 };
