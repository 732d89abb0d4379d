/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attaching a device, step by step
 *
 * The order is what the kernel and safety ask for: the worker gets /dev/ublkcN and has fetched every tag
 * before START_DEV, which otherwise would wait for it; the name is published for udev before START_DEV makes
 * the disk appear; parameters are set after the worker has said what its target looks like, so that a target
 * alone knows its geometry. After any failure the kernel device is deleted and never used again: the driver
 * doesn't reset one whose worker went away before it had a disk.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/ublk/features.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/params.h"
#include "ublkmgr/spawner.h"
#include "ublkmgr/state.h"

#define COMMAND_TIMEOUT (5 * USEC_PER_SEC)
#define START_TIMEOUT   (7 * USEC_PER_SEC)
#define UNDO_TIMEOUT    (15 * USEC_PER_SEC)
/* A worker is quick, but when a machine boots a hundred of them may share its processors. */
#define CONFIGURE_TIMEOUT (30 * USEC_PER_SEC)
/* The disk serves by then; a udev that is busy elsewhere is no reason to take it away again. */
#define UDEV_TIMEOUT (30 * USEC_PER_SEC)

/* Above what people, containers and systemd use; a device's worker runs as this plus its id where systemd doesn't choose. */
#define WORKER_UID_FIRST 1900000000U

/* --- open-backing --- */

static int check_conflicts(struct device *d) {
        LIST_FOREACH (i, &d->manager->devices) {
                struct device *other = CONTAINER_OF(i, struct device, list);

                if (other != d && backing_conflicts(&d->backing, &other->backing))
                        return device_problem(
                                d, -EBUSY,
                                "the backing is in use by device %s: two writers would "
                                "destroy its contents; make both readOnly or remove one",
                                other->name);
        }
        return 0;
}

static int examine_backing(struct device *d) {
        const char *path = spec_string(d->spec, SPEC_PATH), *what = NULL;
        int r;

        r = backing_examine(&d->backing, d->spec, &what);
        if (r < 0)
                return device_problem(d, r, "%s: %s", path ? path : "backing",
                                      what ? what : strerror(-r));
        return check_conflicts(d);
}

static void on_opened(void *userdata, int result, _unused_ void *payload) {
        struct device *d = userdata;
        const char *path = spec_string(d->spec, SPEC_PATH);

        d->opening = NULL;
        if (result == -EBUSY)
                (void)device_problem(d, result,
                                     "%s is in use (mounted, or part of another device): "
                                     "unmount it, or make the device readOnly",
                                     path);
        else if (result < 0)
                (void)device_problem(d, result, "%s can't be opened: %s", path, strerror(-result));
        if (result >= 0) {
                safe_close(d->backing.fd);
                d->backing.fd = result;
                result = examine_backing(d);
        }
        sequence_continue(d->sequence, result);
}

static int open_backing(void *subject) {
        struct device *d = subject;
        int r;

        switch (spec_number(d->spec, SPEC_TYPE)) {
        case SPEC_TYPE_RAM:
                r = backing_new_memory(d->spec, d->name);
                if (r < 0)
                        return device_problem(d, r, "no memory of that size: %s", strerror(-r));
                d->backing.fd = r;
                return examine_backing(d);
        case SPEC_TYPE_LOOP:
                if (d->backing.fd < 0)
                        r = backing_open(d->manager->ring, d->spec, COMMAND_TIMEOUT, on_opened, d,
                                         &d->opening);
                else if (backing_needs_claim(&d->backing, d->spec))
                        r = backing_claim(d->manager->ring, &d->backing, d->spec, COMMAND_TIMEOUT,
                                          on_opened, d, &d->opening);
                else
                        return examine_backing(d);
                return r < 0 ? r : STEP_PENDING;
        default:
                return STEP_DONE;
        }
}

static int close_backing(void *subject) {
        struct device *d = subject;

        d->backing.fd = safe_close(d->backing.fd);
        return STEP_DONE;
}

/* --- add-device --- */

static void on_added(void *userdata, int result, const union ublk_payload *payload) {
        struct device *d = userdata;

        d->request = NULL;
        if (result == -EEXIST)
                (void)device_problem(d, result, "id %u is taken: leave id out to get a free one",
                                     d->info.dev_id);
        else if (result < 0)
                (void)device_problem(d, result, "the kernel refused to add the device: %s",
                                     strerror(-result));
        if (result >= 0) {
                d->info = payload->info;
                d->added = true;
                /* The driver was not there when the manager started. */
                if (d->manager->features == 0)
                        manager_ask_features(d->manager);
        }
        sequence_continue(d->sequence, result);
}

