/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One queue of a device: the data path
 *
 * A queue is one ring, one mapping of request descriptors, and one buffer for each tag. It belongs to the
 * thread that made it; nothing here is locked or shared. It knows neither targets nor workers: requests
 * go to a callback, results come back by ublk_queue_commit().
 */

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/ublk/abi.h"

struct ublk_queue;

struct ublk_queue_handler {
        /* A request has arrived at a tag. Until it is committed, descriptor and buffer are the handler's. */
        void (*request)(void *userdata, uint16_t tag, const struct ublk_io_desc *descriptor);
        /* An operation that was started with ublk_queue_sqe() has ended. */
        void (*completion)(void *userdata, uint16_t tag, int32_t result);
};

struct ublk_queue_config {
        int device_fd;  /* /dev/ublkcN; stays the caller's, who closes it once every queue has it */
        int backing_fd; /* registered as file 1; -EBADF: none. Stays the caller's */
        uint16_t id;
        uint16_t depth;
        uint32_t max_io_bytes;
        /* What the handler's operations may be (IORING_OP_…); commands to the driver always are. */
        const uint8_t *opcodes;
        size_t n_opcodes;
        bool may_be_unrestricted; /* where the kernel can't restrict a ring */
        const struct ublk_queue_handler *handler;
        void *userdata;
};

enum { UBLK_QUEUE_OPCODES_MAX = 12 };

/* The backing's number as a registered file of the ring (IOSQE_FIXED_FILE). */
#define UBLK_QUEUE_FILE_BACKING 1

/* Makes ring, mapping and buffers and registers the fds, in the thread that will serve the queue (the ring
 * takes commands from no other one). The device is held only as a registered file and by the mapping: the
 * kernel drops those after the last operation of the ring has ended, so that a device whose worker died is
 * not handed to a new one while an old write can still land. From its beginning the ring is restricted by the kernel to
 * the given operations on these files, and to no registration at all. Returns 0 or a negative errno, -EOPNOTSUPP if
 * the kernel can't do that. */
int ublk_queue_new(const struct ublk_queue_config *config, struct ublk_queue **ret);
void ublk_queue_free(struct ublk_queue *q);

/* Submits a FETCH for every tag. When it returns 0 the kernel has taken them all; otherwise the queue is of
 * no use any more. May wait for a lock of the device in the kernel. */
int ublk_queue_fetch(struct ublk_queue *q);

/* Serves until the device is stopped and every tag has come back. Returns 0 then, or a negative errno when
 * the ring failed or the driver refused a command (-EPROTO: it answered what it never should). */
int ublk_queue_run(struct ublk_queue *q);

/* The page-aligned buffer of a tag, max_io_bytes long. */
void *ublk_queue_buffer(struct ublk_queue *q, uint16_t tag);

/* Ends the request at a tag: the number of bytes in full for READ and WRITE, 0 for others, or a negative
 * errno; never a short count. Its effect reaches the kernel with the next turn of ublk_queue_run(). */
void ublk_queue_commit(struct ublk_queue *q, uint16_t tag, int32_t result);

/* An SQE for an operation on behalf of the request at a tag; its end is told by completion(). The caller
 * prepares it by any io_uring_prep_…() and leaves user_data alone (prep functions set it to 0: call
 * ublk_queue_tag_sqe() afterwards). Never NULL: makes room by submitting if the ring is full. */
struct io_uring_sqe *ublk_queue_sqe(struct ublk_queue *q);
void ublk_queue_tag_sqe(struct io_uring_sqe *sqe, uint16_t tag);
