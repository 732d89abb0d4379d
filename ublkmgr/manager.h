/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager: owns the event loop's objects, the way to the kernel, and the devices. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "lib/base/list.h"
#include "lib/spec/settings.h"
#include "lib/spec/spec.h"
#include "lib/ublk/ctrl.h"

struct apply;
struct device;
struct ring;
struct spawner;
struct udev;

struct manager_config {
        const char *address;           /* of a private bus; NULL: the system bus */
        const char *folder;            /* "/run/ublkmgr" */
        const char *worker_path;       /* the program that serves a device, as a child */
        const char *partitions_path;   /* the program that makes partitions, as a child */
        enum settings_spawner spawner; /* other than "auto": counts more than the settings */
        const char *settings_path;     /* NULL: ublkmgr.conf is looked for */
        bool check_settings;           /* only tell what is wrong with it */
        bool udev;                     /* whether to look for udev */
        /* Makes the way to the kernel; tests put their own here. */
        int (*new_ctrl)(sd_event *event, struct ring *ring, struct ublk_ctrl **ret);
};

struct manager {
        const struct manager_config *config;
        struct settings settings; /* of ublkmgr.conf */
        sd_event *event;
        sd_bus *bus;
        struct ring *ring;
        struct ublk_ctrl *ctrl;
        struct spawner *spawner;
        struct udev *udev;
        bool helper_units; /* helpers are units, not children */
        char *udev_folder;
        char *state_folder;

        struct spec_machine machine;
        uint64_t features; /* what GET_FEATURES answered; 0: no driver, or not asked yet */

        struct list devices;
        unsigned adopting;   /* devices of an earlier manager that are being asked about */
        bool unrecorded;     /* one of them is served by a worker of which nothing else is known */
        int lock;            /* on the folder: there is one manager */
        struct apply *apply; /* the one that is being carried out; NULL: none */
};

int manager_new(const struct manager_config *config, struct manager **ret);
struct manager *manager_free(struct manager *m);
DEFINE_CLEANUP(struct manager *, manager_free)

/* Serves until it is told to stop by a signal. Returns 0 or a negative errno. */
int manager_run(struct manager *m);

/* Asks the kernel for the features of its driver, again if it was loaded since. */
void manager_ask_features(struct manager *m);

/* NULL: there is none of that name. */
struct device *manager_find_device(struct manager *m, const char *name);

/* Parses the options common to the daemon and its test double and runs it: what main() is. */
int manager_main(int argc, char **argv, struct manager_config *config);
