/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* --help, made of the tables of verbs, options and fields, and fitted into 80 columns. */

#include <stdio.h>

#include "ublkctl/output.h"
#include "ublkctl/verbs.h"

enum { TEXT_COLUMN = 30, COLUMNS = 80 };

static size_t text_width(const char *text, size_t bytes) {
        size_t n = 0;

        for (size_t i = 0; i < bytes; i++)
                n += (text[i] & 0xc0) != 0x80;
        return n;
}

/* Prints words from a column on, where the cursor is already. */
static void print_wrapped(const char *text) {
        size_t column = TEXT_COLUMN;

        while (*text) {
                size_t n = strcspn(text, " "), width = text_width(text, n);

                if (column > TEXT_COLUMN && column + 1 + width > COLUMNS) {
                        printf("\n%*s", TEXT_COLUMN, "");
                        column = TEXT_COLUMN;
                } else if (column > TEXT_COLUMN) {
                        (void)putchar(' ');
                        column++;
                }
                printf("%.*s", (int)n, text);
                column += width;
                text += n + (text[n] == ' ');
        }
        (void)putchar('\n');
}

static void print_entry(const char *term, const char *text) {
        size_t width = 2 + text_width(term, strlen(term));

        if (width < TEXT_COLUMN)
                printf("  %s%*s", term, (int)(TEXT_COLUMN - width), "");
        else
                printf("  %s\n%*s", term, TEXT_COLUMN, "");
        print_wrapped(text);
}

static void print_option(const struct option_info *info) {
        _cleanup_(strbuf_done) struct strbuf term = STRBUF_NULL;

        if (info->letter)
                strbuf_addf(&term, "-%c", info->letter);
        if (info->name)
                strbuf_addf(&term, "%s--%s", info->letter ? " " : "", info->name);
        if (info->value == VALUE_OPTIONAL)
                strbuf_addf(&term, "[=%s]", info->metavar);
        else if (info->value == VALUE_REQUIRED)
                strbuf_addf(&term, "=%s", info->metavar);
        if (term.error >= 0)
                print_entry(term.text, info->help);
}

/* verb: NULL for all options. */
static void print_options(const struct verb *verb) {
        printf("\nOptions:\n");
        for (enum option o = 0; o < _OPTION_MAX; o++)
                if (!verb || option_info(o)->common || verb->options & 1U << o)
                        print_option(option_info(o));
}

void help_all(void) {
        const struct verb *verb;

        printf("Usage: ublkctl [OPTION…] [VERB] [ARGUMENT…]\n\n"
               "Manage ublk block devices.\n\n"
               "Verbs:\n");
        for (size_t i = 0; (verb = verb_at(i)); i++) {
                _cleanup_free_ char *term = NULL;

                if (asprintf(&term, "%s %s%s", verb->name, verb->arguments,
                             verb->fields ? " --KEY=VALUE…" : "") < 0) {
                        term = NULL;
                        continue;
                }
                print_entry(term, verb->help);
        }
        print_options(NULL);
        printf("\nEach verb has a help of its own: ublkctl VERB --help\n"
               "Exit status: 0 success, 1 failure, 2 wrong command line. "
               "More: man ublkctl\n");
}

static void print_field(const struct spec_field *field) {
        static const char *const metavars[] = {
                [SPEC_KIND_TYPE] = "=TYPE",     [SPEC_KIND_STRING] = "=TEXT",
                [SPEC_KIND_SIZE] = "=SIZE",     [SPEC_KIND_INTEGER] = "=N",
                [SPEC_KIND_BOOL] = "[=yes|no]",
        };
        _cleanup_(strbuf_done) struct strbuf term = STRBUF_NULL, text = STRBUF_NULL;
        _cleanup_free_ char *option = NULL;

        if (spec_field_option(field, &option) < 0)
                return;
        strbuf_addf(&term, "--%s%s", option,
                    field->absolute_path ? "=PATH" : metavars[field->kind]);
        strbuf_add(&text, field->doc);
        for (enum spec_type t = 0, n = 0; t < _SPEC_TYPE_MAX; t++)
                if (field->types != (1U << _SPEC_TYPE_MAX) - 1 && field->types & 1U << t)
                        strbuf_addf(&text, "%s%s", n++ == 0 ? "; only for " : ", ",
                                    spec_type_to_string(t));
        if (field->fallback)
                strbuf_addf(&text, " (default: %s)", field->fallback);
        if (term.error >= 0 && text.error >= 0)
                print_entry(term.text, text.text);
}

void help_verb(const struct verb *verb) {
        printf("Usage: ublkctl %s%s%s%s [OPTION…]\n\n%s.\n", verb->name,
               *verb->arguments ? " " : "", verb->arguments, verb->fields ? " --type=TYPE" : "",
               verb->help);
        if (verb->fields) {
                printf("\nThe device:\n");
                for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                        print_field(spec_field(k));
                printf("\nA SIZE is bytes, or digits with K, M, G, T, P or E (10G).\n");
        }
        print_options(verb);
}
