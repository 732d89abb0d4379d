/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The real control device
 *
 * Commands go to /dev/ublk-control as IORING_OP_URING_CMD in SQEs of 128 bytes. What a command reads or
 * writes is a copy that belongs to the ring operation, because the kernel may finish long after the manager
 * lost interest.
 */

#include "lib/ublk/ctrl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/ublk/ring.h"
#include "lib/ublk/sqe.h"

#define LATE_DELETE_TIMEOUT (10 * USEC_PER_SEC)

struct ublk_ctrl_kernel {
        struct ublk_ctrl ctrl;
        struct ring *ring;
        int fd;
};

/* Lives as long as the ring operation: it is its payload. */
struct ublk_request {
        ublk_done done;
        void *userdata;
        struct ring_op *op;
        int fd; /* borrowed */
        union ublk_payload payload;
};

/* How much of the payload a command takes; 0: none. */
static size_t payload_size(uint32_t op) {
        switch (op) {
        case UBLK_CMD_GET_FEATURES:
                return sizeof(uint64_t);
        case UBLK_CMD_ADD_DEV:
        case UBLK_CMD_GET_DEV_INFO:
                return sizeof(struct ublk_dev_info);
        case UBLK_CMD_SET_PARAMS:
        case UBLK_CMD_GET_PARAMS:
                return sizeof(struct ublk_params);
        default:
                return 0;
        }
}

static int control_fd(struct ublk_ctrl_kernel *k) {
        if (k->fd < 0) {
                k->fd = open(UBLK_CONTROL_PATH, O_RDWR | O_CLOEXEC);
                if (k->fd < 0)
                        return -errno;
        }
        return k->fd;
}

static void on_done(void *userdata, int result, _unused_ void *payload) {
        struct ublk_request *request = userdata;

        request->done(request->userdata, result, &request->payload);
}

static void on_late_deleted(_unused_ void *userdata, _unused_ int result, _unused_ void *payload) {
}

/* An ADD_DEV that nobody waits for any more has come through: delete what nobody would ever use. */
static void on_late_add(struct ring *ring, _unused_ int result, void *payload) {
        const struct ublk_request *request = payload;
        const struct ublk_ctrl_cmd cmd = {
                .dev_id = request->payload.info.dev_id,
                .queue_id = UBLK_QUEUE_ID_NONE,
        };
        union ring_sqe sqe = { 0 };

        ublk_sqe_prepare(&sqe.sqe, request->fd, UBLK_CMD_DEL_DEV, &cmd, sizeof(cmd));
        (void)ring_start(ring, &sqe, NULL, NULL, LATE_DELETE_TIMEOUT, on_late_deleted, NULL, NULL);
}

static int kernel_submit(struct ublk_ctrl *c, const struct ublk_command *command,
                         uint64_t timeout_usec, ublk_done done, void *userdata,
                         struct ublk_request **ret) {
        struct ublk_ctrl_kernel *k = CONTAINER_OF(c, struct ublk_ctrl_kernel, ctrl);
        struct ublk_request *request;
        size_t size = payload_size(command->op);
        union ring_sqe sqe = { 0 };
        int fd, r;

        fd = control_fd(k);
        if (fd < 0)
                return fd;
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        *request = (struct ublk_request){
                .done = done,
                .userdata = userdata,
                .fd = fd,
                .payload = command->payload,
        };

        const struct ublk_ctrl_cmd cmd = {
                .dev_id = command->id,
                .queue_id = UBLK_QUEUE_ID_NONE,
                .len = (uint16_t)size,
                .addr = size > 0 ? (uint64_t)(uintptr_t)&request->payload : 0,
                .data = { command->data },
        };
        ublk_sqe_prepare(&sqe.sqe, fd, command->op, &cmd, sizeof(cmd));

        r = ring_start(k->ring, &sqe, request, command->op == UBLK_CMD_ADD_DEV ? on_late_add : NULL,
                       timeout_usec, on_done, request, &request->op);
        if (r < 0)
                return r;
        if (ret)
                *ret = request;
        return 0;
}

static void kernel_forget(_unused_ struct ublk_ctrl *c, struct ublk_request *request) {
        if (request)
                ring_forget(request->op);
}

static int kernel_open_device(_unused_ struct ublk_ctrl *c, uint32_t id) {
        char path[32];
        int fd;

        (void)snprintf(path, sizeof(path), "/dev/ublkc%u", id);
        fd = open(path, O_RDWR | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int kernel_list(_unused_ struct ublk_ctrl *c, uint32_t **ret, size_t *ret_count) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t count = 0;
        struct dirent *entry;
        DIR *dir;

        dir = opendir("/sys/class/ublk-char");
        if (!dir && errno != ENOENT)
                return -errno;
        while (dir && (entry = readdir(dir))) {
                uint32_t *more;
                uint64_t id;

                if (strncmp(entry->d_name, "ublkc", 5) != 0 ||
                    parse_u64(entry->d_name + 5, &id) < 0)
                        continue;
                more = reallocarray(ids, count + 1, sizeof(*ids));
                if (!more) {
                        closedir(dir);
                        return -ENOMEM;
                }
                ids = more;
                ids[count++] = (uint32_t)id;
        }
        if (dir)
                closedir(dir);
        *ret = TAKE_PTR(ids);
        *ret_count = count;
        return 0;
}

static void kernel_free(struct ublk_ctrl *c) {
        struct ublk_ctrl_kernel *k = CONTAINER_OF(c, struct ublk_ctrl_kernel, ctrl);

        safe_close(k->fd);
        free(k);
}

static const struct ublk_ctrl_ops kernel_ops = {
        .submit = kernel_submit,
        .forget = kernel_forget,
        .open_device = kernel_open_device,
        .list = kernel_list,
        .free = kernel_free,
};

int ublk_ctrl_kernel_new(struct ring *ring, struct ublk_ctrl **ret) {
        struct ublk_ctrl_kernel *k = malloc(sizeof(*k));

        if (!k)
                return -ENOMEM;
        *k = (struct ublk_ctrl_kernel){ .ctrl.ops = &kernel_ops, .ring = ring, .fd = -EBADF };
        *ret = &k->ctrl;
        return 0;
}
