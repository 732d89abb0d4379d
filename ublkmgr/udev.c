/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The identity file is replaced by rename and never edited, so that udev reads all of it or none. Whether
 * udev is ready with a disk is asked of its database and otherwise heard from its monitor; the database is
 * written before the message is sent, so that nothing falls between the two.
 */

#include "ublkmgr/udev.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-device.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/list.h"
#include "lib/base/macro.h"

struct udev {
        const char *folder;
        sd_device_monitor *monitor; /* NULL: udev doesn't run here */
        struct list waits;
};

struct udev_wait {
        struct list list;
        char disk[32];
        const char *name;
        enum { WAIT_PRESENT, WAIT_GONE, WAIT_PARTITIONS } what;
        udev_done done;
        void *userdata;
};

static bool is_ready(sd_device *device, const char *name) {
        const char *value;

        return sd_device_get_is_initialized(device) > 0 &&
               sd_device_get_property_value(device, "UBLK_NAME", &value) >= 0 && streq(value, name);
}

/* The mark of ublk-partitions, which changes no device by itself. */
static bool is_announcement(sd_device *device) {
        const char *value;

        return sd_device_get_property_value(device, "SYNTH_ARG_UBLK", &value) >= 0 &&
               streq(value, "partitions");
}

static bool is_awaited(const struct udev_wait *w, sd_device *device, bool removed) {
        switch (w->what) {
        case WAIT_PRESENT:
                return !removed && is_ready(device, w->name);
        case WAIT_GONE:
                return removed;
        default:
                return !removed && is_announcement(device);
        }
}

static void wait_finish(struct udev_wait *w) {
        udev_done done = w->done;
        void *userdata = w->userdata;

        /* The waiter frees it. */
        w->done = NULL;
        if (done)
                done(userdata);
}

static int on_device(_unused_ sd_device_monitor *monitor, sd_device *device, void *userdata) {
        struct udev *u = userdata;
        sd_device_action_t action;
        const char *disk;

        if (sd_device_get_sysname(device, &disk) < 0 || sd_device_get_action(device, &action) < 0)
                return 0;

        LIST_FOREACH (i, &u->waits) {
                struct udev_wait *w = CONTAINER_OF(i, struct udev_wait, list);

                if (!streq(w->disk, disk) || !is_awaited(w, device, action == SD_DEVICE_REMOVE))
                        continue;
                wait_finish(w);
                /* One event belongs to one wait: an id is used by one device at a time. */
                return 0;
        }
        return 0;
}

static int start_monitor(struct udev *u, sd_event *event) {
        int r;

        r = sd_device_monitor_new(&u->monitor);
        if (r < 0)
                return r;
        r = sd_device_monitor_filter_add_match_subsystem_devtype(u->monitor, "block", "disk");
        if (r < 0)
                return r;
        r = sd_device_monitor_attach_event(u->monitor, event);
        if (r < 0)
                return r;
        return sd_device_monitor_start(u->monitor, on_device, u);
}

int udev_new(sd_event *event, const char *folder, bool listen, struct udev **ret) {
        struct udev *u;
        int r = 0;

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->folder = folder;
        list_init(&u->waits);
        if (listen && access("/run/udev/control", F_OK) == 0)
                r = start_monitor(u, event);
        if (r < 0) {
                udev_free(u);
                return r;
        }
        *ret = u;
        return 0;
}

struct udev *udev_free(struct udev *u) {
        if (u) {
                sd_device_monitor_unref(u->monitor);
                free(u);
        }
        return NULL;
}

static int identity_path(struct udev *u, uint32_t id, char **ret) {
        if (asprintf(ret, "%s/ublkb%u", u->folder, id) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int udev_write_identity(struct udev *u, uint32_t id, const char *name, uint32_t owner_uid) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        r = identity_path(u, id, &path);
        if (r < 0)
                return r;
        /* Only what belongs to root may give the machine names that come out of its contents. */
        if (asprintf(&text, "UBLK_NAME=%s\nUBLK_OWNER_UID=%u\nUBLK_TRUST=%s\n", name, owner_uid,
                     owner_uid == 0 ? "system" : "user") < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return write_file_atomic(path, text, 0644);
}

int udev_remove_identity(struct udev *u, uint32_t id, const char *name) {
        _cleanup_free_ char *path = NULL, *text = NULL, *first = NULL;
        int r;

        r = identity_path(u, id, &path);
        if (r < 0)
                return r;
        if (name && asprintf(&first, "UBLK_NAME=%s\n", name) < 0) {
                first = NULL;
                return -ENOMEM;
        }
        if (first && read_file(path, 4096, &text, NULL) >= 0 &&
            strncmp(text, first, strlen(first)) != 0)
                return 0;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

static bool is_ready_now(const char *disk, const char *name) {
        sd_device *device = NULL;
        bool ready;

        if (sd_device_new_from_subsystem_sysname(&device, "block", disk) < 0)
                return false;
        ready = is_ready(device, name);
        sd_device_unref(device);
        return ready;
}

static bool is_there(const char *disk) {
        sd_device *device = NULL;

        if (sd_device_new_from_subsystem_sysname(&device, "block", disk) < 0)
                return false;
        sd_device_unref(device);
        return true;
}

static int wait_new(struct udev *u, uint32_t id, udev_done done, void *userdata,
                    struct udev_wait **ret) {
        struct udev_wait *w;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (struct udev_wait){ .done = done, .userdata = userdata };
        (void)snprintf(w->disk, sizeof(w->disk), "ublkb%u", id);
        list_append(&u->waits, &w->list);
        *ret = w;
        return 0;
}

int udev_wait(struct udev *u, uint32_t id, bool present, const char *name, udev_done done,
              void *userdata, struct udev_wait **ret) {
        struct udev_wait *w;
        int r;

        if (!u->monitor)
                return 1;
        r = wait_new(u, id, done, userdata, &w);
        if (r < 0)
                return r;
        w->name = name;
        w->what = present ? WAIT_PRESENT : WAIT_GONE;
        if (present ? is_ready_now(w->disk, name) : !is_there(w->disk)) {
                udev_wait_free(w);
                return 1;
        }
        *ret = w;
        return 0;
}

int udev_wait_partitions(struct udev *u, uint32_t id, udev_done done, void *userdata,
                         struct udev_wait **ret) {
        struct udev_wait *w;
        int r;

        if (!u->monitor)
                return 1;
        r = wait_new(u, id, done, userdata, &w);
        if (r < 0)
                return r;
        w->what = WAIT_PARTITIONS;
        *ret = w;
        return 0;
}

struct udev_wait *udev_wait_free(struct udev_wait *w) {
        if (w) {
                list_remove(&w->list);
                free(w);
        }
        return NULL;
}

uint64_t udev_diskseq(uint32_t id) {
        sd_device *device = NULL;
        char disk[32];
        uint64_t seq = 0;

        (void)snprintf(disk, sizeof(disk), "ublkb%u", id);
        if (sd_device_new_from_subsystem_sysname(&device, "block", disk) < 0)
                return 0;
        (void)sd_device_get_diskseq(device, &seq);
        sd_device_unref(device);
        return seq;
}
