/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A worker under test, started and told its device as the manager does it. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/sandbox/device.h"

enum { SUBJECT_BYTES = 1 << 20 };

struct subject {
        uint32_t device;
        pid_t pid;
        int pidfd;
        int socket;
        int log_fd;
        char log[32768]; /* what it wrote, once it has been read */
        int status;      /* as wait() says it */
};

struct subject_config {
        const char *program;
        const char *name;
        const char *target;
        uid_t uid;
        bool unconfined; /* and in namespaces that keep what it does from the machine */
};

/* Makes a device, starts a worker for it and returns when that is ready, 0 or a negative errno. The caller ends it in
 * either case. */
int subject_start(struct subject *s, struct devices *devices, const struct subject_config *config);

/* Waits for the end of the process. Returns 0, or -ETIME: it has been killed. */
int subject_wait(struct subject *s, int seconds);

/* Kills the process if there still is one, reads what it wrote, removes its device. */
int subject_end(struct subject *s, struct devices *devices);

bool subject_was_killed_by(const struct subject *s, int signal);
