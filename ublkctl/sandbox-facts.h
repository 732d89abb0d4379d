/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker's sandbox promises, and whether a process keeps it. */

#include "lib/base/strbuf.h"
#include "ublkctl/process.h"

enum verdict {
        VERDICT_NONE, /* nothing is promised */
        VERDICT_HOLDS,
        VERDICT_BROKEN,
        VERDICT_UNKNOWN,
        _VERDICT_MAX,
};

struct sandbox_fact {
        const char *key;      /* in JSON */
        const char *title;    /* in the table */
        const char *promised; /* NULL: nothing */
        /* Writes what is into `is` (nothing: not known) and judges it. */
        enum verdict (*judge)(const struct process *p, unsigned argument, struct strbuf *is);
        unsigned argument;
};

/* NULL after the last one. */
const struct sandbox_fact *sandbox_fact(size_t index);

/* The verdict on one open file. */
enum verdict sandbox_judge_fd(const struct process_fd *fd);

/* "holds", "broken", "unknown"; NULL for VERDICT_NONE. */
const char *verdict_to_string(enum verdict verdict);
