/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Partitions, seen from the manager: it starts the program that reads and makes them (partitions/) and waits for it and
 * for udev. It neither looks at the disk nor makes a partition itself, because the kernel does that with a lock that
 * whoever opens the disk holds while its worker is asked for data.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "ublkmgr/device.h"

/* Reading the table has 10 s of its own; the kernel has the rest. */
#define HELPER_TIMEOUT (20 * USEC_PER_SEC)

static int run_as_unit(struct device *d, const char *task, helper_done done) {
        char unit[128];
        int r;

        (void)snprintf(unit, sizeof(unit), "ublk-partitions@%s.service", task);
        r = helper_run_unit(d->manager->bus, unit, HELPER_TIMEOUT, done, d, &d->helper);
        return r < 0 ? device_problem(d, r, "%s can't be started: %s", unit, strerror(-r)) : 0;
}

static int run_as_child(struct device *d, const char *task, helper_done done) {
        const char *path = d->manager->config->partitions_path;
        const char *const argv[] = { "ublk-partitions", task, NULL };
        int r;

        r = helper_run_exec(d->manager->event, path, argv, HELPER_TIMEOUT, done, d, &d->helper);
        return r < 0 ? device_problem(d, r, "%s can't be started: %s", path, strerror(-r)) : 0;
}

static int run_helper(struct device *d, bool wanted, helper_done done) {
        uint64_t seq = d->diskseq ? d->diskseq : udev_diskseq(d->info.dev_id);
        char task[64];

        (void)snprintf(task, sizeof(task), "ublkb%u:%llu%s", d->info.dev_id,
                       (unsigned long long)seq, wanted ? "" : ":remove");
        d->helper = helper_forget(d->helper);
        return d->manager->helper_units ? run_as_unit(d, task, done) : run_as_child(d, task, done);
}

/* Ends the step. A disk without its partitions is better than no disk. */
static void finish(struct device *d, int result) {
        d->udev_wait = udev_wait_free(d->udev_wait);
        if (result < 0 && d->state == DEVICE_ATTACHING) {
                log_warning("%s: it has no partitions: %s", d->name,
                            d->problem ? d->problem : strerror(-result));
                free(TAKE_PTR(d->problem));
                result = 0;
        }
        sequence_continue(d->sequence, result);
}

static void on_helper(void *userdata, int error, const char *description) {
        struct device *d = userdata;

        d->helper = NULL;
        if (error < 0)
                finish(d, device_problem(d, error,
                                         "the program that makes and removes them %s; the journal "
                                         "says why",
                                         description));
        else if (!d->udev_wait)
                finish(d, 0);
}

static void on_udev(void *userdata) {
        struct device *d = userdata;

        d->udev_wait = udev_wait_free(d->udev_wait);
        /* The announcement is the last thing that the helper does, but it has not ended yet. */
        if (!d->helper)
                finish(d, 0);
}

int device_change_partitions(struct device *d, bool wanted) {
        int r;

        /* Before the helper can announce anything. The wait of an earlier step may have run out of time. */
        d->udev_wait = udev_wait_free(d->udev_wait);
        r = udev_wait_partitions(d->manager->udev, d->info.dev_id, on_udev, d, &d->udev_wait);
        if (r >= 0)
                r = run_helper(d, wanted, on_helper);
        if (r >= 0)
                return STEP_PENDING;
        d->udev_wait = udev_wait_free(d->udev_wait);
        if (d->state != DEVICE_ATTACHING)
                return r;
        log_warning("%s: it has no partitions: %s", d->name,
                    d->problem ? d->problem : strerror(-r));
        free(TAKE_PTR(d->problem));
        return STEP_DONE;
}

static void on_checked(void *userdata, int error, const char *description) {
        struct device *d = userdata;

        d->helper = NULL;
        if (error < 0)
                log_warning("%s: whether it has its partitions is not known: ublk-partitions %s",
                            d->name, description);
}

void device_check_partitions(struct device *d) {
        if (!spec_number(d->spec, SPEC_PARTITIONS) || run_helper(d, true, on_checked) >= 0)
                return;
        log_warning("%s: whether it has its partitions is not known: %s", d->name, d->problem);
        free(TAKE_PTR(d->problem));
}
