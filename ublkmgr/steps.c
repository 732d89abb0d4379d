/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The runner of step tables. A step that returns STEP_PENDING hands control back to the event loop;
 * sequence_continue() or the step's deadline takes it up again. Builds for tests can make any step fail by
 * UBLKMGR_FAIL_STEP="attach:start-dev" (with "*N" the first N times only) and let deadlines pass faster by
 * UBLKMGR_HASTE=N; builds for users don't contain that.
 */

#include "ublkmgr/steps.h"

#include <errno.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define DEFAULT_STEP_TIMEOUT (10 * USEC_PER_SEC)

struct sequence {
        const struct operation *operation;
        void *subject;
        sd_event_source *kick;
        sd_event_source *deadline;
        size_t at; /* the current step */
        bool undoing;
        bool pending;
        int error; /* of the step that failed */
        const char *failed;
};

#if TEST_HOOKS
static bool step_shall_fail(const struct sequence *s, const struct step *step) {
        static unsigned long failed;
        static size_t next;
        const char *wanted = getenv("UBLKMGR_FAIL_STEP");
        char name[128];
        size_t n;

        /* "attach:each": the first attach fails in its first step, the second one in its second … */
        (void)snprintf(name, sizeof(name), "%s:each", s->operation->name);
        if (wanted && streq(wanted, name)) {
                if (s->at != next)
                        return false;
                next++;
                return true;
        }
        (void)snprintf(name, sizeof(name), "%s:%s", s->operation->name, step->name);
        n = strlen(name);
        if (!wanted || strncmp(wanted, name, n) != 0)
                return false;
        return wanted[n] == 0 || (wanted[n] == '*' && failed++ < strtoul(wanted + n + 1, NULL, 10));
}

uint64_t time_limit(uint64_t usec) {
        const char *haste = getenv("UBLKMGR_HASTE");

        return haste ? usec / MAX(strtoul(haste, NULL, 10), 1UL) : usec;
}
#else
static bool step_shall_fail(_unused_ const struct sequence *s, _unused_ const struct step *step) {
        return false;
}

uint64_t time_limit(uint64_t usec) {
        return usec;
}
#endif

static uint64_t step_timeout(const struct step *step) {
        return time_limit(step->timeout_usec ? step->timeout_usec : DEFAULT_STEP_TIMEOUT);
}

static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct sequence *s = userdata;
        const struct step *step = &s->operation->steps[s->at];

        log_warning("%s: step %s took too long", s->operation->name, step->name);
        sequence_continue(s, step->optional ? STEP_DONE : -ETIMEDOUT);
        return 0;
}

struct sequence *sequence_free(struct sequence *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->kick);
        sd_event_source_disable_unref(s->deadline);
        free(s);
        return NULL;
}

static void sequence_finish(struct sequence *s) {
        const struct operation *operation = s->operation;
        const char *failed = s->failed;
        void *subject = s->subject;
        int error = s->error;

        sequence_free(s);
        operation->finished(subject, error, failed);
}

/* Runs or undoes the current step. Returns its result. */
static int step_enter(struct sequence *s) {
        const struct step *step = &s->operation->steps[s->at];
        int r;

        if (s->undoing && !step->undo)
                return STEP_DONE;
        log_debug("%s: %s%s", s->operation->name, s->undoing ? "undo " : "", step->name);
        if (!s->undoing && step_shall_fail(s, step))
                return -EUCLEAN;

        r = s->undoing ? step->undo(s->subject) : step->run(s->subject);
        if (r != STEP_PENDING)
                return r;

        s->pending = true;
        if (sd_event_source_set_time_relative(s->deadline, step_timeout(step)) < 0 ||
            sd_event_source_set_enabled(s->deadline, SD_EVENT_ONESHOT) < 0)
                log_warning("%s: step %s runs without a deadline", s->operation->name, step->name);
        return r;
}

/* Takes the result of the current step and moves on to the next one. Returns false at the end. */
static bool step_leave(struct sequence *s, int result) {
        if (!s->undoing && result >= 0)
                return ++s->at < s->operation->n_steps;
        if (!s->undoing) {
                s->undoing = true;
                s->error = result;
                s->failed = s->operation->steps[s->at].name;
                return true;
        }
        if (result < 0)
                (void)log_errno(LOG_WARNING, result, "%s: undoing step %s failed",
                                s->operation->name, s->operation->steps[s->at].name);
        return s->at-- > 0;
}

static void sequence_advance(struct sequence *s, int result) {
        while (step_leave(s, result)) {
                result = step_enter(s);
                if (result == STEP_PENDING)
                        return;
        }
        sequence_finish(s);
}

void sequence_continue(struct sequence *s, int result) {
        /* Somebody answers to a step whose time is over. */
        if (!s || !s->pending)
                return;
        s->pending = false;
        (void)sd_event_source_set_enabled(s->deadline, SD_EVENT_OFF);
        s->operation->abandon(s->subject);
        sequence_advance(s, result);
}

bool sequence_is_undoing(const struct sequence *s) {
        return s && s->undoing;
}

static int on_kick(_unused_ sd_event_source *source, void *userdata) {
        struct sequence *s = userdata;
        int r;

        r = step_enter(s);
        if (r != STEP_PENDING)
                sequence_advance(s, r);
        return 0;
}

int sequence_start(sd_event *event, const struct operation *operation, void *subject,
                   struct sequence **ret) {
        struct sequence *s;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->operation = operation;
        s->subject = subject;

        r = sd_event_add_time_relative(event, &s->deadline, CLOCK_MONOTONIC, 0, 0, on_deadline, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->deadline, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &s->kick, on_kick, s);
        if (r < 0) {
                sequence_free(s);
                return r;
        }
        *ret = s;
        return 0;
}
