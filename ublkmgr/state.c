/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Taking over. Three cases for a kernel device: not marked as ours, left alone; ours and on record, taken over
 * (as failed if it serves nothing any more); ours without a record, an attach that its manager didn't live to
 * finish, deleted. A record without a kernel device is of no use and removed.
 */

#include "ublkmgr/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/spec/json.h"
#include "lib/spec/record.h"
#include "lib/ublk/features.h"

enum { RECORD_SIZE_MAX = 2 * SPEC_TEXT_MAX };

static int record_path(const struct manager *m, const char *name, char **ret) {
        if (asprintf(ret, "%s/%s.json", m->state_folder, name) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int state_write(const struct device *d, const struct spec *spec) {
        const struct record record = {
                .id = d->info.dev_id,
                .instance = (uint32_t)(d->info.ublksrv_flags & UBLK_COOKIE_INSTANCE),
                .worker_pid = d->worker ? (uint32_t)worker_pid(d->worker) : 0,
                .worker_identity = d->worker ? worker_identity(d->worker) : 0,
                .worker_unit = d->worker ? (char *)worker_unit(d->worker) : NULL,
                .backing_device = d->backing.device,
                .backing_inode = d->backing.inode,
                .backing_writable = d->backing.writable,
                .creation_usec = d->creation_usec,
                .origin = d->origin,
                .spec = (struct spec *)spec,
        };
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        r = record_to_json(&record, &text);
        if (r >= 0)
                r = record_path(d->manager, d->name, &path);
        if (r < 0)
                return r;
        return write_file_atomic(path, text, 0600);
}

int state_remove(const struct device *d) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = record_path(d->manager, d->name, &path);
        if (r < 0)
                return r;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

static uint64_t disk_size(uint32_t id) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        uint64_t sectors;

        if (asprintf(&path, "/sys/class/block/ublkb%u/size", id) < 0) {
                path = NULL;
                return 0;
        }
        if (read_file(path, 64, &text, NULL) < 0)
                return 0;
        text[strcspn(text, "\n")] = 0;
        return parse_u64(text, &sectors) < 0 ? 0 : sectors * 512;
}

/* The file that the backing is, so that a second device on it is refused as before. */
static void adopt_backing(struct device *d, const struct record *record) {
        d->backing.device = (dev_t)record->backing_device;
        d->backing.inode = (ino_t)record->backing_inode;
        d->backing.writable = record->backing_writable;
        d->backing.info.is_block_device = record->backing_inode == 0;
}

static int take_over(struct manager *m, const char *name, struct record *record,
                     const struct ublk_dev_info *info) {
        struct device *d;
        int r;

        r = device_new(m, name, record->spec, record->origin, &d);
        if (r < 0)
                return r;
        TAKE_PTR(record->spec);
        spec_apply_defaults(d->spec, &m->machine);
        d->creation_usec = record->creation_usec;
        d->info = *info;
        d->added = true;
        adopt_backing(d, record);
        r = worker_adopt(m->event, (pid_t)record->worker_pid, record->worker_identity,
                         record->worker_unit, &device_worker_events, d, &d->worker);
        if (r < 0 && r != -ESRCH)
                (void)log_errno(LOG_WARNING, r, "%s: its worker can't be watched", name);
        if (info->state == UBLK_STATE_DEAD) {
                log_error("%s: it serves no disk any more: the device has failed; remove it, or "
                          "apply "
                          "its file again",
                          name);
                device_clean_up(d);
                return 0;
        }
        d->started = true;
        d->state = DEVICE_LIVE;
        d->geometry.size_bytes = disk_size(info->dev_id);
        d->diskseq = udev_diskseq(info->dev_id);
        log_info("%s: taken over as /dev/ublkb%u", name, info->dev_id);
        device_check_partitions(d);
        return 0;
}

/* Calls back for each record that can be read. */
static int foreach_record(struct manager *m,
                          bool (*found)(struct manager *m, const char *name, struct record *record,
                                        const void *userdata),
                          const void *userdata) {
        struct dirent *entry;
        DIR *dir;

        dir = opendir(m->state_folder);
        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                _cleanup_free_ char *name = NULL, *path = NULL, *text = NULL;
                _cleanup_(record_done) struct record record = { 0 };
                size_t size;

                if (spec_name_from_path(entry->d_name, &name) < 0 ||
                    record_path(m, name, &path) < 0)
                        continue;
                if (read_file(path, RECORD_SIZE_MAX, &text, &size) < 0 ||
                    record_from_json(text, size, &record) < 0) {
                        log_warning("%s can't be read and is ignored", path);
                        continue;
                }
                if (found(m, name, &record, userdata))
                        break;
        }
        closedir(dir);
        return 0;
}

