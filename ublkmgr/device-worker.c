/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a device makes of its worker's words and of its end
 *
 * While it is attached the worker is told what to serve, once, and answers READY or FAILED; anything else
 * fails the attach. Later a worker has nothing to say: it serves until the device is stopped. Its end is
 * noticed at any time, and a device whose worker ended by itself has failed. So has one whose worker says something
 * all the same, or hangs up and lives on: whatever runs in it is not what we started, and an error that is seen is
 * better than a disk with wrong contents.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/wire/channel.h"
#include "ublkmgr/device.h"
#include "ublkmgr/params.h"
#include "ublkmgr/settings.h"

static void copy_text(char *to, size_t size, const char *from) {
        (void)snprintf(to, size, "%s", from);
}

static void make_config(const struct device *d, union wire_message *ret) {
        struct wire_config *c = &ret->config;

        wire_init(ret, WIRE_CONFIG);
        copy_text(c->name, sizeof(c->name), d->name);
        copy_text(c->target, sizeof(c->target),
                  spec_type_to_string((enum spec_type)spec_number(d->spec, SPEC_TYPE)));
        c->size_bytes = spec_number(d->spec, SPEC_SIZE_BYTES);
        c->offset_bytes = spec_number(d->spec, SPEC_OFFSET_BYTES);
        c->logical_block_size = (uint32_t)spec_number(d->spec, SPEC_LOGICAL_BLOCK_SIZE);
        c->physical_block_size = (uint32_t)spec_number(d->spec, SPEC_PHYSICAL_BLOCK_SIZE);
        c->max_io_bytes = d->info.max_io_buf_bytes;
        c->read_only = spec_number(d->spec, SPEC_READ_ONLY) != 0;
        c->queues = d->info.nr_hw_queues;
        c->queue_depth = d->info.queue_depth;
        c->device_id = d->info.dev_id;
        c->tolerated = settings_tolerated(&d->manager->settings);
        c->backing = d->backing.info;
        c->fds[0] = WIRE_FD_DEVICE;
        if (d->backing.fd >= 0)
                c->fds[1] = WIRE_FD_BACKING;
}

/* Hands the device over. From here on nobody but the worker has its fds: any other copy would hide the
 * worker's death from the kernel. */
static int configure(struct device *d) {
        const int fds[] = { d->device_fd, d->backing.fd };
        union wire_message message;
        int r;

        if (d->device_fd < 0)
                return -EPROTO;
        make_config(d, &message);
        r = worker_send(d->worker, &message, fds, d->backing.fd >= 0 ? 2 : 1);
        d->device_fd = safe_close(d->device_fd);
        d->backing.fd = safe_close(d->backing.fd);
        return r;
}

static int accept_geometry(struct device *d, const struct wire_geometry *g) {
        const char *what = NULL;
        int r;

        /* READY can only be the answer to CONFIG. */
        if (d->device_fd >= 0)
                return -EPROTO;
        r = geometry_check(g, d->spec, d->backing.info.size_bytes, &what);
        if (r < 0)
                return device_problem(d, r, "the worker described another device: %s", what);
        d->geometry = *g;
        d->worker_ready = true;
        return 0;
}

/* Whether this is the time for the worker to say something. */
static bool is_conversing(const struct device *d) {
        return d->state == DEVICE_ATTACHING && !d->worker_ready &&
               !sequence_is_undoing(d->sequence);
}

static bool on_message(void *userdata, const union wire_message *message) {
        struct device *d = userdata;
        int r;

        if (!is_conversing(d))
                return false;
        switch (message->header.type) {
        case WIRE_HELLO:
                r = configure(d);
                if (r >= 0)
                        return true;
                (void)device_problem(d, r, "the worker can't be configured: %s", strerror(-r));
                break;
        case WIRE_READY:
                r = accept_geometry(d, &message->ready.geometry);
                break;
        case WIRE_FAILED:
                r = device_problem(d, message->failed.error, "the worker failed in step %s: %s%s%s",
                                   message->failed.step, strerror(-message->failed.error),
                                   message->failed.text[0] ? ": " : "", message->failed.text);
                break;
        default:
                return false;
        }
        sequence_continue(d->sequence, r);
        return true;
}

/* A live device has failed, for the reason that was logged. */
static void fail(struct device *d, const char *description) {
        log_error("%s: the worker %s: the device has failed; remove it, or apply its file again",
                  d->name, description);
        device_clean_up(d);
}

static const char *describe_loss(int error) {
        switch (error) {
        case -EPROTONOSUPPORT:
                return "is of another version: restart the manager";
        case -ECONNRESET:
                return "has hung up and doesn't end";
        default:
                return "sent something that is not allowed";
        }
}

static void on_lost(void *userdata, int error) {
        struct device *d = userdata;
        const char *description = describe_loss(error);

        if (d->state == DEVICE_LIVE) {
                fail(d, description);
        } else if (d->state == DEVICE_REMOVING) {
                log_error("%s: the worker %s, killing it", d->name, description);
                d->worker_broken = true;
                worker_kill(d->worker);
        } else if (d->state == DEVICE_ATTACHING && !sequence_is_undoing(d->sequence)) {
                (void)device_problem(d, error, "the worker %s", description);
                sequence_continue(d->sequence, error);
        }
        /* In the other cases it is being killed. */
}

static void on_exited(void *userdata, const char *description) {
        struct device *d = userdata;

        d->worker = worker_free(d->worker);
        d->worker_broken = d->state == DEVICE_REMOVING;
        if (d->awaiting_exit) {
                d->awaiting_exit = false;
                sequence_continue(d->sequence, 0);
        } else if (d->state == DEVICE_ATTACHING && !sequence_is_undoing(d->sequence)) {
                (void)device_problem(d, -ECHILD, "the worker %s", description);
                sequence_continue(d->sequence, -ECHILD);
        } else if (d->state == DEVICE_LIVE) {
                fail(d, description);
        }
}

const struct worker_events device_worker_events = {
        .message = on_message,
        .lost = on_lost,
        .exited = on_exited,
};
