/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of what is wrong with a spec. Keys are made fit to be shown when they are added, not
 * when they are printed: they leave by several ways (terminal, D-Bus, journal), and each has to be
 * safe.
 */

#include "lib/spec/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/spec/text.h"

static void spec_error_done(struct spec_error *error) {
        free(error->file);
        free(error->key);
        free(error->message);
}

int spec_errors_add(struct spec_errors *errors, const struct spec_position *at, const char *key,
                    const char *code, const char *format, ...) {
        struct spec_error error = { .code = code };
        struct spec_error *items;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&error.message, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        if (at)
                error.at = *at;
        if (key)
                error.key = strdup(*key ? SHOWN(key) : "\"\"");
        if (errors->file)
                error.file = strdup(errors->file);
        items = realloc(errors->items, (errors->count + 1) * sizeof(*items));
        if (items)
                errors->items = items;
        if (!items || (key && !error.key) || (errors->file && !error.file)) {
                spec_error_done(&error);
                return -ENOMEM;
        }
        errors->items[errors->count++] = error;
        return -EINVAL;
}

bool spec_errors_mention(const struct spec_errors *errors, const char *key) {
        for (size_t i = 0; i < errors->count; i++) {
                const struct spec_error *e = &errors->items[i];
                bool same_file = errors->file && e->file ? streq(errors->file, e->file)
                                                         : !errors->file && !e->file;

                if (same_file && e->key && streq(e->key, key))
                        return true;
        }
        return false;
}

static int compare_errors(const void *a, const void *b) {
        const struct spec_error *x = a, *y = b;

        if (x->at.line != y->at.line)
                return x->at.line < y->at.line ? -1 : 1;
        if (x->at.column != y->at.column)
                return x->at.column < y->at.column ? -1 : 1;
        int r = strcmp(x->key ? x->key : "", y->key ? y->key : "");
        return r != 0 ? r : strcmp(x->message, y->message);
}

void spec_errors_sort(struct spec_errors *errors, size_t from) {
        if (errors->count > from)
                qsort(errors->items + from, errors->count - from, sizeof(*errors->items),
                      compare_errors);
}

void spec_error_format(const struct spec_error *error, struct strbuf *out) {
        if (error->file) {
                text_add(out, error->file);
                if (error->at.line > 0)
                        strbuf_addf(out, ":%u:%u", error->at.line, error->at.column);
                strbuf_add(out, ": ");
        } else if (error->at.line > 0)
                strbuf_addf(out, "%u:%u: ", error->at.line, error->at.column);
        if (error->key) {
                strbuf_add(out, error->key);
                strbuf_add(out, ": ");
        }
        strbuf_add(out, error->message);
        strbuf_add(out, "\n");
}

void spec_errors_done(struct spec_errors *errors) {
        for (size_t i = 0; i < errors->count; i++)
                spec_error_done(&errors->items[i]);
        free(errors->items);
        *errors = SPEC_ERRORS_NULL;
}
