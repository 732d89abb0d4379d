/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A ring in an event loop
 *
 * The manager must never wait for the kernel, yet ublk's control commands wait for workers, disks and
 * each other. So everything that could wait is an operation of one ring that lives as long as the manager
 * (rings that come and go were seen to lose commands), its completions arrive in the sd-event loop, and each
 * operation has a deadline after which it is cancelled.
 *
 * One thread: that of the event loop.
 */

#include <liburing.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/macro.h"

struct ring;
struct ring_op;

/* An SQE as large as control commands need it. */
union ring_sqe {
        struct io_uring_sqe sqe;
        unsigned char bytes[128];
};

/* result: that of the CQE, or -ETIMEDOUT when the deadline passed. payload: what ring_start() was given. */
typedef void (*ring_done)(void *userdata, int result, void *payload);

/* An operation that was given up has succeeded all the same: what it made has to be taken back. */
typedef void (*ring_late)(struct ring *r, int result, void *payload);

/* Closes the fd that is the result, for operations that open something. */
void ring_late_close(struct ring *r, int result, void *payload);

/* Returns 0 or a negative errno (-EPERM, -ENOSYS: io_uring is switched off on this machine). */
int ring_new(sd_event *event, struct ring **ret);

/* Cancels what is under way, without calling back, and frees the ring. NULL is fine. */
struct ring *ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free)

/* Starts an operation. user_data of the SQE is the ring's. payload (from malloc(), or NULL) is what the
 * kernel reads and writes meanwhile: it becomes the ring's, which frees it when the kernel is done with it,
 * which may be long after the deadline. late: called instead of done() with a result of 0 or more that nobody
 * takes any more; NULL: nothing is to be taken back.
 *
 * done() is called exactly once, never from within ring_start(), unless ring_forget() was called before. It
 * comes at the latest a few seconds after the timeout, even if the kernel can't be moved to give up.
 * Returns 0 or a negative errno; on error payload has been freed. *ret (may be NULL) is valid until done(). */
int ring_start(struct ring *r, const union ring_sqe *sqe, void *payload, ring_late late,
               uint64_t timeout_usec, ring_done done, void *userdata, struct ring_op **ret);

/* Gives up on an operation: it is cancelled and done() will not be called. NULL is fine; returns NULL. */
struct ring_op *ring_forget(struct ring_op *op);
