/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Removing a device, step by step
 *
 * The disk is stopped while its worker still serves: that is how what the page cache holds gets written, and
 * unless the caller forces it, it gets the time that it needs. A worker that doesn't end then is killed, and only
 * after its end is the device deleted, because a device that hangs in DEL_DEV holds a lock that all others need.
 * Once the disk is stopped there is no way back, so these steps have no undo: each one goes on as well as it can.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/state.h"
#include "ublkmgr/users.h"

/* Stopping writes what is cached, which takes as long as the backing needs. */
#define STOP_TIMEOUT        (300 * USEC_PER_SEC)
#define FORCED_STOP_TIMEOUT (10 * USEC_PER_SEC)
#define CHECK_TIMEOUT       (10 * USEC_PER_SEC)
#define EXIT_TIMEOUT        (5 * USEC_PER_SEC)
#define STEP_MARGIN         (5 * USEC_PER_SEC)

static int look(void *subject) {
        return device_look(subject);
}

static int refuse(struct device *d, const char *users) {
        return device_problem(
                d, -EBUSY,
                "it is %s: end that first, or force it and lose what was not written yet", users);
}

static void on_closed(void *userdata, _unused_ int result, _unused_ void *payload) {
        struct device *d = userdata;

        d->opening = NULL;
        sequence_continue(d->sequence, 0);
}

/* Closes the disk in the ring as well: the last one to close a disk writes back what is cached. */
static void on_opened(void *userdata, int result, _unused_ void *payload) {
        struct device *d = userdata;
        union ring_sqe sqe = { 0 };
        int r = result;

        d->opening = NULL;
        if (result == -EBUSY)
                r = refuse(d, "in use (mounted in another namespace, or part of another device)");
        else if (result < 0 && result != -ENOENT && result != -ENXIO && result != -ENODEV)
                (void)device_problem(d, result, "whether it is in use can't be found out: %s",
                                     strerror(-result));
        else if (result < 0)
                r = 0;
        if (result >= 0) {
                io_uring_prep_close(&sqe.sqe, result);
                sqe.sqe.flags |= IOSQE_ASYNC;
                r = ring_start(d->manager->ring, &sqe, NULL, NULL, STOP_TIMEOUT, on_closed, d,
                               &d->opening);
                if (r >= 0)
                        return;
                safe_close(result);
        }
        sequence_continue(d->sequence, r);
}

/* Two questions: /proc and /sys say by name who uses it, as far as they see; the kernel says by refusing an
 * exclusive opening whether anybody in any namespace does. A process that has merely opened it is no user in this
 * sense. */
static int check_users(void *subject) {
        struct device *d = subject;
        _cleanup_free_ char *users = NULL;
        int r;

        if (d->force || !d->started)
                return STEP_DONE;
        r = disk_users(d->info.dev_id, &users);
        if (r < 0)
                return device_problem(d, r, "who uses it can't be found out: %s", strerror(-r));
        if (users)
                return refuse(d, users);
        r = disk_open_exclusive(d->manager->ring, d->info.dev_id, CHECK_TIMEOUT, on_opened, d,
                                &d->opening);
        return r < 0 ? r : STEP_PENDING;
}

static void on_udev_gone(void *userdata) {
        struct device *d = userdata;

        d->udev_wait = udev_wait_free(d->udev_wait);
        d->udev_gone = true;
        if (d->awaiting_udev)
                sequence_continue(d->sequence, 0);
}

/* Begins to listen before the disk goes away, so that the message can't be missed. */
static int listen_to_udev(void *subject) {
        struct device *d = subject;
        int r;

        d->udev_gone = !d->started;
        if (d->udev_gone)
                return STEP_DONE;
        r = udev_wait(d->manager->udev, d->info.dev_id, false, d->name, on_udev_gone, d,
                      &d->udev_wait);
        d->udev_gone = r != 0;
        return r < 0 ? r : STEP_DONE;
}

static void on_stopped(void *userdata, int result, _unused_ const union ublk_payload *payload) {
        struct device *d = userdata;

        d->request = NULL;
        if (result == -ETIMEDOUT && d->force) {
                log_error("%s: its worker doesn't write what is left, killing it: that is lost",
                          d->name);
                if (d->worker)
                        worker_kill(d->worker);
        } else if (result == -ETIMEDOUT) {
                (void)device_problem(
                        d, result,
                        "what is not written yet takes too long: wait and try again, or force "
                        "it and lose that");
                sequence_continue(d->sequence, result);
                return;
        } else if (result < 0 && result != -ENODEV) {
                (void)device_problem(d, result, "the kernel did not stop the disk: %s",
                                     strerror(-result));
                sequence_continue(d->sequence, result);
                return;
        }
        d->started = false;
        sequence_continue(d->sequence, 0);
}

static int stop_device(void *subject) {
        struct device *d = subject;

        if (!d->started)
                return STEP_DONE;
        return device_command(d, UBLK_CMD_STOP_DEV, 0, NULL,
                              d->force ? FORCED_STOP_TIMEOUT : STOP_TIMEOUT, on_stopped);
}

/* A worker whose device is stopped ends by itself. */
static int await_worker(void *subject) {
        return device_await_worker(subject);
}

