/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A strict reader of JSON (RFC 8259) that knows where everything stands
 *
 * It goes over the text once, before anybody else sees it, and refuses what lenient readers let
 * pass: invalid UTF-8, control characters, keys given twice, text after the end, deep nesting.
 */

#include "lib/spec/error.h"

enum json_kind {
        JSON_OBJECT,
        JSON_LIST,
        JSON_STRING,
        JSON_NUMBER,
        JSON_TRUE,
        JSON_FALSE,
        JSON_NULL,
};

/* One member of the outermost object. */
struct json_member {
        char *key; /* decoded */
        struct spec_position key_at, value_at;
        enum json_kind kind;
        const char *value; /* where its text begins in the scanned one; not NUL-terminated */
        size_t value_size;
        bool repeated; /* the key was there before; an error was added */
};

struct json_document {
        enum json_kind kind;     /* of the whole */
        struct spec_position at; /* where it begins */
        struct json_member *members;
        size_t n_members;
};

#define JSON_DOCUMENT_NULL ((struct json_document){ 0 })

/* A syntax error ends the reading, but what was found before it (members, keys given twice)
 * stays. max_depth: how many objects and lists may stand in each other. Returns 0 (keys given
 * twice may have been added to errors nevertheless), -EINVAL (syntax error added) or -ENOMEM. */
int json_scan(const char *text, size_t size, unsigned max_depth, struct json_document *ret,
              struct spec_errors *errors);

/* In every case, also after errors. */
void json_document_done(struct json_document *document);
