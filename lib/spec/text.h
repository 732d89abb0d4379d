/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that came from outside
 *
 * A spec's strings end up in logs, on terminals and in unit files, so they are strict UTF-8 without
 * control characters; and what is shown of a wrong one in an error message is made harmless first:
 * one line, short, no escape sequences, no characters that turn the direction of writing around.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/strbuf.h"

/* Decodes the first character of text, which has `size` bytes. Returns the number of its bytes,
 * 0 when it isn't UTF-8 (overlong forms, surrogates and what is over U+10FFFF are not). */
size_t utf8_decode(const char *text, size_t size, uint32_t *ret);

/* Encodes a character that is none of the surrogates. Returns the number of bytes. */
size_t utf8_encode(uint32_t c, char ret[4]);

enum text_fault { TEXT_FINE, TEXT_NOT_UTF8, TEXT_CONTROL };

/* Whether text is UTF-8 and holds no control characters (C0, DEL, C1). */
enum text_fault text_check(const char *text);

struct text_shown {
        char text[128];
};

/* Makes text fit to be shown: what is not printable is escaped, what is long is cut off with
 * "…". */
const char *text_show(struct text_shown *buffer, const char *text);

/* The same with quotes around. */
const char *text_quote(struct text_shown *buffer, const char *text);

/* For use as an argument of a printf() in the same block. */
#define SHOWN(t)  text_show(&(struct text_shown){ .text = "" }, (t))
#define QUOTED(t) text_quote(&(struct text_shown){ .text = "" }, (t))

/* Appends text in full, escaped as by text_show(). */
void text_add(struct strbuf *out, const char *text);