static void forget(struct manager *m, const char *name, const struct record *record) {
        _cleanup_free_ char *path = NULL;

        log_notice("%s: its device is gone, forgetting it", name);
        (void)udev_remove_identity(m->udev, record->id, name);
        if (record_path(m, name, &path) >= 0)
                (void)unlink(path);
}

static bool forget_id(struct manager *m, const char *name, struct record *record,
                      const void *userdata) {
        if (record->id == *(const uint32_t *)userdata)
                forget(m, name, record);
        return false;
}

static bool match_info(struct manager *m, const char *name, struct record *record,
                       const void *userdata) {
        const struct ublk_dev_info *info = userdata;

        if (record->id != info->dev_id || manager_find_device(m, name) ||
            record->instance != (info->ublksrv_flags & UBLK_COOKIE_INSTANCE))
                return false;
        if (take_over(m, name, record, info) < 0)
                log_error("%s: can't be taken over: out of memory", name);
        return true;
}

static struct device *find_by_id(struct manager *m, uint32_t id) {
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);

                if (d->info.dev_id == id)
                        return d;
        }
        return NULL;
}

static void on_deleted(void *userdata, int result, _unused_ const union ublk_payload *payload) {
        struct manager *m = userdata;

        m->adopting--;
        if (result < 0 && result != -ENODEV)
                (void)log_errno(LOG_WARNING, result, "an unfinished device can't be deleted");
}

static void delete_unfinished(struct manager *m, uint32_t id) {
        const struct ublk_command command = { .op = UBLK_CMD_DEL_DEV, .id = id };

        log_notice("/dev/ublkc%u was never finished by an earlier manager, deleting it", id);
        (void)udev_remove_identity(m->udev, id, NULL);
        if (ublk_ctrl_submit(m->ctrl, &command, 5 * USEC_PER_SEC, on_deleted, m, NULL) >= 0)
                m->adopting++;
}

static void on_info(void *userdata, int result, const union ublk_payload *payload) {
        struct manager *m = userdata;
        const struct ublk_dev_info *info = &payload->info;

        m->adopting--;
        if (result < 0) {
                (void)log_errno(LOG_WARNING, result, "an existing device can't be asked about");
                return;
        }
        if ((info->ublksrv_flags & UBLK_COOKIE_MASK) == UBLK_COOKIE) {
                (void)foreach_record(m, match_info, info);
                if (find_by_id(m, info->dev_id))
                        return;
        }
        /* What is on record about this id is about a device that is gone. */
        (void)foreach_record(m, forget_id, &info->dev_id);
        if ((info->ublksrv_flags & UBLK_COOKIE_MASK) != UBLK_COOKIE) {
                log_notice("/dev/ublkc%u belongs to another program and is left alone",
                           info->dev_id);
                return;
        }
        if (info->state == UBLK_STATE_DEAD)
                delete_unfinished(m, info->dev_id);
        else {
                m->unrecorded = true;
                log_warning("/dev/ublkb%u is served for an earlier manager, but nothing is on "
                            "record about it: it is left alone",
                            info->dev_id);
        }
}

struct ids {
        const uint32_t *ids;
        size_t n;
};

static bool remove_stale(struct manager *m, const char *name, struct record *record,
                         const void *userdata) {
        const struct ids *ids = userdata;

        for (size_t i = 0; i < ids->n; i++)
                if (ids->ids[i] == record->id)
                        return false;
        forget(m, name, record);
        return false;
}

int state_adopt(struct manager *m) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n = 0;
        int r;

        r = ublk_ctrl_list(m->ctrl, &ids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                const struct ublk_command command = { .op = UBLK_CMD_GET_DEV_INFO, .id = ids[i] };

                r = ublk_ctrl_submit(m->ctrl, &command, 5 * USEC_PER_SEC, on_info, m, NULL);
                if (r < 0)
                        return r;
                m->adopting++;
        }
        return foreach_record(m, remove_stale, &(const struct ids){ ids, n });
}
