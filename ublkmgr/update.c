/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changing a device that is in use, step by step
 *
 * Only what the field table calls a live change comes here: nobody who reads or writes the disk notices. The device has
 * its old spec until all is done; a change that failed in the middle shows in the next plan, and is tried again by it.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/state.h"
#include "ublkmgr/users.h"

static bool partitions_differ(const struct device *d) {
        return spec_number(d->spec, SPEC_PARTITIONS) != spec_number(d->wanted, SPEC_PARTITIONS);
}

/* The kernel keeps a partition that is in use, too, but doesn't say by whom, and the others would be gone. */
static int check_users(void *subject) {
        struct device *d = subject;
        _cleanup_free_ char *users = NULL;
        int r;

        if (!partitions_differ(d) || spec_number(d->wanted, SPEC_PARTITIONS))
                return STEP_DONE;
        r = partition_users(d->info.dev_id, &users);
        if (r < 0)
                return device_problem(d, r, "who uses its partitions can't be found out: %s",
                                      strerror(-r));
        if (users)
                return device_problem(d, -EBUSY,
                                      "its partitions can't go, one is %s: end that first", users);
        return STEP_DONE;
}

static int change_partitions(void *subject) {
        struct device *d = subject;

        if (!partitions_differ(d))
                return STEP_DONE;
        return device_change_partitions(d, spec_number(d->wanted, SPEC_PARTITIONS));
}

static int record(void *subject) {
        struct device *d = subject;
        int r;

        r = state_write(d, d->wanted);
        if (r < 0)
                return device_problem(d, r, "its record can't be written to %s: %s",
                                      d->manager->state_folder, strerror(-r));
        return STEP_DONE;
}

static const struct step update_steps[] = {
        { .name = "check-users", .run = check_users },
        { .name = "change-partitions",
          .run = change_partitions,
          .timeout_usec = PARTITIONS_TIMEOUT },
        { .name = "record", .run = record },
};

static void update_finished(void *subject, int error, const char *step) {
        struct device *d = subject;
        _cleanup_free_ char *problem = NULL, *reason = NULL;

        d->sequence = NULL;
        d->udev_wait = udev_wait_free(d->udev_wait);
        if (error >= 0) {
                spec_free(d->spec);
                d->spec = TAKE_PTR(d->wanted);
                (void)sd_bus_emit_properties_changed(d->manager->bus, d->object_path,
                                                     BUS_DEVICE_INTERFACE, "Spec", NULL);
                device_answer(d, 0, NULL);
                return;
        }

        spec_free(TAKE_PTR(d->wanted));
        reason = TAKE_PTR(d->problem);
        if (asprintf(&problem, "%s could not be changed (step %s): %s", d->name, step,
                     reason                ? reason
                     : error == -ETIMEDOUT ? "it took too long"
                                           : strerror(-error)) < 0)
                problem = NULL;
        log_error("%s", problem ? problem : d->name);
        device_answer(d, error, problem);
}

static const struct operation update_operation = {
        .name = "update",
        .steps = update_steps,
        .n_steps = ELEMENTSOF(update_steps),
        .abandon = device_abandon,
        .finished = update_finished,
};

int device_update(struct device *d, struct spec *spec, device_done done, void *userdata) {
        int r;

        if (d->state != DEVICE_LIVE || d->sequence)
                return -EBUSY;
        r = sequence_start(d->manager->event, &update_operation, d, &d->sequence);
        if (r < 0)
                return r;
        d->wanted = spec;
        d->done = done;
        d->userdata = userdata;
        return 0;
}

void device_cancel_update(struct device *d) {
        if (!d->wanted)
                return;
        device_abandon(d);
        d->sequence = sequence_free(d->sequence);
        d->udev_wait = udev_wait_free(d->udev_wait);
        spec_free(TAKE_PTR(d->wanted));
        free(TAKE_PTR(d->problem));
        device_answer(d, -ECHILD, "its worker ended meanwhile: the device has failed");
}
