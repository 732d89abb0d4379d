/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each tag has its request here, made once, so that nothing is allocated on the way of a request. The
 * functions that targets call find tag and queue around the struct target_io that they were given.
 */

#include "worker/io.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/macro.h"

static_assert(TARGET_FILE_BACKING == UBLK_QUEUE_FILE_BACKING, "two names for one thing");

struct request {
        struct target_io io;
        struct io_queue *queue;
        uint16_t tag;
};

struct io_queue {
        struct target *target;
        struct request_limits limits;
        struct ublk_queue *queue;
        struct request requests[];
};

struct io_uring_sqe *target_io_sqe(struct target_io *io) {
        struct request *request = CONTAINER_OF(io, struct request, io);

        return ublk_queue_sqe(request->queue->queue);
}

void target_io_start(struct target_io *io, struct io_uring_sqe *sqe) {
        struct request *request = CONTAINER_OF(io, struct request, io);

        sqe->flags |= IOSQE_FIXED_FILE;
        ublk_queue_tag_sqe(sqe, request->tag);
}

void target_io_done(struct target_io *io, int result) {
        struct request *request = CONTAINER_OF(io, struct request, io);

        ublk_queue_commit(request->queue->queue, request->tag, request_result(io, result));
}

static void request_arrived(void *userdata, uint16_t tag, const struct ublk_io_desc *descriptor) {
        struct io_queue *q = userdata;
        struct target_io *io = &q->requests[tag].io;
        int r;

        /* Even if it is refused: its data is in the buffer already. */
        if ((descriptor->op_flags & UBLK_OP_MASK) == UBLK_OP_WRITE)
                io->stale = (uint32_t)MIN(MAX((uint64_t)descriptor->nr_sectors << 9, io->stale),
                                          q->limits.max_io_bytes);

        r = request_translate(&q->limits, descriptor, io);
        if (r < 0) {
                target_io_done(io, r);
                return;
        }

        io->buffer = NULL;
        if (io->op == TARGET_READ || io->op == TARGET_WRITE)
                io->buffer = ublk_queue_buffer(q->queue, tag);
        io->done = 0;
        io->step = 0;
        q->target->ops->submit(q->target, io);
}

static void operation_ended(void *userdata, uint16_t tag, int32_t result) {
        struct io_queue *q = userdata;

        q->target->ops->complete(q->target, &q->requests[tag].io, result);
}

int io_queue_new(const struct io_queue_config *config, struct io_queue **ret) {
        static const struct ublk_queue_handler handler = {
                .request = request_arrived,
                .completion = operation_ended,
        };
        struct ublk_queue_config queue_config = config->queue;
        struct io_queue *q;
        int r;

        q = calloc(1, sizeof(*q) + config->queue.depth * sizeof(q->requests[0]));
        if (!q)
                return -ENOMEM;
        q->target = config->target;
        q->limits = config->limits;
        for (uint16_t tag = 0; tag < config->queue.depth; tag++) {
                q->requests[tag].queue = q;
                q->requests[tag].tag = tag;
        }

        queue_config.handler = &handler;
        queue_config.userdata = q;
        r = ublk_queue_new(&queue_config, &q->queue);
        if (r < 0) {
                free(q);
                return r;
        }
        *ret = q;
        return 0;
}

void io_queue_free(struct io_queue *q) {
        if (!q)
                return;
        ublk_queue_free(q->queue);
        free(q);
}

int io_queue_fetch(struct io_queue *q) {
        return ublk_queue_fetch(q->queue);
}

int io_queue_run(struct io_queue *q) {
        return ublk_queue_run(q->queue);
}
