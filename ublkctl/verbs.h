/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs. One line of the table in main.c is all that a verb needs beside its function. */

#include <stddef.h>

#include "ublkctl/arguments.h"

#define DEVICES_FOLDER "/etc/ublk/devices.d"

struct verb {
        const char *name;
        const char *arguments; /* as shown in help */
        size_t minimum, maximum;
        unsigned options; /* mask of those that only some verbs have */
        bool fields;      /* takes an option for each field of a spec */
        const char *help;
        /* Returns the exit status, after having said what went wrong. */
        int (*run)(const struct arguments *arguments);
};

/* NULL after the last one. The first one is the default. */
const struct verb *verb_at(size_t index);
const struct verb *verb_find(const char *name);

int verb_list(const struct arguments *arguments);
int verb_status(const struct arguments *arguments);
int verb_sandbox(const struct arguments *arguments);
int verb_add(const struct arguments *arguments);
int verb_remove(const struct arguments *arguments);
int verb_apply(const struct arguments *arguments);
int verb_verify(const struct arguments *arguments);
int verb_schema(const struct arguments *arguments);
int verb_features(const struct arguments *arguments);

/* help.c */
void help_all(void);
void help_verb(const struct verb *verb);
