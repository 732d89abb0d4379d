/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls of a worker: until it serves, and then, by the class of its target. */

#include "worker/sandbox/sandbox.h"
#include "worker/targets/target.h"

/* The fds that are part of the answer; -EBADF: it has none. */
struct worker_fds {
        int socket;  /* to the manager */
        int reports; /* where queues write to the main thread */
        int backing;
};

/* Fills in what is allowed from before the first message to the manager, over `socket`. Returns how many. */
size_t worker_setup_calls(int socket, struct sandbox_call ret[SANDBOX_CALLS_MAX]);

/* Fills in what is allowed to one that serves, the frequent ones first. Returns how many. */
size_t worker_calls(enum target_class class, const struct worker_fds *fds,
                    struct sandbox_call ret[SANDBOX_CALLS_MAX]);
