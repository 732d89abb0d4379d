/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filling in an SQE with a ublk command
 *
 * liburing 2.3 (Debian 12) can't prepare IORING_OP_URING_CMD, and later versions differ in what they name
 * its fields, so it is done here, for the control ring and for the queues alike. The payload lies at byte
 * 48 of the SQE: 16 bytes of an I/O command end with a plain SQE, 32 bytes of a control command need a
 * ring with IORING_SETUP_SQE128, whose second half is cleared then.
 */

#include <assert.h>
#include <liburing.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UBLK_SQE_PAYLOAD_OFFSET 48
#define UBLK_SQE_PAYLOAD_PLAIN  16
static_assert(offsetof(struct io_uring_sqe, cmd) == UBLK_SQE_PAYLOAD_OFFSET, "io_uring_sqe.cmd");
static_assert(sizeof(struct io_uring_sqe) == 64, "io_uring_sqe");

/* user_data and flags are the caller's to set afterwards. */
static inline void ublk_sqe_prepare(struct io_uring_sqe *sqe, int fd, uint32_t command,
                                    const void *payload, size_t size) {
        unsigned char *bytes = (unsigned char *)sqe;

        assert(size <= 80);
        memset(bytes, 0, size > UBLK_SQE_PAYLOAD_PLAIN ? 2 * sizeof(*sqe) : sizeof(*sqe));
        sqe->opcode = IORING_OP_URING_CMD;
        sqe->fd = fd;
        sqe->cmd_op = command;
        memcpy(bytes + UBLK_SQE_PAYLOAD_OFFSET, payload, size);
}
