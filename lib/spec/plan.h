/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has to be done
 *
 * A plan is a pure function of what the files say and of what there is. `Plan` prints it, `Apply`
 * carries out the same one. Nothing here knows a bus or a kernel.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/spec/spec.h"

/* A file. spec is NULL and errors says why when the file can't be used. All is borrowed. */
struct plan_desired {
        const char *name;   /* NULL when the file's name is no device name */
        const char *origin; /* the file's path */
        const struct spec *spec;
        const struct spec_errors *errors;
};

/* A device. All is borrowed. */
struct plan_observed {
        const char *name;
        const char *origin; /* "config:PATH" or "api" … */
        const struct spec *spec;
        bool failed;      /* exists, but serves no I/O: is made again even when nothing differs */
        const char *busy; /* who uses it, NULL: nobody */
};

struct plan_options {
        bool prune;         /* remove devices whose file in `folder` is gone */
        bool force;         /* remove and recreate even what is in use */
        const char *folder; /* absolute, no trailing slash; required with prune */
        struct spec_machine machine;
};

enum plan_verb {
        PLAN_NONE,
        PLAN_CREATE,
        PLAN_UPDATE, /* only live changes */
        PLAN_WORKER,
        PLAN_RECREATE,
        PLAN_REMOVE,
        PLAN_BLOCKED, /* should happen and can't: `reason` says why */
        _PLAN_VERB_MAX,
};

struct plan_change {
        enum spec_key key;
        char *before, *after; /* JSON */
};

struct plan_action {
        enum plan_verb verb;
        char *name;
        char *origin;    /* the file's path; of the device for PLAN_REMOVE */
        char *reason;    /* for people; NULL for PLAN_NONE and PLAN_CREATE */
        bool disruptive; /* users of the device would notice */
        struct plan_change *changes;
        size_t n_changes;
        struct spec *
                spec; /* with defaults; what the device shall be; NULL for REMOVE and unusable files */
        char *errors; /* what is wrong with the file, one line each; NULL if nothing */

        /* Filled in by who carries it out. */
        enum { PLAN_PENDING, PLAN_DONE, PLAN_FAILED } result;
        char *error; /* PLAN_FAILED: why */
};

struct plan {
        struct plan_action *actions;
        size_t n_actions;
};

/* The plan, ordered: removals first, then everything else by name; two files for one name (or a name that
 * exists with another origin) are blocked, a device that is in use and would be removed or recreated is
 * blocked unless force. Both specs are compared with their defaults applied. Only devices with the origin
 * "config:FOLDER/…" are pruned. Returns 0 or -ENOMEM. */
int plan_compute(const struct plan_desired *desired, size_t n_desired,
                 const struct plan_observed *observed, size_t n_observed,
                 const struct plan_options *options, struct plan **ret);

/* {"actions":[{"name","action","origin","reason"?,"disruptive","fields":[{"key","old","new","change"}],
 * "errors"?,"result"?,"error"?}],"changed":N,"failed":N,"blocked":N}. with_results: after it was carried
 * out. Returns 0 or -ENOMEM. */
int plan_to_json(const struct plan *plan, bool with_results, char **ret);

const char *plan_verb_to_string(enum plan_verb verb);

void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)
