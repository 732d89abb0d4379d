/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /proc/self/mountinfo names devices by number, and a disk and its partitions have numbers of their own, so
 * those are collected from sysfs first.
 */

#include "ublkmgr/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/strbuf.h"

enum { PARTITIONS_MAX = 256 };

struct numbers {
        char dev[PARTITIONS_MAX][16]; /* "259:3" */
        size_t count;
};

static void add_user(struct strbuf *out, const char *how, const char *what) {
        strbuf_addf(out, "%s%s %s", out->length > 0 ? ", " : "", how, what);
}

static void add_number(struct numbers *n, const char *folder) {
        _cleanup_free_ char *path = NULL, *text = NULL;

        if (n->count == PARTITIONS_MAX || asprintf(&path, "%s/dev", folder) < 0)
                return;
        if (read_file(path, 4096, &text, NULL) < 0)
                return;
        text[strcspn(text, "\n")] = 0;
        (void)snprintf(n->dev[n->count++], sizeof(n->dev[0]), "%.15s", text);
}

/* What is stacked on a disk or partition. */
static void add_holders(const char *folder, struct strbuf *out) {
        _cleanup_free_ char *path = NULL;
        struct dirent *entry;
        DIR *dir;

        if (asprintf(&path, "%s/holders", folder) < 0)
                return;
        dir = opendir(path);
        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        add_user(out, "used by", entry->d_name);
        if (dir)
                closedir(dir);
}

static int collect(const char *disk, bool whole, struct numbers *n, struct strbuf *out) {
        _cleanup_free_ char *folder = NULL;
        struct dirent *entry;
        DIR *dir;

        if (asprintf(&folder, "/sys/class/block/%s", disk) < 0)
                return -ENOMEM;
        dir = opendir(folder);
        if (!dir)
                return -errno;
        if (whole) {
                add_number(n, folder);
                add_holders(folder, out);
        }
        while ((entry = readdir(dir))) {
                _cleanup_free_ char *part = NULL;

                if (strncmp(entry->d_name, disk, strlen(disk)) != 0)
                        continue;
                if (asprintf(&part, "%s/%s", folder, entry->d_name) < 0)
                        break;
                add_number(n, part);
                add_holders(part, out);
        }
        closedir(dir);
        return 0;
}

static bool is_ours(const struct numbers *n, const char *dev) {
        for (size_t i = 0; i < n->count; i++)
                if (streq(n->dev[i], dev))
                        return true;
        return false;
}

/* Where a name has a space, mountinfo has \040; likewise for tab, newline and backslash. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++)
                if (from[0] == '\\' && (from[1] == '0' || from[1] == '1') &&
                    strspn(from + 1, "01234567") >= 3) {
                        *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        *to = 0;
}

/* A line of mountinfo: ID PARENT MAJOR:MINOR ROOT MOUNTPOINT … */
static int add_mounts(const struct numbers *n, struct strbuf *out) {
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        FILE *f;

        f = fopen("/proc/self/mountinfo", "re");
        if (!f)
                return -errno;
        while (getline(&line, &size, f) >= 0) {
                char *rest = line, *word, *dev = NULL, *where = NULL;

                for (int i = 0; (word = strsep(&rest, " ")) && i < 5; i++)
                        if (i == 2)
                                dev = word;
                        else if (i == 4)
                                where = word;
                if (where && is_ours(n, dev)) {
                        unescape(where);
                        add_user(out, "mounted on", where);
                }
        }
        fclose(f);
        return 0;
}

static int add_swaps(const char *disk, bool whole, struct strbuf *out) {
        _cleanup_free_ char *line = NULL, *prefix = NULL;
        size_t size = 0;
        FILE *f;

        if (asprintf(&prefix, "/dev/%s", disk) < 0)
                return -ENOMEM;
        f = fopen("/proc/swaps", "re");
        if (!f)
                return errno == ENOENT ? 0 : -errno;
        while (getline(&line, &size, f) >= 0) {
                size_t n = strlen(prefix);

                if (strncmp(line, prefix, n) == 0 && strchr(whole ? " \tp" : "p", line[n]))
                        add_user(out, "used as", "swap");
        }
        fclose(f);
        return 0;
}

int disk_open_exclusive(struct ring *ring, uint32_t id, uint64_t timeout_usec, ring_done done,
                        void *userdata, struct ring_op **ret) {
        union ring_sqe sqe = { 0 };
        char *path;

        if (asprintf(&path, "/dev/ublkb%u", id) < 0)
                return -ENOMEM;
        io_uring_prep_openat(&sqe.sqe, AT_FDCWD, path, O_RDONLY | O_EXCL | O_CLOEXEC, 0);
        sqe.sqe.flags |= IOSQE_ASYNC;
        return ring_start(ring, &sqe, path, ring_late_close, timeout_usec, done, userdata, ret);
}

static int find_users(uint32_t id, bool whole, char **ret) {
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;
        struct numbers numbers = { .count = 0 };
        char disk[32];
        int r;

        *ret = NULL;
        (void)snprintf(disk, sizeof(disk), "ublkb%u", id);
        r = collect(disk, whole, &numbers, &out);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        r = add_mounts(&numbers, &out);
        if (r < 0)
                return r;
        r = add_swaps(disk, whole, &out);
        if (r < 0)
                return r;
        return out.length > 0 || out.error < 0 ? strbuf_steal(&out, ret) : 0;
}

int disk_users(uint32_t id, char **ret) {
        return find_users(id, true, ret);
}

int partition_users(uint32_t id, char **ret) {
        return find_users(id, false, ret);
}
