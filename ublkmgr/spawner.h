/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ways to get a worker process
 *
 * A worker can be a child of the manager (spawner-exec.c: machines without systemd, tests, an initrd) or,
 * later, a service instance of the system's. The manager sees only this: a process with a pidfd, and a
 * socket over which it is told everything.
 */

#include <sys/types.h>

#include "lib/base/macro.h"

struct worker_process {
        pid_t pid;
        int pidfd;
        int socket; /* SOCK_SEQPACKET, non-blocking */
};

struct spawner;

struct spawner_ops {
        int (*start)(struct spawner *s, const char *name, uid_t uid, struct worker_process *ret);
        void (*free)(struct spawner *s);
};

struct spawner {
        const struct spawner_ops *ops;
};

/* The user ids of workers, far from those of people, services and containers: this one plus the device's id. */
enum { WORKER_UID_FIRST = 1900000000 };

/* Starts the worker of the device `name`, which shall take the id `uid`. The fds of *ret become the caller's. Returns 0 or a negative
 * errno; a program that can't be executed at all is an error here, not a worker that exits. */
static inline int spawner_start(struct spawner *s, const char *name, uid_t uid,
                                struct worker_process *ret) {
        return s->ops->start(s, name, uid, ret);
}

static inline struct spawner *spawner_free(struct spawner *s) {
        if (s)
                s->ops->free(s);
        return NULL;
}

/* Workers as children: clone3() and exec of the program at `path` (borrowed). */
int spawner_exec_new(const char *path, struct spawner **ret);
