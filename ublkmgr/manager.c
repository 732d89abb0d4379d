/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Start and end of the manager
 *
 * When it ends, devices stay: their workers serve on, because somebody's file system may live on them. What a
 * manager finds at its start that it didn't make itself, it leaves alone.
 */

#include "ublkmgr/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/ublk/features.h"
#include "lib/ublk/ring.h"
#include "ublkmgr/apply.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/spawner.h"
#include "ublkmgr/udev.h"

static void on_features(void *userdata, int result, const union ublk_payload *payload) {
        struct manager *m = userdata;

        if (result < 0) {
                (void)log_errno(LOG_WARNING, result,
                                "the kernel doesn't tell the features of its ublk "
                                "driver");
                return;
        }
        m->features = payload->features;
        if (ublk_features_check(m->features) < 0)
                log_error("the kernel's ublk driver is too old (features 0x%llx): Linux 6.12 or "
                          "newer is "
                          "needed",
                          (unsigned long long)m->features);
        (void)sd_bus_emit_properties_changed(m->bus, BUS_PATH, BUS_INTERFACE, "KernelFeatures",
                                             NULL);
}

static void ask_features(struct manager *m) {
        const struct ublk_command command = { .op = UBLK_CMD_GET_FEATURES };
        int r;

        r = ublk_ctrl_submit(m->ctrl, &command, 5 * USEC_PER_SEC, on_features, m, NULL);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r,
                                "no ublk driver (%s): devices can be made once it is loaded",
                                UBLK_CONTROL_PATH);
}

static void report_existing(struct manager *m) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n = 0;
        int r;

        r = ublk_ctrl_list(m->ctrl, &ids, &n);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "existing ublk devices can't be listed");
        for (size_t i = 0; i < n; i++)
                log_notice("/dev/ublkc%u exists already and is left alone", ids[i]);
}

static int setup_folders(struct manager *m) {
        int r;

        r = make_folder(m->config->folder, 0755);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't create %s", m->config->folder);
        if (asprintf(&m->udev_folder, "%s/udev", m->config->folder) < 0) {
                m->udev_folder = NULL;
                return -ENOMEM;
        }
        r = make_folder(m->udev_folder, 0755);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't create %s", m->udev_folder);
        return 0;
}

static int setup_signals(struct manager *m) {
        sigset_t signals;
        int r;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(m->event, NULL, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;
        return sd_event_add_signal(m->event, NULL, SIGINT, NULL, NULL);
}

static int setup(struct manager *m) {
        int r;

        r = sd_event_default(&m->event);
        if (r < 0)
                return r;
        r = setup_signals(m);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't set up signals");
        (void)sd_event_set_watchdog(m->event, true);
        r = setup_folders(m);
        if (r < 0)
                return r;
        r = ring_new(m->event, &m->ring);
        if (r < 0)
                return log_errno(LOG_ERR, r,
                                 "io_uring is not to be had (see kernel.io_uring_disabled)");
        r = m->config->new_ctrl(m->event, m->ring, &m->ctrl);
        if (r < 0)
                return r;
        r = spawner_exec_new(m->config->worker_path, &m->spawner);
        if (r < 0)
                return r;
        r = udev_new(m->event, m->udev_folder, m->config->udev, &m->udev);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't listen to udev");
        return bus_setup(m);
}

int manager_new(const struct manager_config *config, struct manager **ret) {
        _cleanup_(manager_freep) struct manager *m = calloc(1, sizeof(*m));
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        int r;

        if (!m)
                return -ENOMEM;
        m->config = config;
        m->machine.processors = processors > 0 ? (unsigned)processors : 1;
        list_init(&m->devices);

        r = setup(m);
        if (r < 0)
                return r;
        ask_features(m);
        report_existing(m);
        *ret = TAKE_PTR(m);
        return 0;
}

struct manager *manager_free(struct manager *m) {
        if (!m)
                return NULL;
        LIST_FOREACH (i, &m->devices)
                device_free(CONTAINER_OF(i, struct device, list));
        apply_free(m->apply);
        sd_bus_flush_close_unref(m->bus);
        udev_free(m->udev);
        spawner_free(m->spawner);
        ublk_ctrl_free(m->ctrl);
        ring_free(m->ring);
        sd_event_unref(m->event);
        free(m->udev_folder);
        free(m);
        return NULL;
}

int manager_run(struct manager *m) {
        int r;

        (void)sd_notify(false, "READY=1");
        r = sd_event_loop(m->event);
        (void)sd_notify(false, "STOPPING=1");
        return r;
}

struct device *manager_find_device(struct manager *m, const char *name) {
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);

                if (streq(d->name, name))
                        return d;
        }
        return NULL;
}
