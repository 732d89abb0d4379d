/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue of the worker under test: the real one, seen from inside, because its ring is what attempts are made with.
 * Only the thread that made the ring can use it, so those attempts are made here.
 */

#include "lib/ublk/queue.c" /* NOLINT(bugprone-suspicious-include) */

#include <poll.h>

#include "tests/sandbox/escape-worker.h"

int __real_ublk_queue_run(struct ublk_queue *q);
int __wrap_ublk_queue_run(struct ublk_queue *q);

int __wrap_ublk_queue_run(struct ublk_queue *q) {
        if (escape_role == ROLE_SERVE ||
            (escape_role == ROLE_ONE && !(escape_attempt->flags & IN_QUEUE)))
                return __real_ublk_queue_run(q);

        /* There is nothing else by which the other thread could wake this one once the filter is on. */
        while (!__atomic_load_n(&escape_serving, __ATOMIC_ACQUIRE))
                (void)poll(NULL, 0, 1);
        escape_context.ring = &q->ring;
        if (escape_role == ROLE_ONE)
                escape_make_one();
        escape_make_all();
}
