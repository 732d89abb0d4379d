/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line, read
 *
 * Options are a table like the verbs are (verbs.h); help, errors and the manual's test come from both.
 * The options of `add` are made from the field table of lib/spec, so a key that is added there is an
 * option here without anybody having to think of it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/spec/spec.h"

enum { EXIT_USAGE = 2 };

/* Of two exit statuses the one to end with. A function, as its arguments do things. */
static inline int worse(int a, int b) {
        return a > b ? a : b;
}

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

enum option {
        OPTION_JSON,
        OPTION_J,
        OPTION_NO_LEGEND,
        OPTION_QUIET,
        OPTION_FORCE,
        OPTION_DRY_RUN,
        OPTION_PRUNE,
        OPTION_ADDRESS,
        OPTION_HELP,
        OPTION_VERSION,
        _OPTION_MAX,
};

struct option_info {
        const char *name; /* without the dashes; NULL: only a letter */
        char letter;      /* 0: none */
        enum { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED } value;
        const char *metavar;
        bool common; /* every verb has it */
        const char *help;
};

const struct option_info *option_info(enum option option);

/* One option of `add`. text is NULL when it stood without a value. */
struct field_argument {
        enum spec_key key;
        const char *text;
};

struct verb;

struct arguments {
        const struct verb *verb;
        bool verb_given; /* false: it is the default */
        unsigned given;  /* mask of 1 << enum option */
        enum json_mode json;
        const char *address;
        const char **names; /* what follows the verb */
        size_t n_names;
        struct field_argument *fields;
        size_t n_fields;
};

static inline bool is_given(const struct arguments *arguments, enum option option) {
        return arguments->given & 1U << option;
}

/* Returns 0, or EXIT_USAGE or EXIT_FAILURE after having said why. What it returns points into argv. */
int arguments_parse(int argc, char **argv, struct arguments *ret);

void arguments_done(struct arguments *arguments);