static int kill_worker(void *subject) {
        struct device *d = subject;

        if (d->worker) {
                log_warning("%s: the worker doesn't end by itself, killing it", d->name);
                worker_kill(d->worker);
        }
        return device_await_worker(d);
}

static int delete_device(void *subject) {
        return device_delete(subject);
}

static int await_udev(void *subject) {
        struct device *d = subject;

        d->awaiting_udev = !d->udev_gone;
        return d->udev_gone ? STEP_DONE : STEP_PENDING;
}

static int files_removed(struct device *d, int r) {
        return r < 0 ? device_problem(d, r, "its files can't be removed from %s: %s",
                                      d->manager->config->folder, strerror(-r))
                     : STEP_DONE;
}

/* As long as the id is taken: whoever gets it next must not get the name as well. The links go with the disk. */
static int withdraw_name(void *subject) {
        struct device *d = subject;

        return files_removed(d, udev_remove_identity(d->manager->udev, d->info.dev_id, d->name));
}

static int unpublish(void *subject) {
        struct device *d = subject;

        d->udev_wait = udev_wait_free(d->udev_wait);
        return files_removed(d, state_remove(d));
}

static const struct step detach_steps[] = {
        { .name = "look", .run = look },
        { .name = "check-users", .run = check_users, .timeout_usec = STOP_TIMEOUT + STEP_MARGIN },
        { .name = "listen-to-udev", .run = listen_to_udev },
        { .name = "stop-device", .run = stop_device, .timeout_usec = STOP_TIMEOUT + STEP_MARGIN },
        { .name = "await-worker",
          .run = await_worker,
          .timeout_usec = EXIT_TIMEOUT,
          .optional = true },
        { .name = "kill-worker", .run = kill_worker },
        { .name = "withdraw-name", .run = withdraw_name },
        { .name = "delete-device", .run = delete_device, .timeout_usec = 15 * USEC_PER_SEC },
        { .name = "await-udev", .run = await_udev, .optional = true },
        { .name = "unpublish", .run = unpublish },
};

static void detach_finished(void *subject, int error, const char *step) {
        struct device *d = subject;
        _cleanup_free_ char *problem = NULL;

        d->sequence = NULL;
        if (error >= 0) {
                log_info("%s: removed", d->name);
                device_answer(d, 0, NULL);
                device_free(d);
                return;
        }

        if (asprintf(&problem, "%s could not be removed (step %s): %s", d->name, step,
                     d->problem            ? d->problem
                     : error == -ETIMEDOUT ? "it took too long"
                                           : strerror(-error)) < 0)
                problem = NULL;
        free(TAKE_PTR(d->problem));
        d->udev_wait = udev_wait_free(d->udev_wait);
        if (d->started && d->worker_broken) {
                log_error(
                        "%s: nobody serves it any more: the device has failed; remove it, or apply "
                        "its file again",
                        d->name);
                device_clean_up(d);
        } else {
                /* If the disk is still there nothing has happened yet. */
                d->state = d->started ? DEVICE_LIVE : DEVICE_FAILED;
                bus_device_changed(d);
        }
        device_answer(d, error, problem);
}

static const struct operation detach_operation = {
        .name = "detach",
        .steps = detach_steps,
        .n_steps = ELEMENTSOF(detach_steps),
        .abandon = device_abandon,
        .finished = detach_finished,
};

int device_detach(struct device *d, bool force, device_done done, void *userdata) {
        int r;

        if (d->sequence)
                return -EBUSY;
        r = sequence_start(d->manager->event, &detach_operation, d, &d->sequence);
        if (r < 0)
                return r;
        d->state = DEVICE_REMOVING;
        d->force = force;
        d->done = done;
        d->userdata = userdata;
        bus_device_changed(d);
        return 0;
}

/* The worker has ended, or the disk has without it; then the worker is of no use. */
static const struct step clean_up_steps[] = {
        { .name = "look", .run = look },
        { .name = "kill-worker", .run = kill_worker },
        { .name = "withdraw-name", .run = withdraw_name },
        { .name = "delete-device", .run = delete_device, .timeout_usec = 15 * USEC_PER_SEC },
        { .name = "unpublish", .run = unpublish },
};

static void clean_up_finished(void *subject, int error, const char *step) {
        struct device *d = subject;

        d->sequence = NULL;
        if (error < 0)
                log_error("%s: could not be cleaned up (step %s): %s", d->name, step,
                          d->problem ? d->problem : strerror(-error));
        free(TAKE_PTR(d->problem));
}

static const struct operation clean_up_operation = {
        .name = "clean-up",
        .steps = clean_up_steps,
        .n_steps = ELEMENTSOF(clean_up_steps),
        .abandon = device_abandon,
        .finished = clean_up_finished,
};

void device_clean_up(struct device *d) {
        int r;

        device_cancel_update(d);
        d->state = DEVICE_FAILED;
        d->started = false;
        bus_device_changed(d);
        r = sequence_start(d->manager->event, &clean_up_operation, d, &d->sequence);
        if (r < 0)
                (void)log_errno(LOG_ERR, r, "%s: could not be cleaned up", d->name);
}
