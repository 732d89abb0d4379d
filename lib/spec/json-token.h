/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of JSON: strings, numbers, literals and what stands between them, each read strictly as
 * RFC 8259 has it. json-scan.c puts the words together; settings.c reads lists that have been scanned.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/spec/error.h"

struct json_reader {
        const char *p, *end;    /* what is left to read */
        const char *line_begin; /* of the line that p is in */
        unsigned line;
        const char *key; /* the device's key that is being read, for messages; borrowed */
        struct spec_errors *errors;
};

struct spec_position json_position(const struct json_reader *r);

/* Adds a syntax error at p. Returns -EINVAL or -ENOMEM. */
int json_fail(const struct json_reader *r, const char *format, ...) _printf_(2, 3);

/* Adds "X stands where WANTED should be". Returns as json_fail(). */
int json_fail_expected(const struct json_reader *r, const char *wanted);

void json_skip_space(struct json_reader *r);

/* Whether the next character is c. */
bool json_at(const struct json_reader *r, char c);

/* Whether the next character begins a number. */
bool json_at_number(const struct json_reader *r);

/* Reads a string, p stands at its opening quote; what it says is appended to `decoded` (may be
 * NULL). This and the ones below return 0, -EINVAL (error added) or -ENOMEM. */
int json_read_string(struct json_reader *r, struct strbuf *decoded);
int json_read_number(struct json_reader *r);
int json_read_literal(struct json_reader *r, const char *word);
