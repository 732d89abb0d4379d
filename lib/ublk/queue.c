/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A tag is always in one of three places: with the kernel (a FETCH or COMMIT_AND_FETCH of it is under
 * way), with the handler (from request() until ublk_queue_commit()), or gone (the kernel has aborted it
 * and will not bring it back). So a queue never has more than one operation per tag in its ring, which is
 * what makes the sizes of both rings sure to suffice, and it has ended when every tag is gone.
 *
 * Each turn of ublk_queue_run() is one io_uring_enter(): it submits what the last turn has prepared,
 * waits, and everything that has arrived is handled before the next. The kernel delivers requests only
 * while this thread is inside that call (DEFER_TASKRUN), which is why a handler must never wait.
 *
 * user_data of an operation, the only place where it is packed:
 *
 *     bits  0 … 15   the tag
 *     bit  16        set: a command to the driver; clear: an operation of the handler
 */

#include "lib/ublk/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/ublk/sqe.h"

#define USER_DATA_TAG     UINT64_C(0xffff)
#define USER_DATA_COMMAND (UINT64_C(1) << 16)

#define FILE_DEVICE       0

/* In the kernel since 6.0 and 6.1; older ones answer -EINVAL. */
#define RING_FLAGS_BEST \
        (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN)

struct ublk_queue {
        struct ublk_queue_config config;
        struct io_uring ring;
        bool ring_made;
        const struct ublk_io_desc *descriptors;
        char *buffers;
        uint16_t alive; /* tags that are not gone */
        int error;      /* of a submission in a place that can't return it */
};

static int make_ring(struct ublk_queue *q) {
        static const unsigned attempts[] = { RING_FLAGS_BEST, IORING_SETUP_COOP_TASKRUN, 0 };
        int r = -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(attempts) && r == -EINVAL; i++) {
                /* Twice the depth: an operation may end by several CQEs some day (zero copy sends
                 * do), and memory is all that it costs. */
                struct io_uring_params params = {
                        .flags = attempts[i] | IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED,
                        .cq_entries = 4U * q->config.depth,
                };
                r = io_uring_queue_init_params(2U * q->config.depth, &q->ring, &params);
        }
        if (r < 0)
                return r;
        q->ring_made = true;

        /* Saves the kernel looking up the ring's fd each turn. It is fine not to have it. */
        (void)io_uring_register_ring_fd(&q->ring);
        return 0;
}

static int register_files(struct ublk_queue *q) {
        int fds[] = { [FILE_DEVICE] = q->config.device_fd,
                      [UBLK_QUEUE_FILE_BACKING] = q->config.backing_fd };

        return io_uring_register_files(&q->ring, fds, q->config.backing_fd >= 0 ? 2 : 1);
}

/* A ring can open, connect and send by itself, past every filter of system calls. So this one is told to refuse whatever
 * is not on the list, before it is switched on. The rule about registrations is there for its own sake: without any,
 * Linux 7.2 leaves them all open. */
static int restrict_ring(struct ublk_queue *q) {
        struct io_uring_restriction rules[4 + UBLK_QUEUE_OPCODES_MAX] = {
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_FIXED_FILE },
                { .opcode = IORING_RESTRICTION_REGISTER_OP,
                  .register_op = IORING_UNREGISTER_RING_FDS },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_URING_CMD },
        };
        unsigned n = 4;

        if (q->config.n_opcodes > UBLK_QUEUE_OPCODES_MAX)
                return -E2BIG;
        for (size_t i = 0; i < q->config.n_opcodes; i++) {
                rules[n].opcode = IORING_RESTRICTION_SQE_OP;
                rules[n++].sqe_op = q->config.opcodes[i];
        }
        /* The wrappers of this and the next are declared by liburing 2.3, but not exported. */
        return io_uring_register((unsigned)q->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, rules, n);
}

