/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations outlive the interest in them: a command that the kernel doesn't give up is "forgotten", that
 * is, its caller has been told and its memory waits for the completion. Two timers follow each other on
 * one source: at the deadline the operation is cancelled, and if that changes nothing within GRACE_USEC the
 * caller hears -ETIMEDOUT all the same.
 */

#include "lib/ublk/ring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/list.h"

enum {
        RING_ENTRIES = 256,
        /* Control commands that block (START_DEV, DEL_DEV) each hold a kernel thread; by default there are
         * four a processor, and one hung device could take them all. */
        RING_WORKERS = 64,
        DRAIN_TRIES = 100,
};
#define GRACE_USEC (2 * USEC_PER_SEC)

struct ring {
        struct io_uring uring;
        int eventfd;
        sd_event *event;
        sd_event_source *source;
        struct list ops;
        bool draining; /* nothing new is taken */
};

struct ring_op {
        struct list list;
        struct ring *ring;
        void *payload;
        ring_late late;
        bool cancelled;
        sd_event_source *timer;
        ring_done done; /* NULL: forgotten */
        void *userdata;
};

static void ring_op_free(struct ring_op *op) {
        list_remove(&op->list);
        sd_event_source_disable_unref(op->timer);
        free(op->payload);
        free(op);
}

/* The next free SQE, cleared. */
static union ring_sqe *ring_sqe(struct ring *r) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

        if (!sqe) {
                (void)io_uring_submit(&r->uring);
                sqe = io_uring_get_sqe(&r->uring);
        }
        if (sqe)
                memset(sqe, 0, sizeof(union ring_sqe));
        return (union ring_sqe *)sqe;
}

static void ring_cancel(struct ring_op *op) {
        union ring_sqe *sqe;

        if (op->cancelled)
                return;
        sqe = ring_sqe(op->ring);
        if (!sqe)
                return;
        op->cancelled = true;
        io_uring_prep_cancel(&sqe->sqe, op, 0);
        io_uring_sqe_set_data(&sqe->sqe, NULL);
        (void)io_uring_submit(&op->ring->uring);
}

static void ring_op_tell(struct ring_op *op, int result) {
        ring_done done = op->done;

        if (!done)
                return;
        op->done = NULL;
        done(op->userdata, result, op->payload);
}

