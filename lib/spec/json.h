/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Specs as JSON
 *
 * With plan-read.c and record.c the only module that sees cJSON. cJSON is lenient where a file that decides about disks must not be
 * (numbers are doubles, duplicate keys, trailing text, invalid UTF-8, no positions), so a strict reader
 * of our own goes over the text first; it also knows where every key stands.
 */

#include <stddef.h>

#include "lib/spec/spec.h"

enum {
        SPEC_TEXT_MAX = 64 * 1024, /* bytes of a file */
        SPEC_DEPTH_MAX = 8,
};

/* The largest integer up to which every reader of JSON agrees; larger sizes are written as strings. */
#define JSON_INTEGER_MAX (UINT64_C(1) << 53)

/* Reads one device's JSON. All errors of the text are added to `errors` at once. On success *ret is a
 * checked spec without defaults. Returns 0, -EINVAL (errors added) or -ENOMEM. */
int spec_parse_json(const char *text, size_t size, struct spec **ret, struct spec_errors *errors);

/* Writes it back: the keys that are set in the order of the table, then the `x-…` ones.
 * with_defaults: those nobody asked for too. Returns 0 or -ENOMEM. */
int spec_to_json(const struct spec *spec, bool with_defaults, char **ret);

/* Appends a string as JSON, in quotes. */
void json_add_string(struct strbuf *out, const char *text);

/* Appends a JSON text, which must be well-formed, without the white space between its words. */
void json_add_compact(struct strbuf *out, const char *json);

/* Makes a JSON text readable: one line for each member, indented, no newline at the end. The text may be
 * larger and deeper than a device's file. Returns 0, -EINVAL or -ENOMEM. */
int json_pretty(const char *json, char **ret);