static int enable_ring(struct ublk_queue *q) {
        int r;

        r = restrict_ring(q);
        if (r < 0 && !q->config.may_be_unrestricted)
                return -EOPNOTSUPP;
        return io_uring_register((unsigned)q->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int map_descriptors(struct ublk_queue *q) {
        void *p = mmap(NULL, ublk_queue_mmap_size(q->config.depth), PROT_READ, MAP_SHARED,
                       q->config.device_fd, (off_t)ublk_queue_mmap_offset(q->config.id));

        if (p == MAP_FAILED)
                return -errno;
        q->descriptors = p;
        return 0;
}

static size_t buffers_size(const struct ublk_queue *q) {
        return (size_t)q->config.depth * q->config.max_io_bytes;
}

/* One mapping for all buffers, page-aligned as direct I/O wants them. Memory is taken when a buffer is
 * used for the first time, so that a deep queue that stays idle is cheap. */
static int map_buffers(struct ublk_queue *q) {
        void *p = mmap(NULL, buffers_size(q), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);

        if (p == MAP_FAILED)
                return -errno;
        q->buffers = p;
        /* A child that got a copy would make every write of ours copy a page. */
        if (madvise(p, buffers_size(q), MADV_DONTFORK) < 0)
                return -errno;
        return 0;
}

int ublk_queue_new(const struct ublk_queue_config *config, struct ublk_queue **ret) {
        struct ublk_queue *q;
        int r;

        if (config->depth == 0 || config->depth > UBLK_QUEUE_DEPTH_MAX ||
            config->max_io_bytes == 0 || config->max_io_bytes % UBLK_PAGE_SIZE != 0)
                return -EINVAL;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->config = *config;

        r = make_ring(q);
        if (r >= 0)
                r = register_files(q);
        if (r >= 0)
                r = enable_ring(q);
        if (r >= 0)
                r = map_descriptors(q);
        if (r >= 0)
                r = map_buffers(q);
        if (r < 0) {
                ublk_queue_free(q);
                return r;
        }
        *ret = q;
        return 0;
}

void ublk_queue_free(struct ublk_queue *q) {
        if (!q)
                return;
        if (q->ring_made)
                io_uring_queue_exit(&q->ring);
        if (q->descriptors)
                (void)munmap((void *)q->descriptors, ublk_queue_mmap_size(q->config.depth));
        if (q->buffers)
                (void)munmap(q->buffers, buffers_size(q));
        free(q);
}

/* What io_uring_enter() may answer at any time and what goes away by itself: a signal, no memory for a
 * request right now, completions that must be handled before more is taken. */
static bool enter_error_passes(int r) {
        return r == -EINTR || r == -EAGAIN || r == -EBUSY;
}

/* Hands everything that is prepared to the kernel, without waiting. */
static int submit_all(struct ublk_queue *q) {
        while (io_uring_sq_ready(&q->ring) > 0) {
                int r = io_uring_submit(&q->ring);

                if (r < 0 && !enter_error_passes(r))
                        return r;
        }
        return 0;
}

struct io_uring_sqe *ublk_queue_sqe(struct ublk_queue *q) {
        for (;;) {
                struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);

                if (sqe)
                        return sqe;
                int r = submit_all(q);
                if (r < 0) {
                        /* The prepared operations are lost with the ring, run() ends with this
                         * error. The caller still needs a place to write to. */
                        static _Thread_local struct io_uring_sqe nowhere;

                        q->error = r;
                        return &nowhere;
                }
        }
}

void ublk_queue_tag_sqe(struct io_uring_sqe *sqe, uint16_t tag) {
        sqe->user_data = tag;
}

void *ublk_queue_buffer(struct ublk_queue *q, uint16_t tag) {
        return q->buffers + (size_t)tag * q->config.max_io_bytes;
}

static void prepare_command(struct ublk_queue *q, uint32_t command, uint16_t tag, int32_t result) {
        struct ublk_io_cmd payload = {
                .q_id = q->config.id,
                .tag = tag,
                .result = result,
                .addr = (uint64_t)(uintptr_t)ublk_queue_buffer(q, tag),
        };
        struct io_uring_sqe *sqe = ublk_queue_sqe(q);

        ublk_sqe_prepare(sqe, FILE_DEVICE, command, &payload, sizeof(payload));
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->user_data = USER_DATA_COMMAND | tag;
}

void ublk_queue_commit(struct ublk_queue *q, uint16_t tag, int32_t result) {
        prepare_command(q, (uint32_t)UBLK_IO_COMMIT_AND_FETCH_REQ, tag, result);
}

int ublk_queue_fetch(struct ublk_queue *q) {
        struct io_uring_cqe *cqe;
        unsigned head;
        int r;

        for (uint16_t tag = 0; tag < q->config.depth; tag++)
                prepare_command(q, (uint32_t)UBLK_IO_FETCH_REQ, tag, 0);
        q->alive = q->config.depth;

        r = submit_all(q);
        if (r < 0)
                return r;
        if (q->error < 0)
                return q->error;

        /* A FETCH that is refused ends at once, one that is accepted stays until a request comes.
         * The completions stay in the ring for run(). */
        io_uring_for_each_cqe(&q->ring, head, cqe) if (cqe->res < 0) return cqe->res;
        return 0;
}

/* A command to the driver has ended: a request is there, or the tag is gone. */
static int command_ended(struct ublk_queue *q, uint16_t tag, int32_t result) {
        if (result == -ENODEV) {
                q->alive--;
                return 0;
        }
        if (result != 0)
                return result < 0 ? result : -EPROTO;

        q->config.handler->request(q->config.userdata, tag, &q->descriptors[tag]);
        return 0;
}

static int handle_completions(struct ublk_queue *q) {
        struct io_uring_cqe *cqe;
        unsigned head, n = 0;
        int r = 0;

        io_uring_for_each_cqe(&q->ring, head, cqe) {
                uint16_t tag = (uint16_t)(cqe->user_data & USER_DATA_TAG);

                n++;
                if (cqe->user_data & USER_DATA_COMMAND)
                        r = command_ended(q, tag, cqe->res);
                else
                        q->config.handler->completion(q->config.userdata, tag, cqe->res);
                if (r < 0)
                        break;
        }
        io_uring_cq_advance(&q->ring, n);
        return r;
}

int ublk_queue_run(struct ublk_queue *q) {
        while (q->alive > 0) {
                int r = io_uring_submit_and_wait(&q->ring, 1);

                if (r < 0 && !enter_error_passes(r))
                        return r;
                r = handle_completions(q);
                if (r < 0)
                        return r;
                if (q->error < 0)
                        return q->error;
        }
        return 0;
}