static int on_timer(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct ring_op *op = userdata;

        if (!op->cancelled) {
                ring_cancel(op);
                (void)sd_event_source_set_time_relative(source, GRACE_USEC);
                (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
                return 0;
        }
        ring_op_tell(op, -ETIMEDOUT);
        return 0;
}

/* Being cancelled shows as one of several errors, depending on how far the operation had come. 512 is the
 * kernel's own ERESTARTSYS: an operation that sleeps in one of the ring's threads ends so. */
static bool is_cancellation(int result) {
        return result == -ECANCELED || result == -EINTR || result == -EALREADY || result == -512;
}

static void ring_complete(struct ring_op *op, int result) {
        if (op->cancelled && is_cancellation(result))
                result = -ETIMEDOUT;
        if (!op->done && op->late && result >= 0)
                op->late(op->ring, result, op->payload);
        ring_op_tell(op, result);
        ring_op_free(op);
}

static void ring_reap(struct ring *r) {
        struct io_uring_cqe *cqe;

        while (io_uring_peek_cqe(&r->uring, &cqe) == 0) {
                struct ring_op *op = io_uring_cqe_get_data(cqe);
                int result = cqe->res;

                io_uring_cqe_seen(&r->uring, cqe);
                if (op)
                        ring_complete(op, result);
        }
}

static int on_eventfd(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents,
                      void *userdata) {
        eventfd_t n;

        (void)eventfd_read(fd, &n);
        ring_reap(userdata);
        return 0;
}

static int ring_setup(struct ring *r) {
        unsigned workers[2] = { RING_WORKERS, 0 };
        int k;

        k = io_uring_queue_init(RING_ENTRIES, &r->uring, IORING_SETUP_SQE128);
        if (k < 0) {
                r->uring.ring_fd = -EBADF;
                return k;
        }
        k = io_uring_register_iowq_max_workers(&r->uring, workers);
        if (k < 0)
                return k;
        r->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (r->eventfd < 0)
                return -errno;
        return io_uring_register_eventfd(&r->uring, r->eventfd);
}

int ring_new(sd_event *event, struct ring **ret) {
        _cleanup_(ring_freep) struct ring *r = calloc(1, sizeof(*r));
        int k;

        if (!r)
                return -ENOMEM;
        r->eventfd = r->uring.ring_fd = -EBADF;
        list_init(&r->ops);

        k = ring_setup(r);
        if (k < 0)
                return k;
        r->event = sd_event_ref(event);
        k = sd_event_add_io(event, &r->source, r->eventfd, EPOLLIN, on_eventfd, r);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

/* Waits, for a bounded time, until the kernel is done with the memory of cancelled operations. */
static void ring_drain(struct ring *r) {
        r->draining = true;
        LIST_FOREACH (i, &r->ops)
                (void)ring_forget(CONTAINER_OF(i, struct ring_op, list));

        for (int i = 0; i < DRAIN_TRIES && !list_empty(&r->ops); i++) {
                struct __kernel_timespec timeout = { .tv_nsec = 10 * 1000 * 1000 };
                struct io_uring_cqe *cqe;

                (void)io_uring_wait_cqe_timeout(&r->uring, &cqe, &timeout);
                ring_reap(r);
        }
}

struct ring *ring_free(struct ring *r) {
        if (!r)
                return NULL;
        if (r->uring.ring_fd >= 0) {
                ring_drain(r);
                io_uring_queue_exit(&r->uring);
        }
        /* What is still in the list belongs to the kernel: better lost than written to after free(). */
        sd_event_source_disable_unref(r->source);
        sd_event_unref(r->event);
        safe_close(r->eventfd);
        free(r);
        return NULL;
}

void ring_late_close(_unused_ struct ring *r, int result, _unused_ void *payload) {
        safe_close(result);
}

int ring_start(struct ring *r, const union ring_sqe *sqe, void *payload, ring_late late,
               uint64_t timeout_usec, ring_done done, void *userdata, struct ring_op **ret) {
        struct ring_op *op;
        union ring_sqe *slot;
        int k;

        op = r->draining ? NULL : calloc(1, sizeof(*op));
        if (!op) {
                free(payload);
                return r->draining ? -ECANCELED : -ENOMEM;
        }
        *op = (struct ring_op){
                .ring = r,
                .payload = payload,
                .late = late,
                .done = done,
                .userdata = userdata,
        };
        list_init(&op->list);

        k = sd_event_add_time_relative(r->event, &op->timer, CLOCK_MONOTONIC, timeout_usec, 0,
                                       on_timer, op);
        if (k < 0)
                goto fail;
        slot = ring_sqe(r);
        if (!slot) {
                k = -EAGAIN;
                goto fail;
        }
        *slot = *sqe;
        io_uring_sqe_set_data(&slot->sqe, op);
        list_append(&r->ops, &op->list);

        k = io_uring_submit(&r->uring);
        if (k < 0 && k != -EBUSY && k != -EAGAIN && k != -EINTR) {
                /* The SQE stays in the ring: make it harmless, it goes out with the next one. */
                io_uring_prep_nop(&slot->sqe);
                io_uring_sqe_set_data(&slot->sqe, NULL);
                goto fail;
        }
        if (ret)
                *ret = op;
        return 0;
fail:
        ring_op_free(op);
        return k;
}

struct ring_op *ring_forget(struct ring_op *op) {
        if (!op)
                return NULL;
        op->done = NULL;
        ring_cancel(op);
        return NULL;
}
