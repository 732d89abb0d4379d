/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Not lib/ublk/ctrl-kernel.c, which is for an event loop. No command is waited for longer than the deadline: what doesn't
 * come back by then never does, and the test has failed.
 */

#include "tests/sandbox/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "lib/ublk/sqe.h"

enum { DEADLINE_SECONDS = 30, DEPTH = 2, IO_BYTES = 65536 };

int devices_open(struct devices *d) {
        int r;

        d->control = open(UBLK_CONTROL_PATH, O_RDWR | O_CLOEXEC);
        if (d->control < 0)
                return -errno;
        r = io_uring_queue_init(4, &d->ring, IORING_SETUP_SQE128);
        if (r < 0)
                d->control = safe_close(d->control);
        return r;
}

void devices_close(struct devices *d) {
        io_uring_queue_exit(&d->ring);
        d->control = safe_close(d->control);
}

static int command(struct devices *d, uint32_t op, uint32_t id, void *payload, size_t size,
                   uint64_t data) {
        const struct ublk_ctrl_cmd cmd = {
                .dev_id = id,
                .queue_id = UBLK_QUEUE_ID_NONE,
                .len = (uint16_t)size,
                .addr = (uint64_t)(uintptr_t)payload,
                .data = { data },
        };
        struct __kernel_timespec deadline = { .tv_sec = DEADLINE_SECONDS };
        struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
        struct io_uring_cqe *cqe;
        int r;

        if (!sqe)
                return -EBUSY;
        ublk_sqe_prepare(sqe, d->control, op, &cmd, sizeof(cmd));
        r = io_uring_submit(&d->ring);
        if (r >= 0)
                r = io_uring_wait_cqe_timeout(&d->ring, &cqe, &deadline);
        if (r < 0)
                return r;
        r = cqe->res;
        io_uring_cqe_seen(&d->ring, cqe);
        return r;
}

int device_add(struct devices *d, struct ublk_dev_info *ret_info, int *ret_fd) {
        struct ublk_dev_info info = {
                .nr_hw_queues = 1,
                .queue_depth = DEPTH,
                .max_io_buf_bytes = IO_BYTES,
                .dev_id = UBLK_ID_ANY,
                .flags = UBLK_F_CMD_IOCTL_ENCODE,
        };
        char path[32];
        int r;

        r = command(d, UBLK_CMD_ADD_DEV, UBLK_ID_ANY, &info, sizeof(info), 0);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/dev/ublkc%u", info.dev_id);
        *ret_fd = open(path, O_RDWR | O_CLOEXEC);
        if (*ret_fd < 0) {
                r = -errno;
                (void)device_delete(d, info.dev_id);
                return r;
        }
        *ret_info = info;
        return 0;
}

int device_start(struct devices *d, uint32_t id, uint64_t bytes) {
        struct ublk_params params = {
                .len = sizeof(params),
                .types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DISCARD,
                .basic = {
                        .logical_bs_shift = 12,
                        .physical_bs_shift = 12,
                        .io_opt_shift = 12,
                        .io_min_shift = 12,
                        .max_sectors = IO_BYTES >> 9,
                        .dev_sectors = bytes >> 9,
                },
                .discard = {
                        .discard_granularity = 4096,
                        .max_discard_sectors = 2048,
                        .max_write_zeroes_sectors = 2048,
                        .max_discard_segments = 1,
                },
        };
        int r;

        r = command(d, UBLK_CMD_SET_PARAMS, id, &params, sizeof(params), 0);
        /* The driver asks for whoever has opened the device, not for whoever serves it. */
        return r < 0 ? r : command(d, UBLK_CMD_START_DEV, id, NULL, 0, (uint64_t)getpid());
}

int device_stop(struct devices *d, uint32_t id) {
        return command(d, UBLK_CMD_STOP_DEV, id, NULL, 0, 0);
}

int device_delete(struct devices *d, uint32_t id) {
        return command(d, UBLK_CMD_DEL_DEV, id, NULL, 0, 0);
}
