/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects and lists. It is recursive, which the limit on depth makes safe, and keeps nothing but
 * the members of the outermost object: what is in them is checked here and read by somebody else.
 */

#include "lib/spec/json-scan.h"

#include <errno.h>

#include "lib/spec/json-seen.h"
#include "lib/spec/json-token.h"

struct scanner {
        struct json_reader reader;
        struct json_document *document;
        unsigned depth, max_depth;
};

static int scan_value(struct scanner *s, enum json_kind *ret);

static int enter(struct scanner *s) {
        if (s->depth == s->max_depth)
                return json_fail(&s->reader, "nested over %u deep; write it flatter", s->max_depth);
        s->depth++;
        s->reader.p++;
        json_skip_space(&s->reader);
        return 0;
}

static void leave(struct scanner *s) {
        s->depth--;
        s->reader.p++;
}

/* What follows a member or an element: a comma and another one, or the end. Returns 1 for
 * another one. */
static int next(struct scanner *s, char close) {
        struct json_reader *r = &s->reader;

        json_skip_space(r);
        if (json_at(r, close))
                return 0;
        if (!json_at(r, ','))
                return json_fail_expected(r, close == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
        struct json_reader comma = *r;
        r->p++;
        json_skip_space(r);
        if (json_at(r, close))
                return json_fail(&comma, "a \",\" stands before \"%c\"; remove it", close);
        return 1;
}

/* Keeps a member of the outermost object. */
static int keep_member(struct scanner *s, struct json_member *member) {
        struct json_document *d = s->document;

        /* Room for a power of two of members, so that it grows seldom. */
        if ((d->n_members & (d->n_members - 1)) == 0) {
                struct json_member *members =
                        realloc(d->members, MAX(d->n_members * 2, (size_t)1) * sizeof(*members));

                if (!members)
                        return -ENOMEM;
                d->members = members;
        }
        d->members[d->n_members++] = *member;
        member->key = NULL;
        return 0;
}

static int read_key(struct scanner *s, struct json_seen *seen, struct json_member *member) {
        _cleanup_(strbuf_done) struct strbuf decoded = STRBUF_NULL;
        _cleanup_free_ char *key = NULL;
        struct json_reader *r = &s->reader;
        int k;

        member->key_at = json_position(r);
        if (!json_at(r, '"'))
                return json_fail_expected(r, "a key in double quotes");
        k = json_read_string(r, &decoded);
        if (k < 0)
                return k;
        k = strbuf_steal(&decoded, &key);
        if (k < 0)
                return k;
        if (s->depth == 1) {
                member->key = strdup(key);
                if (!member->key)
                        return -ENOMEM;
        }
        k = json_seen_add(seen, r, &key, member->key_at);
        if (k == -ENOMEM)
                return k;
        member->repeated = k < 0;

        json_skip_space(r);
        if (!json_at(r, ':'))
                return json_fail_expected(r, "\":\" and a value");
        r->p++;
        json_skip_space(r);
        return 0;
}

static int scan_member(struct scanner *s, struct json_seen *seen) {
        struct json_member member = { 0 };
        struct json_reader *r = &s->reader;
        bool outermost = s->depth == 1;
        int k;

        k = read_key(s, seen, &member);
        if (k >= 0) {
                if (outermost)
                        r->key = member.key;
                member.value = r->p;
                member.value_at = json_position(r);
                k = scan_value(s, &member.kind);
                member.value_size = (size_t)(r->p - member.value);
                if (outermost)
                        r->key = NULL;
        }
        if (k >= 0 && outermost)
                k = keep_member(s, &member);
        free(member.key);
        return k;
}

static int scan_object(struct scanner *s) {
        _cleanup_(json_seen_done) struct json_seen seen = { 0 };
        int k;

        k = enter(s);
        if (k < 0)
                return k;
        for (bool more = !json_at(&s->reader, '}'); more; more = k > 0) {
                k = scan_member(s, &seen);
                if (k < 0)
                        return k;
                k = next(s, '}');
                if (k < 0)
                        return k;
        }
        leave(s);
        return 0;
}

static int scan_list(struct scanner *s) {
        enum json_kind kind;
        int k;

        k = enter(s);
        if (k < 0)
                return k;
        for (bool more = !json_at(&s->reader, ']'); more; more = k > 0) {
                k = scan_value(s, &kind);
                if (k < 0)
                        return k;
                k = next(s, ']');
                if (k < 0)
                        return k;
        }
        leave(s);
        return 0;
}

static int scan_value(struct scanner *s, enum json_kind *ret) {
        struct json_reader *r = &s->reader;

        switch (r->p < r->end ? *r->p : 0) {
        case '{':
                *ret = JSON_OBJECT;
                return scan_object(s);
        case '[':
                *ret = JSON_LIST;
                return scan_list(s);
        case '"':
                *ret = JSON_STRING;
                return json_read_string(r, NULL);
        case 't':
                *ret = JSON_TRUE;
                return json_read_literal(r, "true");
        case 'f':
                *ret = JSON_FALSE;
                return json_read_literal(r, "false");
        case 'n':
                *ret = JSON_NULL;
                return json_read_literal(r, "null");
        default:
                if (json_at_number(r)) {
                        *ret = JSON_NUMBER;
                        return json_read_number(r);
                }
                return json_fail_expected(r,
                                          "a value (a string in quotes, a number, true or false)");
        }
}

int json_scan(const char *text, size_t size, unsigned max_depth, struct json_document *ret,
              struct spec_errors *errors) {
        struct scanner s = {
                .reader = { .p = text,
                            .end = text + size,
                            .line_begin = text,
                            .line = 1,
                            .errors = errors },
                .document = ret,
                .max_depth = max_depth,
        };
        struct json_reader *r = &s.reader;
        int k;

        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                return json_fail(r, "the text begins with a byte order mark; save the file as "
                                    "UTF-8 without one");
        json_skip_space(r);
        if (r->p == r->end)
                return json_fail(
                        r, "there is nothing in it; write an object such as {\"type\": \"ram\", "
                           "\"sizeBytes\": \"64M\"}");
        ret->at = json_position(r);
        k = scan_value(&s, &ret->kind);
        if (k < 0)
                return k;
        json_skip_space(r);
        if (r->p < r->end)
                return json_fail_expected(r, "the end (a file holds one object)");
        return 0;
}

void json_document_done(struct json_document *document) {
        for (size_t i = 0; i < document->n_members; i++)
                free(document->members[i].key);
        free(document->members);
        *document = JSON_DOCUMENT_NULL;
}
