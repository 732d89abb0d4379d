/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the command line. Not getopt_long(): it accepts abbreviations, which break with the next option
 * that begins alike, it can't tell which option a wrong one is near to, and it would want the options of
 * `add` twice, as the field table has them already.
 */

#include "ublkctl/arguments.h"

#include <errno.h>

#include "lib/spec/text.h"
#include "ublkctl/output.h"
#include "ublkctl/unknown.h"
#include "ublkctl/verbs.h"

static const struct option_info options[_OPTION_MAX] = {
        [OPTION_JSON] = { "json", 0, VALUE_OPTIONAL, "MODE", true,
                          "Print JSON: pretty, short (one line) or off" },
        [OPTION_J] = { NULL, 'j', VALUE_NONE, NULL, true,
                       "Print JSON: pretty on a terminal, else short" },
        [OPTION_NO_LEGEND] = { "no-legend", 0, VALUE_NONE, NULL, true,
                               "Print neither headings nor a last line that counts" },
        [OPTION_QUIET] = { "quiet", 'q', VALUE_NONE, NULL, true, "Print only what went wrong" },
        [OPTION_FORCE] = { "force", 'f', VALUE_NONE, NULL, false,
                           "Remove and make again even what is in use" },
        [OPTION_DRY_RUN] = { "dry-run", 0, VALUE_NONE, NULL, false,
                             "Show what would be done, and do nothing" },
        [OPTION_PRUNE] = { "prune", 0, VALUE_NONE, NULL, false,
                           "Remove devices that came from a file of DIR that is gone" },
        [OPTION_ADDRESS] = { "address", 0, VALUE_REQUIRED, "ADDRESS", true,
                             "Use the bus at this D-Bus address, not the system's" },
        [OPTION_HELP] = { "help", 'h', VALUE_NONE, NULL, true,
                          "Print this help; after a VERB the help on that" },
        [OPTION_VERSION] = { "version", 0, VALUE_NONE, NULL, true, "Print the version" },
};

struct parser {
        char **next; /* the argument after the current one */
        struct arguments *arguments;
        const char *unknown; /* the first option that isn't known, as it was written */
};

const struct option_info *option_info(enum option option) {
        return &options[option];
}

static int read_json_mode(const char *value, enum json_mode *ret) {
        if (!value)
                *ret = json_mode_default();
        else if (streq(value, "pretty"))
                *ret = JSON_PRETTY;
        else if (streq(value, "short"))
                *ret = JSON_SHORT;
        else if (streq(value, "off"))
                *ret = JSON_OFF;
        else
                return usage("--json=%s: write pretty, short or off", SHOWN(value));
        return 0;
}

/* Takes the value of an option from behind its "=" or from the next argument. */
static int take_value(struct parser *p, const char *name, bool required, const char **value) {
        if (*value || !required)
                return 0;
        if (!*p->next)
                return usage("option '--%s' needs a value (--%s=…)", name, name);
        *value = *p->next++;
        return 0;
}

static int set_option(struct parser *p, enum option option, const char *value) {
        const struct option_info *info = &options[option];
        struct arguments *a = p->arguments;
        int r;

        if (value && info->value == VALUE_NONE)
                return usage("option '--%s' takes no value", info->name);
        r = take_value(p, info->name, info->value == VALUE_REQUIRED, &value);
        if (r != 0)
                return r;
        a->given |= 1U << option;
        if (option == OPTION_ADDRESS)
                a->address = value;
        if (option == OPTION_J || option == OPTION_JSON)
                return read_json_mode(value, &a->json);
        return 0;
}

static int set_field(struct parser *p, enum spec_key key, const char *name, const char *value) {
        struct arguments *a = p->arguments;
        struct field_argument *fields;
        int r;

        r = take_value(p, name, spec_field(key)->kind != SPEC_KIND_BOOL, &value);
        if (r != 0)
                return r;
        fields = reallocarray(a->fields, a->n_fields + 1, sizeof(*fields));
        if (!fields)
                return out_of_memory();
        a->fields = fields;
        a->fields[a->n_fields++] = (struct field_argument){ .key = key, .text = value };
        return 0;
}

