/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations of several steps, with undo
 *
 * Attaching a device is ten things that each wait for somebody else (kernel, worker, udev) and can each
 * fail. So it is a table of steps, and one runner goes through it: it times each step, and when one fails
 * it undoes those before it in reverse order and tells which one it was. That makes "what if step N fails"
 * a loop over a table in the tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/macro.h"

enum {
        STEP_DONE = 0,
        STEP_PENDING = 1, /* sequence_continue() will be called */
};

struct step {
        const char *name;
        /* Returns STEP_DONE, STEP_PENDING or a negative errno. */
        int (*run)(void *subject);
        /* Takes back what run() did, after a later step failed; same results. NULL: nothing to do. It is
         * also called for the step that failed itself, so it must cope with half of it being done. */
        int (*undo)(void *subject);
        uint64_t timeout_usec; /* for run and for undo each; 0: ten seconds */
        bool optional;         /* when its time is over the next step follows as if it were done */
};

struct operation {
        const char *name; /* "attach" */
        const struct step *steps;
        size_t n_steps;
        /* Forgets whatever the current step waits for: it ended, or its time is over. */
        void (*abandon)(void *subject);
        /* All steps are done (error 0), or one failed (its errno and name) and the others are undone. The
         * sequence is freed already; may free the subject. */
        void (*finished)(void *subject, int error, const char *step);
};

struct sequence;

/* Begins an operation, from the event loop, not from within this call. Returns 0 or a negative errno. */
int sequence_start(sd_event *event, const struct operation *operation, void *subject,
                   struct sequence **ret);

/* The pending step has ended: 0 or a negative errno. */
void sequence_continue(struct sequence *s, int result);

/* A time limit, as it is; in builds for tests UBLKMGR_HASTE=N makes all of them N times shorter. */
uint64_t time_limit(uint64_t usec);

/* Whether a step has failed and what was done before is being undone. NULL is fine. */
bool sequence_is_undoing(const struct sequence *s);

/* Stops without finishing and without undoing (the manager exits). NULL is fine; returns NULL. */
struct sequence *sequence_free(struct sequence *s);
