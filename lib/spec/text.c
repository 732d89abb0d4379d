/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UTF-8 by hand: mbrtowc() depends on the locale of whoever runs the program, and what a device
 * file means must not. The tables of the standard fit into one function.
 */

#include "lib/spec/text.h"

#include <stdio.h>

size_t utf8_decode(const char *text, size_t size, uint32_t *ret) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *t = (const unsigned char *)text;
        size_t n;
        uint32_t c;

        if (size == 0)
                return 0;
        if (t[0] < 0x80) {
                *ret = t[0];
                return 1;
        }
        if ((t[0] & 0xe0) == 0xc0)
                n = 2, c = t[0] & 0x1f;
        else if ((t[0] & 0xf0) == 0xe0)
                n = 3, c = t[0] & 0x0f;
        else if ((t[0] & 0xf8) == 0xf0)
                n = 4, c = t[0] & 0x07;
        else
                return 0;
        if (size < n)
                return 0;

        for (size_t i = 1; i < n; i++) {
                if ((t[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (t[i] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

size_t utf8_encode(uint32_t c, char ret[4]) {
        static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = n - 1; i > 0; i--) {
                ret[i] = (char)(0x80 | (c & 0x3f));
                c >>= 6;
        }
        ret[0] = (char)(lead[n] | c);
        return n;
}

static bool is_control(uint32_t c) {
        return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

/* Characters that are legal text but let a message look like something else than it is. */
static bool is_treacherous(uint32_t c) {
        return is_control(c) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

enum text_fault text_check(const char *text) {
        size_t left = strlen(text);

        while (left > 0) {
                uint32_t c;
                size_t n = utf8_decode(text, left, &c);

                if (n == 0)
                        return TEXT_NOT_UTF8;
                if (is_control(c))
                        return TEXT_CONTROL;
                text += n;
                left -= n;
        }
        return TEXT_FINE;
}

/* Writes the first character of text as it may be shown. Returns how many bytes it had. */
static size_t show_character(const char *text, char ret[8]) {
        uint32_t c;
        size_t n = utf8_decode(text, strnlen(text, 4), &c);

        if (n == 0) {
                (void)snprintf(ret, 8, "\\x%02x", (unsigned char)*text);
                return 1;
        }
        if (is_treacherous(c)) {
                (void)snprintf(ret, 8, "\\u%04x", (unsigned)c & 0xffff);
                return n;
        }
        memcpy(ret, text, n);
        ret[n] = 0;
        return n;
}

static const char *show(struct text_shown *buffer, const char *text, const char *quote) {
        static const char more[] = "…";
        size_t limit = sizeof(buffer->text) - sizeof(more) - strlen(quote);
        size_t used = strlen(quote);

        memcpy(buffer->text, quote, used);
        while (*text) {
                char piece[8];
                size_t n = show_character(text, piece);

                if (used + strlen(piece) > limit) {
                        memcpy(buffer->text + used, more, sizeof(more) - 1);
                        used += sizeof(more) - 1;
                        break;
                }
                memcpy(buffer->text + used, piece, strlen(piece));
                used += strlen(piece);
                text += n;
        }
        memcpy(buffer->text + used, quote, strlen(quote) + 1);
        return buffer->text;
}

const char *text_show(struct text_shown *buffer, const char *text) {
        return show(buffer, text, "");
}

const char *text_quote(struct text_shown *buffer, const char *text) {
        return show(buffer, text, "\"");
}

void text_add(struct strbuf *out, const char *text) {
        while (*text) {
                char piece[8];

                text += show_character(text, piece);
                strbuf_add(out, piece);
        }
}
