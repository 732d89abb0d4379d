/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between a queue and a target: the requests of one queue. Belongs to the queue's thread. */

#include "lib/ublk/queue.h"
#include "worker/request.h"

struct io_queue;

struct io_queue_config {
        struct target *target;
        struct request_limits limits;
        struct ublk_queue_config queue; /* without handler and userdata */
};

/* Makes the queue and what is needed to serve it. Returns 0 or a negative errno. */
int io_queue_new(const struct io_queue_config *config, struct io_queue **ret);
void io_queue_free(struct io_queue *q);

int io_queue_fetch(struct io_queue *q);
int io_queue_run(struct io_queue *q);
