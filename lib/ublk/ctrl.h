/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Control commands
 *
 * What the manager wants from the ublk driver. Behind `struct ublk_ctrl_ops` there is the kernel
 * (ctrl-kernel.c) or, in tests, a fake one with scripted failures (ctrl-fake.c). Every command is
 * asynchronous, has a deadline, and calls back from the event loop.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/macro.h"
#include "lib/ublk/abi.h"

/* What goes with a command, in either direction. */
union ublk_payload {
        uint64_t features;
        struct ublk_dev_info info;
        struct ublk_params params;
};

struct ublk_command {
        uint32_t op; /* UBLK_CMD_… */
        uint32_t id;
        uint64_t data;
        union ublk_payload payload; /* in, out or both, as the command has it */
};

struct ublk_ctrl;
struct ublk_request;

/* result: 0 or more, a negative errno of the kernel, or -ETIMEDOUT. payload: what came back. */
typedef void (*ublk_done)(void *userdata, int result, const union ublk_payload *payload);

struct ublk_ctrl_ops {
        int (*submit)(struct ublk_ctrl *c, const struct ublk_command *command,
                      uint64_t timeout_usec, ublk_done done, void *userdata,
                      struct ublk_request **ret);
        void (*forget)(struct ublk_ctrl *c, struct ublk_request *request);
        int (*open_device)(struct ublk_ctrl *c, uint32_t id);
        int (*list)(struct ublk_ctrl *c, uint32_t **ret, size_t *ret_count);
        void (*free)(struct ublk_ctrl *c);
};

/* The common beginning of every implementation. */
struct ublk_ctrl {
        const struct ublk_ctrl_ops *ops;
};

/* Starts a command. done() is called exactly once, never from within, unless the request was forgotten.
 * *ret is valid until then. Returns 0 or a negative errno: -ENOENT (no ublk driver on this machine). */
static inline int ublk_ctrl_submit(struct ublk_ctrl *c, const struct ublk_command *command,
                                   uint64_t timeout_usec, ublk_done done, void *userdata,
                                   struct ublk_request **ret) {
        return c->ops->submit(c, command, timeout_usec, done, userdata, ret);
}

/* Cancels a command whose result nobody wants any more; done() will not be called. */
static inline void ublk_ctrl_forget(struct ublk_ctrl *c, struct ublk_request *request) {
        c->ops->forget(c, request);
}

/* Opens /dev/ublkcN. The kernel remembers this process as its opener, and only one opening at a time is
 * allowed. Returns an fd or a negative errno. */
static inline int ublk_ctrl_open_device(struct ublk_ctrl *c, uint32_t id) {
        return c->ops->open_device(c, id);
}

/* The ids of all ublk devices of this machine, whoever made them; *ret is from malloc(). */
static inline int ublk_ctrl_list(struct ublk_ctrl *c, uint32_t **ret, size_t *ret_count) {
        return c->ops->list(c, ret, ret_count);
}

static inline struct ublk_ctrl *ublk_ctrl_free(struct ublk_ctrl *c) {
        if (c)
                c->ops->free(c);
        return NULL;
}

struct ring;

/* The kernel's. The driver may be loaded later: it is looked for at each command until it is there. */
int ublk_ctrl_kernel_new(struct ring *ring, struct ublk_ctrl **ret);

/* "add-dev" … of UBLK_CMD_ADD_DEV …, for messages; never NULL. */
const char *ublk_command_name(uint32_t op);