static int add_device(void *subject) {
        struct device *d = subject;
        union ublk_payload payload = {
                .info = {
                        .nr_hw_queues = (uint16_t)spec_number(d->spec, SPEC_QUEUES),
                        .queue_depth = (uint16_t)spec_number(d->spec, SPEC_QUEUE_DEPTH),
                        .max_io_buf_bytes = (uint32_t)spec_number(d->spec, SPEC_MAX_IO_BYTES),
                        .dev_id = spec_is_set(d->spec, SPEC_ID)
                                          ? (uint32_t)spec_number(d->spec, SPEC_ID)
                                          : UBLK_ID_ANY,
                        .flags = UBLK_F_CMD_IOCTL_ENCODE,
                },
        };
        uint32_t instance;

        if (getrandom(&instance, sizeof(instance), GRND_NONBLOCK) != sizeof(instance))
                return device_problem(d, -EIO, "there are no random numbers yet");
        payload.info.ublksrv_flags = UBLK_COOKIE | instance;
        d->info = payload.info;
        return device_command(d, UBLK_CMD_ADD_DEV, 0, &payload, COMMAND_TIMEOUT, on_added);
}

static int delete_device(void *subject) {
        return device_delete(subject);
}

/* --- open-device --- */

static int open_device(void *subject) {
        struct device *d = subject;
        int fd;

        fd = ublk_ctrl_open_device(d->manager->ctrl, d->info.dev_id);
        if (fd < 0)
                return device_problem(d, fd, "/dev/ublkc%u can't be opened: %s", d->info.dev_id,
                                      strerror(-fd));
        d->device_fd = fd;
        return STEP_DONE;
}

static int close_device(void *subject) {
        struct device *d = subject;

        d->device_fd = safe_close(d->device_fd);
        return STEP_DONE;
}

/* --- start-worker --- */

static void on_spawned(void *userdata, int error, const char *problem,
                       const struct worker_process *process) {
        struct device *d = userdata;

        d->spawn = NULL;
        if (process)
                error = worker_new(d->manager->event, process, &device_worker_events, d,
                                   &d->worker);
        if (error < 0)
                (void)device_problem(d, error, "%s", problem ? problem : strerror(-error));
        sequence_continue(d->sequence, error);
}

static int start_worker(void *subject) {
        struct device *d = subject;
        const struct spawn_order order = {
                .name = d->name,
                .uid = WORKER_UID_FIRST + d->info.dev_id,
                /* Otherwise it might be the one of a device that nobody knows any more but its users. */
                .replace = !d->manager->unrecorded,
                .done = on_spawned,
                .userdata = d,
        };
        int r;

        r = spawner_start(d->manager->spawner, &order, &d->spawn);
        if (r < 0)
                return device_problem(
                        d, r, "the worker %s can't be started: %s", d->manager->spawner->what,
                        r == -ENAMETOOLONG ? "the name is too long for a unit: use a shorter "
                                             "one, or one with fewer '-'"
                                           : strerror(-r));
        return STEP_PENDING;
}

static int kill_worker(void *subject) {
        struct device *d = subject;

        if (d->worker)
                worker_kill(d->worker);
        return device_await_worker(d);
}

/* --- configure-worker: device-worker.c answers its HELLO and hears its READY --- */

static int configure_worker(void *subject) {
        struct device *d = subject;

        if (!d->worker)
                return device_problem(d, -ECHILD, "the worker ended before it could be configured");
        return STEP_PENDING;
}

/* --- set-parameters --- */

static void on_parameters(void *userdata, int result, _unused_ const union ublk_payload *payload) {
        struct device *d = userdata;

        d->request = NULL;
        if (result < 0)
                (void)device_problem(d, result,
                                     "the kernel refused the parameters of the device: %s",
                                     strerror(-result));
        sequence_continue(d->sequence, result);
}

static int set_parameters(void *subject) {
        struct device *d = subject;
        union ublk_payload payload;

        geometry_to_params(&d->geometry, &d->info, spec_number(d->spec, SPEC_READ_ONLY),
                           &payload.params);
        return device_command(d, UBLK_CMD_SET_PARAMS, 0, &payload, COMMAND_TIMEOUT, on_parameters);
}

/* --- publish --- */

static int publish(void *subject) {
        struct device *d = subject;
        int r;

        r = udev_write_identity(d->manager->udev, d->info.dev_id, d->name, 0);
        if (r < 0)
                return device_problem(d, r, "its name can't be written to %s: %s",
                                      d->manager->udev_folder, strerror(-r));
        r = state_write(d, d->spec);
        if (r < 0)
                return device_problem(d, r, "its record can't be written to %s: %s",
                                      d->manager->state_folder, strerror(-r));
        return STEP_DONE;
}

static int unpublish(void *subject) {
        struct device *d = subject;
        int r = state_remove(d),
            k = udev_remove_identity(d->manager->udev, d->info.dev_id, d->name);

        return r < 0 ? r : k;
}

/* --- start-device --- */

