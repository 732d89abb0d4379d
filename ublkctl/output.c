/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Printing. A message to stderr is built first and written at once, so that the lines of several
 * programs in one pipe don't mix. It doesn't go through lib/base/log: that is for services, adds the
 * journal's priorities and cuts lines, and a person wants neither.
 */

#include "ublkctl/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "lib/spec/json.h"

static void say(const char *suffix, const char *format, va_list ap) {
        _cleanup_free_ char *message = NULL;

        if (vasprintf(&message, format, ap) < 0)
                message = NULL;
        (void)fflush(stdout);
        (void)fprintf(stderr, "ublkctl: %s%s\n", message ? message : "out of memory", suffix);
}

int complain(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say("", format, ap);
        va_end(ap);
        return EXIT_FAILURE;
}

int usage(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say(format[strlen(format) - 1] == '?' ? " Try 'ublkctl --help'."
                                              : ". Try 'ublkctl --help'.",
            format, ap);
        va_end(ap);
        return EXIT_USAGE;
}

int out_of_memory(void) {
        return complain("out of memory");
}

enum json_mode json_mode_default(void) {
        return isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
}

int print_json(enum json_mode mode, const char *json) {
        _cleanup_free_ char *pretty = NULL;

        if (mode == JSON_PRETTY) {
                int r = json_pretty(json, &pretty);

                if (r == -ENOMEM)
                        return out_of_memory();
                if (r < 0)
                        return complain("the manager sent something that is no JSON");
        }
        puts(pretty ? pretty : json);
        return EXIT_SUCCESS;
}

int print_json_buffer(enum json_mode mode, struct strbuf *json) {
        _cleanup_free_ char *text = NULL;

        if (strbuf_steal(json, &text) < 0)
                return out_of_memory();
        return print_json(mode, text);
}

void format_bytes(uint64_t bytes, char *ret, size_t n) {
        char size[32];

        format_size(bytes, size, sizeof(size));
        if (bytes >= 1024 && bytes % 1024 == 0)
                (void)snprintf(ret, n, "%s (%llu bytes)", size, (unsigned long long)bytes);
        else
                (void)snprintf(ret, n, "%s bytes", size);
}

void table_add(struct table *table, const char *cell) {
        char **cells = reallocarray(table->cells, table->count + 1, sizeof(*cells));

        if (!cells) {
                table->error = -ENOMEM;
                return;
        }
        table->cells = cells;
        cells[table->count] = strdup(cell && *cell ? cell : "-");
        if (!cells[table->count])
                table->error = -ENOMEM;
        else
                table->count++;
}

/* Characters, not bytes. */
static size_t text_width(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += (*text & 0xc0) != 0x80;
        return n;
}

static size_t column_width(const struct table *table, size_t column, size_t first) {
        size_t width = 0;

        for (size_t i = first + column; i < table->count; i += table->columns)
                width = MAX(width, text_width(table->cells[i]));
        return width;
}

static bool wants_style(void) {
        const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

        return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && !streq(term, "dumb");
}

static void add_row(struct strbuf *out, const struct table *table, size_t first, size_t row,
                    unsigned right) {
        for (size_t c = 0; c < table->columns; c++) {
                const char *cell = table->cells[row + c];
                int pad = (int)(column_width(table, c, first) - text_width(cell));
                bool last = c + 1 == table->columns;

                strbuf_addf(out, "%s%*s%s%*s", c > 0 ? " " : "", right & 1U << c ? pad : 0, "",
                            cell, right & 1U << c || last ? 0 : pad, "");
        }
}

int table_print(const struct table *table, bool heading, unsigned right) {
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;
        size_t first = heading ? 0 : table->columns;

        if (table->error < 0)
                return out_of_memory();
        for (size_t row = first; row < table->count; row += table->columns) {
                bool underlined = row == 0 && wants_style();

                strbuf_add(&out, underlined ? "\x1b[4m" : "");
                add_row(&out, table, first, row, right);
                strbuf_add(&out, underlined ? "\x1b[0m\n" : "\n");
        }
        if (out.error < 0)
                return out_of_memory();
        if (out.text)
                (void)fputs(out.text, stdout);
        return EXIT_SUCCESS;
}

void table_done(struct table *table) {
        for (size_t i = 0; i < table->count; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (struct table){ 0 };
}
