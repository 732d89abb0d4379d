/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables put together (that of the sockets last: it ends with shutting down the one that others need), and how a row of them becomes a system call. Nothing here allocates or opens anything: it is
 * used in a process that may not.
 */

#include "tests/sandbox/attempt.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/macro.h"

const struct attempt_group *const attempt_groups[] = {
        &group_files,  &group_processes, &group_kernel,  &group_descriptors,
        &group_memory, &group_ring,      &group_sockets, NULL,
};

const char *const attempt_modes[_ATTEMPT_MODE_MAX] = { "try", "nofilter", "setup", "setupnofilter",
                                                       "control" };

bool attempt_is_made(const struct attempt *a, enum attempt_mode mode) {
        if (mode == MODE_CONTROL)
                return !(a->flags & NO_CONTROL);
        if (mode == MODE_TRY)
                return true;
        /* There is no queue when it says HELLO. */
        if (mode != MODE_NOFILTER && (a->flags & IN_QUEUE))
                return false;
        return a->by == BY_FILTER && !(a->flags & FILTER_ONLY);
}

/* Its thread is killed, or might leave its ring useless. */
bool attempt_is_alone(const struct attempt *a, enum attempt_mode mode) {
        return (a->flags & IN_QUEUE) && (mode == MODE_CONTROL || a->by == BY_FILTER);
}

bool attempt_is_forked(const struct attempt *a, enum attempt_mode mode) {
        return !attempt_is_alone(a, mode) && (mode != MODE_TRY || a->by == BY_FILTER);
}

const struct attempt *attempt_find(const char *name) {
        FOREACH_ATTEMPT(a)
        if (streq(a->name, name))
                return a;
        return NULL;
}

static long argument(const struct attempt_context *c, long value) {
        switch (value) {
        case ARG_VICTIM:
                return c->victim;
        case ARG_SOCKET:
                return c->socket;
        case ARG_RING:
                return c->ring ? c->ring->ring_fd : -EBADF;
        default:
                return value;
        }
}

long attempt_make(const struct attempt *a, const struct attempt_context *c) {
        long args[6], r;

        if (a->run)
                return a->run(c);
        for (size_t i = 0; i < ELEMENTSOF(args); i++)
                args[i] = argument(c, a->args[i]);
        r = syscall(a->number, args[0], args[1], args[2], args[3], args[4], args[5]);
        return r < 0 ? -errno : r;
}
