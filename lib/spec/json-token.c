/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Most broken JSON is broken in one of a few ways: a comma too many, single quotes, a comment, a
 * word from another language. Those are told by name; "syntax error" alone helps nobody.
 */

#include "lib/spec/json-token.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/spec/text.h"

struct spec_position json_position(const struct json_reader *r) {
        return (struct spec_position){
                .line = r->line,
                .column = (unsigned)(r->p - r->line_begin) + 1,
        };
}

int json_fail(const struct json_reader *r, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        struct spec_position at = json_position(r);
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return spec_errors_add(r->errors, &at, r->key, SPEC_ERROR_SYNTAX, "%s", message);
}

static bool is_word_character(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-' || c == '+' || c == '$';
}

int json_fail_expected(const struct json_reader *r, const char *wanted) {
        size_t left = (size_t)(r->end - r->p), n = 0;
        char word[24];
        uint32_t c;

        if (left == 0)
                return json_fail(r, "the text ends where %s should be", wanted);
        if (*r->p == '/' || *r->p == '#')
                return json_fail(r, "JSON has no comments; use a key such as \"x-comment\"");
        if (*r->p == '\'')
                return json_fail(r, "single quotes don't make a string; write \"…\"");

        while (n < left && n < sizeof(word) - 1 && is_word_character(r->p[n])) {
                word[n] = r->p[n];
                n++;
        }
        word[n] = 0;
        if (n > 0)
                return json_fail(r, "%s stands where %s should be", word, wanted);

        if (*r->p == '\n' || *r->p == '\r')
                return json_fail(r, "the line ends where %s should be", wanted);
        if (*r->p == '"')
                return json_fail(r, "'\"' stands where %s should be", wanted);
        n = utf8_decode(r->p, left, &c);
        if (n == 0)
                return json_fail(r, "the byte 0x%02x is not UTF-8; save the file as UTF-8",
                                 (unsigned char)*r->p);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
                return json_fail(r, "the control character U+%04X stands where %s should be",
                                 (unsigned)c, wanted);
        memcpy(word, r->p, n);
        word[n] = 0;
        return json_fail(r, "%s stands where %s should be", QUOTED(word), wanted);
}

void json_skip_space(struct json_reader *r) {
        for (; r->p < r->end; r->p++) {
                if (*r->p == '\n') {
                        r->line++;
                        r->line_begin = r->p + 1;
                } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r')
                        break;
        }
}

bool json_at(const struct json_reader *r, char c) {
        return r->p < r->end && *r->p == c;
}

