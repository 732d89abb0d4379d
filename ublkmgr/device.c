/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a device object, and what its operations have in common. The operations themselves are
 * attach.c and detach.c.
 */

#include "ublkmgr/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "ublkmgr/spawner.h"
#include "ublkmgr/state.h"

#define DEVICE_PATH_PREFIX "/org/ublk/Manager1/device"

static const char *const state_names[_DEVICE_STATE_MAX] = {
        [DEVICE_ATTACHING] = "attaching",
        [DEVICE_LIVE] = "live",
        [DEVICE_REMOVING] = "removing",
        [DEVICE_FAILED] = "failed",
};

const char *device_state_to_string(enum device_state state) {
        return state_names[state];
}

int device_new(struct manager *m, const char *name, struct spec *spec, const char *origin,
               struct device **ret) {
        struct device *d;

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->manager = m;
        d->backing = BACKING_NULL;
        d->device_fd = -EBADF;
        d->state = DEVICE_ATTACHING;
        d->creation_usec = clock_usec(CLOCK_REALTIME);
        list_init(&d->list);

        d->name = strdup(name);
        d->origin = strdup(origin);
        if (!d->name || !d->origin ||
            sd_bus_path_encode(DEVICE_PATH_PREFIX, name, &d->object_path) < 0) {
                device_free(d);
                return -ENOMEM;
        }
        d->spec = spec;
        list_append(&m->devices, &d->list);
        *ret = d;
        return 0;
}

void device_answer(struct device *d, int error, const char *problem) {
        device_done done = d->done;

        d->done = NULL;
        if (done)
                done(d->userdata, d, error, problem);
}

struct device *device_free(struct device *d) {
        if (!d)
                return NULL;
        device_answer(d, -ECANCELED, "the manager is stopping");
        list_remove(&d->list);
        device_abandon(d);
        udev_wait_free(d->udev_wait);
        sequence_free(d->sequence);
        /* A worker serves on without us only where there is a disk to serve; what isn't on record the next
         * manager deletes. */
        if (d->worker && !d->started)
                worker_kill(d->worker);
        if (d->state == DEVICE_ATTACHING && d->added && !d->started) {
                (void)state_remove(d);
                (void)udev_remove_identity(d->manager->udev, d->info.dev_id, d->name);
        }
        worker_free(d->worker);
        safe_close(d->device_fd);
        safe_close(d->backing.fd);
        spec_free(d->spec);
        spec_free(d->wanted);
        free(d->name);
        free(d->object_path);
        free(d->origin);
        free(d->problem);
        free(d);
        return NULL;
}

int device_problem(struct device *d, int error, const char *format, ...) {
        va_list ap;

        if (d->problem)
                return error;
        va_start(ap, format);
        if (vasprintf(&d->problem, format, ap) < 0)
                d->problem = NULL;
        va_end(ap);
        return error;
}

int device_command(struct device *d, uint32_t op, uint64_t data, const union ublk_payload *payload,
                   uint64_t timeout_usec, ublk_done done) {
        struct ublk_command command = { .op = op, .id = d->info.dev_id, .data = data };
        int r;

        if (payload)
                command.payload = *payload;
        r = ublk_ctrl_submit(d->manager->ctrl, &command, timeout_usec, done, d, &d->request);
        if (r == -ENOENT)
                return device_problem(
                        d, -EOPNOTSUPP,
                        "the kernel has no ublk driver: load it with 'modprobe ublk_drv' "
                        "(Linux 6.12 or newer is needed)");
        if (r < 0)
                return device_problem(d, r, "kernel command %s can't be sent: %s",
                                      ublk_command_name(op), strerror(-r));
        return STEP_PENDING;
}

void device_abandon(void *subject) {
        struct device *d = subject;

        d->awaiting_exit = false;
        ublk_ctrl_forget(d->manager->ctrl, TAKE_PTR(d->request));
        d->opening = ring_forget(d->opening);
        d->helper = helper_forget(d->helper);
        d->spawn = spawner_cancel(d->manager->spawner, d->spawn);
}

int device_await_worker(struct device *d) {
        d->awaiting_exit = d->worker != NULL;
        return d->worker ? STEP_PENDING : STEP_DONE;
}

static void on_looked(void *userdata, int result, const union ublk_payload *payload) {
        struct device *d = userdata;
        bool ours = result >= 0 && payload->info.ublksrv_flags == d->info.ublksrv_flags;

        d->request = NULL;
        if (result >= 0 && !ours)
                log_warning("%s: another program has taken its id %u, that device is left alone",
                            d->name, d->info.dev_id);
        if (ours || (result < 0 && result != -ENODEV)) {
                sequence_continue(d->sequence, ours ? 0 : result);
                return;
        }
        d->added = d->started = false;
        sequence_continue(d->sequence, 0);
}

int device_look(struct device *d) {
        if (!d->added)
                return STEP_DONE;
        return device_command(d, UBLK_CMD_GET_DEV_INFO, 0, NULL, 5 * USEC_PER_SEC, on_looked);
}

/* Whether the kernel still shows it: a command that ran out of time may have done its work, and wait for the last
 * one who has the old disk open, or not have begun. */
static bool is_listed(struct device *d) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n;

        if (ublk_ctrl_list(d->manager->ctrl, &ids, &n) < 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (ids[i] == d->info.dev_id)
                        return true;
        return false;
}

static void on_deleted(void *userdata, int result, _unused_ const union ublk_payload *payload) {
        struct device *d = userdata;

        d->request = NULL;
        if (result == -ETIMEDOUT && !is_listed(d)) {
                log_warning(
                        "%s: the kernel keeps the number %u until the last user of the disk has "
                        "closed it",
                        d->name, d->info.dev_id);
                result = 0;
        }
        if (result >= 0 || result == -ENODEV)
                d->added = d->started = false;
        else
                (void)device_problem(d, result, "the kernel did not delete device %u: %s",
                                     d->info.dev_id, strerror(-result));
        sequence_continue(d->sequence, result == -ENODEV ? 0 : result);
}

int device_delete(struct device *d) {
        if (!d->added)
                return STEP_DONE;
        /* DEL_DEV waits for the I/O of the device with a lock that every other device needs. */
        if (d->worker)
                return device_problem(
                        d, -EBUSY,
                        "process %i, which serves it, can't be killed (does its backing "
                        "answer?); remove it again when that has ended",
                        (int)worker_pid(d->worker));
        return device_command(d, UBLK_CMD_DEL_DEV, 0, NULL, 8 * USEC_PER_SEC, on_deleted);
}
