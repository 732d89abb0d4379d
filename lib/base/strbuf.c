/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The growing string: doubles its space, keeps its end NUL-terminated at all times. */

#include "lib/base/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static bool strbuf_reserve(struct strbuf *b, size_t more) {
        if (b->error < 0)
                return false;
        if (b->text && b->length + more < b->allocated)
                return true;

        size_t wanted = MAX((size_t)64, (b->length + more + 1) * 2);
        char *text = realloc(b->text, wanted);
        if (!text) {
                b->error = -ENOMEM;
                return false;
        }
        if (!b->text)
                text[0] = 0;
        b->text = text;
        b->allocated = wanted;
        return true;
}

void strbuf_add_n(struct strbuf *b, const char *text, size_t n) {
        if (!strbuf_reserve(b, n))
                return;
        memcpy(b->text + b->length, text, n);
        b->length += n;
        b->text[b->length] = 0;
}

void strbuf_add(struct strbuf *b, const char *text) {
        strbuf_add_n(b, text, strlen(text));
}

void strbuf_addf(struct strbuf *b, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                b->error = -ENOMEM;
                return;
        }
        strbuf_add_n(b, text, (size_t)n);
}

int strbuf_steal(struct strbuf *b, char **ret) {
        if (!strbuf_reserve(b, 0))
                return b->error;
        *ret = TAKE_PTR(b->text);
        *b = STRBUF_NULL;
        return 0;
}

void strbuf_done(struct strbuf *b) {
        free(b->text);
        *b = STRBUF_NULL;
}
