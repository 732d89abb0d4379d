/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A string that grows
 *
 * Errors stick: once an allocation failed every further call does nothing, and strbuf_steal() reports
 * it, so that building a text needs one check instead of one for each piece.
 */

#include <stddef.h>

#include "lib/base/macro.h"

struct strbuf {
        char *text;
        size_t length;
        size_t allocated;
        int error;
};

#define STRBUF_NULL ((struct strbuf){ 0 })

void strbuf_add(struct strbuf *b, const char *text);
void strbuf_add_n(struct strbuf *b, const char *text, size_t n);
void strbuf_addf(struct strbuf *b, const char *format, ...) _printf_(2, 3);

/* Hands the text over (never NULL on success: an empty buffer gives ""). Returns 0 or -ENOMEM. */
int strbuf_steal(struct strbuf *b, char **ret);

/* Frees the text; for _cleanup_. */
void strbuf_done(struct strbuf *b);
