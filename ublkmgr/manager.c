/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Start and end of the manager
 *
 * When it ends, devices stay: their workers serve on, because somebody's file system may live on them, and the
 * next manager takes them over (state.c).
 */

#include "ublkmgr/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/ublk/features.h"
#include "lib/ublk/ring.h"
#include "ublkmgr/apply.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/settings.h"
#include "ublkmgr/spawner.h"
#include "ublkmgr/state.h"
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

void manager_ask_features(struct manager *m) {
        const struct ublk_command command = { .op = UBLK_CMD_GET_FEATURES };
        int r;

        r = ublk_ctrl_submit(m->ctrl, &command, 5 * USEC_PER_SEC, on_features, m, NULL);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r,
                                "no ublk driver (%s): devices can be made once it is loaded",
                                UBLK_CONTROL_PATH);
}

static int setup_folder(struct manager *m, const char *name, mode_t mode, char **ret) {
        int r;

        if (asprintf(ret, "%s/%s", m->config->folder, name) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        r = make_folder(*ret, mode);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't create %s", *ret);
        return 0;
}

/* Before anything is looked at: a second manager would take the devices that the first one is just attaching for
 * unfinished ones of a dead one. */
static int lock_folder(struct manager *m) {
        m->lock = open(m->config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (m->lock < 0)
                return log_errno(LOG_ERR, errno, "can't open %s", m->config->folder);
        if (flock(m->lock, LOCK_EX | LOCK_NB) < 0)
                return log_errno(LOG_ERR, errno, "%s is locked: another manager is running",
                                 m->config->folder);
        return 0;
}

static int setup_folders(struct manager *m) {
        int r;

        r = make_folder(m->config->folder, 0755);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't create %s", m->config->folder);
        r = lock_folder(m);
        if (r < 0)
                return r;
        r = setup_folder(m, "udev", 0755, &m->udev_folder);
        if (r < 0)
                return r;
        return setup_folder(m, "devices", 0700, &m->state_folder);
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

static int setup_spawner(struct manager *m) {
        enum settings_spawner kind = m->config->spawner;

        if (kind == SETTINGS_SPAWNER_AUTO)
                kind = m->settings.spawner;
        if (kind == SETTINGS_SPAWNER_AUTO)
                kind = !m->config->address && sd_booted() > 0 ? SETTINGS_SPAWNER_SYSTEMD
                                                              : SETTINGS_SPAWNER_EXEC;
        m->helper_units = kind == SETTINGS_SPAWNER_SYSTEMD;
        if (kind == SETTINGS_SPAWNER_SYSTEMD)
                return spawner_systemd_new(m->event, m->bus, m->config->folder, &m->spawner);
        return spawner_exec_new(m->event, m->config->worker_path, &m->spawner);
}

static int setup(struct manager *m) {
        int r;

        r = settings_setup(m->config->settings_path, &m->settings);
        if (r < 0)
                return r;
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
        r = udev_new(m->event, m->udev_folder, m->config->udev, &m->udev);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't listen to udev");
        r = bus_setup(m);
        if (r < 0)
                return r;
        return setup_spawner(m);
}

int manager_new(const struct manager_config *config, struct manager **ret) {
        _cleanup_(manager_freep) struct manager *m = calloc(1, sizeof(*m));
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        int r;

        if (!m)
                return -ENOMEM;
        m->config = config;
        m->lock = -EBADF;
        m->machine.processors = processors > 0 ? (unsigned)processors : 1;
        list_init(&m->devices);

        r = setup(m);
        if (r < 0)
                return r;
        manager_ask_features(m);
        r = state_adopt(m);
        if (r < 0 && r != -ENOENT)
                (void)log_errno(LOG_WARNING, r, "devices of an earlier manager can't be found");
        *ret = TAKE_PTR(m);
        return 0;
}

struct manager *manager_free(struct manager *m) {
        if (!m)
                return NULL;
        LIST_FOREACH (i, &m->devices)
                device_free(CONTAINER_OF(i, struct device, list));
        apply_free(m->apply);
        spawner_free(m->spawner);
        sd_bus_flush_close_unref(m->bus);
        udev_free(m->udev);
        ublk_ctrl_free(m->ctrl);
        ring_free(m->ring);
        sd_event_unref(m->event);
        safe_close(m->lock);
        free(m->udev_folder);
        free(m->state_folder);
        free(m);
        return NULL;
}

int manager_run(struct manager *m) {
        int r = 1;

        /* Nobody may ask for a name before it is known whether it is taken. */
        while (m->adopting > 0 && r >= 0 && sd_event_get_state(m->event) != SD_EVENT_FINISHED)
                r = sd_event_run(m->event, UINT64_MAX);
        if (r >= 0 && sd_event_get_state(m->event) == SD_EVENT_FINISHED)
                return 0;
        if (r >= 0)
                r = bus_take_name(m);
        if (r < 0)
                return r;
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
