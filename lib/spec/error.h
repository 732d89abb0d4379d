/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is wrong with a spec
 *
 * A person who wrote a file gets all of its errors at once, each with the place, the key and what would
 * be right, so errors are a list that checks add to, not the first one that stopped them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"
#include "lib/base/strbuf.h"

/* Where something stands: line and column count from 1, column in bytes; 0 means unknown. */
struct spec_position {
        unsigned line, column;
};

struct spec_error {
        char *file; /* NULL when the spec came from elsewhere */
        struct spec_position at;
        char *key;        /* NULL: concerns the whole */
        const char *code; /* one of the constants below, for programs */
        char *message;    /* for people: what is wrong and what would be right */
};

#define SPEC_ERROR_SYNTAX      "syntax"       /* no JSON, no UTF-8, too deep, too large */
#define SPEC_ERROR_NAME        "invalid-name" /* the device's name */
#define SPEC_ERROR_UNKNOWN_KEY "unknown-key"
#define SPEC_ERROR_DUPLICATE   "duplicate-key"
#define SPEC_ERROR_TYPE        "wrong-type"
#define SPEC_ERROR_RANGE       "out-of-range"
#define SPEC_ERROR_VALUE       "invalid-value"
#define SPEC_ERROR_MISSING     "missing-key"
#define SPEC_ERROR_NOT_ALLOWED "not-allowed" /* the type doesn't have this key */

struct spec_errors {
        struct spec_error *items;
        size_t count;
        const char *file; /* given to each error that is added; borrowed */
};

#define SPEC_ERRORS_NULL ((struct spec_errors){ 0 })

/* Adds one. Returns -EINVAL, for `return spec_errors_add(…)`, or -ENOMEM. */
int spec_errors_add(struct spec_errors *errors, const struct spec_position *at, const char *key,
                    const char *code, const char *format, ...) _printf_(5, 6);

/* Whether an error of the current file concerns this key: one that was given, but wrongly, isn't missing. */
bool spec_errors_mention(const struct spec_errors *errors, const char *key);

/* Orders the errors from index `from` on by their place. */
void spec_errors_sort(struct spec_errors *errors, size_t from);

/* Appends "FILE:LINE:COLUMN: KEY: MESSAGE\n" (what is unknown is left out). */
void spec_error_format(const struct spec_error *error, struct strbuf *out);

void spec_errors_done(struct spec_errors *errors);
