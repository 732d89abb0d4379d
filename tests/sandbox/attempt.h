/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody who has taken over a worker would try
 *
 * One attempt is one forbidden thing, mostly one system call. The tables of try-*.c have them all; the worker under test
 * makes one, the program that watches it (escape-run.c) knows from the same tables what must have stopped it. A result
 * that isn't a negative errno is an escape.
 */

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the worker knows when it makes its attempt. */
struct attempt_context {
        struct io_uring *ring; /* the queue's; NULL in the main thread */
        int socket;            /* to the manager */
        pid_t victim;          /* another worker, as the machine numbers processes */
        uint64_t address;      /* of its stack */
};

enum stopped_by {
        BY_FILTER, /* of system calls: the process is killed */
        BY_RING,   /* the restrictions of the ring: -EACCES */
        BY_KERNEL, /* the call is allowed, the kernel refuses what it asks for */
};

enum {
        /* Made by the thread of the queue, to which alone its ring listens. */
        IN_QUEUE = 1 << 0,
        /* Nothing but the filter stops it, because it does no harm to anybody else. All others must also fail in a worker
         * that has no filter. */
        FILTER_ONLY = 1 << 1,
        /* Can't succeed even for root without any confinement, or not on every kernel, or not without harm to the
         * machine. All others must succeed there: that shows that the attempt is a real one. */
        NO_CONTROL = 1 << 2,
        /* Allowed to workers of the network. */
        NOT_NETWORK = 1 << 3,
        /* An operation of a ring that is younger than Linux 6.12, which refuses it with EINVAL before it looks at rules. */
        YOUNG = 1 << 4,
};

struct attempt {
        const char *name;
        enum stopped_by by;
        unsigned flags;
        long number; /* a system call, if there is no function */
        long args[6];
        long (*run)(const struct attempt_context *c);
};

/* As arguments of a system call: what the context has. */
#define ARG_VICTIM INT64_C(0x7e57000000000001)
#define ARG_SOCKET INT64_C(0x7e57000000000002)
#define ARG_RING   INT64_C(0x7e57000000000003)

/* An address, or a string, as an argument. */
#define P(pointer) ((long)(pointer))

/* A folder that the control may write to; it has a file "file". */
#define PLAYGROUND "/run/ublk-escape"

struct attempt_group {
        const char *name;
        const struct attempt *attempts;
        size_t n;
};

extern const struct attempt_group group_files, group_processes, group_sockets, group_kernel,
        group_descriptors, group_memory, group_ring;

/* All groups, NULL at the end. */
extern const struct attempt_group *const attempt_groups[];

/* How much of a worker's confinement there is when it makes its attempts. */
enum attempt_mode {
        MODE_TRY, /* all of it: nothing may succeed, and what is meant to stop an attempt must be what does */
        MODE_NOFILTER, /* no filter of system calls: what is more than harmless must be stopped by the rest */
        /* The same when the worker says HELLO, so before it has heard what it serves: under the filter that it has then,
         * and without. */
        MODE_SETUP,
        MODE_SETUPNOFILTER,
        MODE_CONTROL, /* nothing: what can succeed must, or the attempt proves nothing */
        _ATTEMPT_MODE_MAX,
};

extern const char *const attempt_modes[_ATTEMPT_MODE_MAX];

/* Whether it is made in this mode; whether that takes a worker of its own. All others are made by one worker, whose name has
 * ATTEMPT_ALL: by its children, or by itself. */
bool attempt_is_made(const struct attempt *a, enum attempt_mode mode);
bool attempt_is_alone(const struct attempt *a, enum attempt_mode mode);
bool attempt_is_forked(const struct attempt *a, enum attempt_mode mode);

#define ATTEMPT_ALL "all"

/* NULL: there is none of that name. */
const struct attempt *attempt_find(const char *name);

/* Makes it. Returns what the kernel answered, an error as negative errno. */
long attempt_make(const struct attempt *a, const struct attempt_context *c);

#define FOREACH_ATTEMPT(a)                                                                  \
        for (const struct attempt_group *const *_group = attempt_groups; *_group; _group++) \
                for (const struct attempt *a = (*_group)->attempts;                         \
                     a < (*_group)->attempts + (*_group)->n; a++)
