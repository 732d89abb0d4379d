/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* That an attempt fails is not enough: it must fail because of what is there to stop it, or the test would not notice that
 * this has gone and something else happened to be in the way.
 */

#include "tests/sandbox/judge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/wire/wire.h"

/* Finds the line "WORD NAME: NUMBER" in what a worker wrote. */
static bool find_line(const char *log, const char *word, const char *name, int *ret) {
        char line[WIRE_NAME_SIZE + 16];
        const char *at;

        (void)snprintf(line, sizeof(line), "%s %s: ", word, name);
        at = strstr(log, line);
        if (at)
                *ret = atoi(at + strlen(line));
        return at;
}

static struct verdict look(const struct attempt *a, enum attempt_mode mode,
                           const struct subject *s) {
        struct verdict v = { .outcome = OUTCOME_NONE };
        int signal;

        if (find_line(s->log, "ESCAPED", a->name, &signal))
                v.outcome = OUTCOME_WORKED;
        else if (find_line(s->log, "refused", a->name, &v.error))
                v.outcome = OUTCOME_REFUSED;
        else if (attempt_is_alone(a, mode)
                         ? subject_was_killed_by(s, SIGSYS)
                         : find_line(s->log, "killed", a->name, &signal) && signal == SIGSYS)
                v.outcome = OUTCOME_KILLED;
        return v;
}

static const char *find_fault(const struct attempt *a, enum attempt_mode mode,
                              const struct verdict *v) {
        if (mode == MODE_CONTROL)
                return v->outcome == OUTCOME_WORKED ? NULL : "it fails without confinement, too";
        if (v->outcome == OUTCOME_WORKED)
                return "IT WORKED";
        if (v->outcome == OUTCOME_NONE)
                return "it was not made";
        if (mode != MODE_TRY)
                return NULL;
        if (a->by == BY_FILTER && v->outcome != OUTCOME_KILLED)
                return "the filter let it through";
        if (a->by == BY_RING &&
            (v->outcome != OUTCOME_REFUSED ||
             (v->error != EACCES && !((a->flags & YOUNG) && v->error == EINVAL))))
                return "the ring took it";
        if (a->by == BY_KERNEL && v->outcome != OUTCOME_REFUSED)
                return "the filter doesn't know it";
        return NULL;
}

struct verdict judge(const struct attempt *a, enum attempt_mode mode, const struct subject *s) {
        struct verdict v = look(a, mode, s);

        v.wrong = find_fault(a, mode, &v);
        return v;
}

const char *outcome_to_string(enum outcome outcome) {
        static const char *const names[] = {
                [OUTCOME_NONE] = "nothing",
                [OUTCOME_KILLED] = "killed by the filter",
                [OUTCOME_REFUSED] = "refused",
                [OUTCOME_WORKED] = "worked",
        };

        return names[outcome];
}