bool json_at_number(const struct json_reader *r) {
        return r->p < r->end && (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'));
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Reads "\uXXXX", p stands at the backslash. -EINVAL without adding an error: the text is none. */
static int read_unit(struct json_reader *r, uint32_t *ret) {
        uint32_t unit = 0;

        if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
                return -EINVAL;
        for (int i = 2; i < 6; i++) {
                int digit = hex_value(r->p[i]);

                if (digit < 0)
                        return -EINVAL;
                unit = unit << 4 | (uint32_t)digit;
        }
        r->p += 6;
        *ret = unit;
        return 0;
}

static int read_unicode_escape(struct json_reader *r, struct strbuf *decoded) {
        const char *begin = r->p;
        uint32_t c, low;
        char utf8[4];

        if (read_unit(r, &c) < 0)
                return json_fail(
                        r, "\\u is not followed by four hexadecimal digits; write it like \\u00e9");
        if (c >= 0xd800 && c <= 0xdbff && read_unit(r, &low) >= 0 && low >= 0xdc00 && low <= 0xdfff)
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        if (c == 0 || (c >= 0xd800 && c <= 0xdfff)) {
                r->p = begin;
                if (c == 0)
                        return json_fail(r, "\\u0000 can't be part of a text; remove it");
                return json_fail(r,
                                 "\\u%04x is half of a surrogate pair; write both halves, or the "
                                 "character itself",
                                 (unsigned)c);
        }
        if (decoded)
                strbuf_add_n(decoded, utf8, utf8_encode(c, utf8));
        return 0;
}

static int read_escape(struct json_reader *r, struct strbuf *decoded) {
        static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        const char *letter;
        uint32_t c;

        if (r->end - r->p < 2)
                return json_fail(r, "the text ends inside of a string; close it with '\"'");
        if (r->p[1] == 'u')
                return read_unicode_escape(r, decoded);

        letter = r->p[1] ? strchr(letters, r->p[1]) : NULL;
        if (!letter) {
                char shown[8] = { 0 };
                size_t n = utf8_decode(r->p + 1, (size_t)(r->end - r->p) - 1, &c);

                memcpy(shown, r->p, 1 + MAX(n, (size_t)1));
                return json_fail(
                        r,
                        "%s is no escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX",
                        SHOWN(shown));
        }
        if (decoded)
                strbuf_add_n(decoded, meanings + (letter - letters), 1);
        r->p += 2;
        return 0;
}

int json_read_string(struct json_reader *r, struct strbuf *decoded) {
        r->p++;
        while (!json_at(r, '"')) {
                size_t left = (size_t)(r->end - r->p), n;
                uint32_t c;

                if (left == 0)
                        return json_fail(r, "the text ends inside of a string; close it with '\"'");
                if (*r->p == '\\') {
                        int k = read_escape(r, decoded);
                        if (k < 0)
                                return k;
                        continue;
                }
                n = utf8_decode(r->p, left, &c);
                if (n == 0)
                        return json_fail(r, "the byte 0x%02x is not UTF-8; save the file as UTF-8",
                                         (unsigned char)*r->p);
                if (c == '\n' || c == '\r')
                        return json_fail(r,
                                         "the line ends inside of a string; close it with '\"', or "
                                         "write \\n for a new line");
                if (c < 0x20)
                        return json_fail(r,
                                         "the control character U+%04X stands in a string; write "
                                         "\\u%04x",
                                         (unsigned)c, (unsigned)c);
                if (decoded)
                        strbuf_add_n(decoded, r->p, n);
                r->p += n;
        }
        r->p++;
        return decoded ? decoded->error : 0;
}

static bool skip_digits(struct json_reader *r) {
        const char *begin = r->p;

        while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
                r->p++;
        return r->p > begin;
}

int json_read_number(struct json_reader *r) {
        if (json_at(r, '-'))
                r->p++;
        if (json_at(r, '0')) {
                r->p++;
                if (r->p < r->end &&
                    ((*r->p >= '0' && *r->p <= '9') || *r->p == 'x' || *r->p == 'X'))
                        return json_fail(
                                r, "a number has no 0 in front and is decimal; write it like 4096");
        } else if (!skip_digits(r))
                return json_fail_expected(r, "the digits of a number");
        if (json_at(r, '.')) {
                r->p++;
                if (!skip_digits(r))
                        return json_fail_expected(r, "a digit after the point");
        }
        if (json_at(r, 'e') || json_at(r, 'E')) {
                r->p++;
                if (json_at(r, '+') || json_at(r, '-'))
                        r->p++;
                if (!skip_digits(r))
                        return json_fail_expected(r, "a digit of the exponent");
        }
        if (r->p < r->end && is_word_character(*r->p))
                return json_fail(r,
                                 "a number is followed by '%c'; write sizes with a unit in quotes "
                                 "(\"64M\")",
                                 *r->p);
        return 0;
}

int json_read_literal(struct json_reader *r, const char *word) {
        size_t n = strlen(word), left = (size_t)(r->end - r->p);

        if (left < n || memcmp(r->p, word, n) != 0 || (left > n && is_word_character(r->p[n])))
                return json_fail_expected(r,
                                          "a value (a string in quotes, a number, true or false)");
        r->p += n;
        return 0;
}