/* -ENOENT: no field has this option. */
static int find_field(const char *name) {
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                _cleanup_free_ char *option = NULL;
                int r = spec_field_option(spec_field(k), &option);

                if (r < 0)
                        return r;
                if (streq(option, name))
                        return (int)k;
        }
        return -ENOENT;
}

static int parse_long(struct parser *p, const char *argument) {
        size_t n = strcspn(argument + 2, "=");
        _cleanup_free_ char *name = strndup(argument + 2, n);
        const char *value = argument[2 + n] ? argument + 2 + n + 1 : NULL;

        if (!name)
                return out_of_memory();
        for (enum option o = 0; o < _OPTION_MAX; o++)
                if (options[o].name && streq(options[o].name, name))
                        return set_option(p, o, value);
        int key = find_field(name);
        if (key >= 0)
                return set_field(p, (enum spec_key)key, name, value);
        if (key != -ENOENT)
                return out_of_memory();
        if (!p->unknown)
                p->unknown = argument;
        return 0;
}

static int parse_letters(struct parser *p, const char *argument) {
        for (const char *c = argument + 1; *c; c++) {
                enum option o = 0;

                while (o < _OPTION_MAX && options[o].letter != *c)
                        o++;
                if (o == _OPTION_MAX) {
                        if (!p->unknown)
                                p->unknown = argument;
                        return 0;
                }
                int r = set_option(p, o, NULL);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* Options that exist, but that this verb has no use for, are refused: who wrote them expects something. */
static int check_applicable(const struct arguments *a) {
        for (enum option o = 0; o < _OPTION_MAX; o++)
                if (is_given(a, o) && !options[o].common && !(a->verb->options & 1U << o))
                        return usage("'%s' has no option '--%s'", a->verb->name, options[o].name);
        if (a->n_fields > 0 && !a->verb->fields) {
                _cleanup_free_ char *option = NULL;

                if (spec_field_option(spec_field(a->fields[0].key), &option) < 0)
                        return out_of_memory();
                return usage("'%s' has no option '--%s'", a->verb->name, option);
        }
        return 0;
}

static int check_count(const struct arguments *a) {
        const struct verb *verb = a->verb;

        if (a->n_names < verb->minimum)
                return usage("'%s' needs an argument (ublkctl %s %s)", verb->name, verb->name,
                             verb->arguments);
        if (a->n_names > verb->maximum)
                return usage("'%s' takes %s, '%s' is too much", verb->name,
                             verb->maximum == 0 ? "no arguments" : verb->arguments,
                             SHOWN(a->names[verb->maximum]));
        return 0;
}

static int parse_all(struct parser *p) {
        struct arguments *a = p->arguments;
        bool only_names = false;

        while (*p->next) {
                const char *argument = *p->next++;
                int r = 0;

                if (only_names || argument[0] != '-' || argument[1] == 0)
                        a->names[a->n_names++] = argument;
                else if (streq(argument, "--"))
                        only_names = true;
                else if (argument[1] == '-')
                        r = parse_long(p, argument);
                else
                        r = parse_letters(p, argument);
                if (r != 0)
                        return r;
        }
        return 0;
}

int arguments_parse(int argc, char **argv, struct arguments *a) {
        struct parser p = { .next = argv + MIN(argc, 1), .arguments = a };
        int r;

        a->names = calloc((size_t)argc + 1, sizeof(*a->names));
        if (!a->names)
                return out_of_memory();
        r = parse_all(&p);
        if (r != 0)
                return r;

        a->verb = verb_at(0);
        if (a->n_names > 0) {
                a->verb = verb_find(a->names[0]);
                if (!a->verb)
                        return unknown_verb(a->names[0]);
                a->n_names--;
                memmove(a->names, a->names + 1, a->n_names * sizeof(*a->names));
                a->verb_given = true;
        }
        if (p.unknown)
                return unknown_option(a->verb_given ? a->verb : NULL, p.unknown);
        if (is_given(a, OPTION_HELP) || is_given(a, OPTION_VERSION))
                return 0;
        r = check_applicable(a);
        return r != 0 ? r : check_count(a);
}

void arguments_done(struct arguments *a) {
        free(a->names);
        free(a->fields);
        *a = (struct arguments){ 0 };
}