static void on_started(void *userdata, int result, _unused_ const union ublk_payload *payload) {
        struct device *d = userdata;

        d->request = NULL;
        if (result < 0)
                (void)device_problem(d, result, "the kernel refused to start the device: %s",
                                     strerror(-result));
        else
                d->started = true;
        sequence_continue(d->sequence, result);
}

static int start_device(void *subject) {
        struct device *d = subject;

        /* If the fetches of its tags are gone with the worker, some kernels don't notice and oops at the first I/O
         * (before 7.3.4). What is left of that race is the time from here to the driver. */
        if (!d->worker)
                return device_problem(d, -ECHILD, "the worker ended before the device was started");
        /* The event loop is about to tell why this fails. */
        if (!worker_is_quiet(d->worker))
                return STEP_PENDING;
        /* The kernel wants the pid of the process that opened /dev/ublkcN: that was us. */
        return device_command(d, UBLK_CMD_START_DEV, (uint64_t)getpid(), NULL, START_TIMEOUT,
                              on_started);
}

/* --- wait-for-udev --- */

static void on_udev(void *userdata) {
        struct device *d = userdata;

        d->udev_wait = udev_wait_free(d->udev_wait);
        sequence_continue(d->sequence, 0);
}

static int wait_for_udev(void *subject) {
        struct device *d = subject;
        int r;

        r = udev_wait(d->manager->udev, d->info.dev_id, true, d->name, on_udev, d, &d->udev_wait);
        return r < 0 ? r : r > 0 ? STEP_DONE : STEP_PENDING;
}

static int stop_waiting_for_udev(void *subject) {
        struct device *d = subject;

        d->udev_wait = udev_wait_free(d->udev_wait);
        return STEP_DONE;
}

/* --- make-partitions --- */

static int make_partitions(void *subject) {
        struct device *d = subject;

        return spec_number(d->spec, SPEC_PARTITIONS) ? device_change_partitions(d, true)
                                                     : STEP_DONE;
}

static const struct step attach_steps[] = {
        { .name = "open-backing", .run = open_backing, .undo = close_backing },
        { .name = "add-device",
          .run = add_device,
          .undo = delete_device,
          .timeout_usec = UNDO_TIMEOUT },
        { .name = "open-device", .run = open_device, .undo = close_device },
        { .name = "start-worker",
          .run = start_worker,
          .undo = kill_worker,
          .timeout_usec = SPAWN_TIMEOUT_USEC + 10 * USEC_PER_SEC },
        { .name = "configure-worker", .run = configure_worker, .timeout_usec = CONFIGURE_TIMEOUT },
        { .name = "set-parameters", .run = set_parameters },
        { .name = "publish", .run = publish, .undo = unpublish },
        { .name = "start-device", .run = start_device },
        { .name = "wait-for-udev",
          .run = wait_for_udev,
          .undo = stop_waiting_for_udev,
          .timeout_usec = UDEV_TIMEOUT,
          .optional = true },
        { .name = "make-partitions",
          .run = make_partitions,
          .undo = stop_waiting_for_udev,
          .timeout_usec = PARTITIONS_TIMEOUT,
          .optional = true },
};

static void attach_finished(void *subject, int error, const char *step) {
        struct device *d = subject;
        _cleanup_free_ char *problem = NULL;

        d->sequence = NULL;
        d->udev_wait = udev_wait_free(d->udev_wait);
        if (error >= 0) {
                d->diskseq = udev_diskseq(d->info.dev_id);
                d->state = DEVICE_LIVE;
                log_info("%s: attached as /dev/ublkb%u, served by process %i", d->name,
                         d->info.dev_id, (int)worker_pid(d->worker));
                device_answer(d, 0, NULL);
                return;
        }

        if (asprintf(&problem, "%s could not be attached (step %s): %s", d->name, step,
                     d->problem            ? d->problem
                     : error == -ETIMEDOUT ? "it took too long"
                                           : strerror(-error)) < 0)
                problem = NULL;
        log_error("%s", problem ? problem : d->name);
        device_answer(d, error, problem);
        if (!d->added) {
                device_free(d);
                return;
        }
        /* It could not be undone. Forgotten, nobody could ever remove it. */
        log_error("%s: what is left of it stays as a failed device; remove it", d->name);
        d->state = DEVICE_FAILED;
        bus_device_added(d);
}

static const struct operation attach_operation = {
        .name = "attach",
        .steps = attach_steps,
        .n_steps = ELEMENTSOF(attach_steps),
        .abandon = device_abandon,
        .finished = attach_finished,
};

int device_attach(struct device *d, int backing_fd, device_done done, void *userdata) {
        int r;

        d->backing.fd = backing_fd;
        r = sequence_start(d->manager->event, &attach_operation, d, &d->sequence);
        if (r < 0)
                return r;
        d->done = done;
        d->userdata = userdata;
        return 0;
}
