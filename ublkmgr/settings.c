/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding and believing ublkmgr.conf
 *
 * The file can take parts of every worker's sandbox away, so it has to be root's alone. A wrong one must not keep the
 * manager from starting, because devices that are in use need it; then nothing in it counts, which is the safe
 * side, and each of its errors is told.
 */

#include "ublkmgr/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/spec/json.h"
#include "lib/wire/wire.h"

#define FILE_NAME "ublkmgr.conf"

/* The bits are the same ones. */
#define SAME(part, bit) \
        static_assert(1U << (part) == (bit), "settings and wire name the same parts")
SAME(SETTINGS_IO_FLUSHER, WIRE_CONFINE_IO_FLUSHER);
SAME(SETTINGS_MEMORY_LOCK, WIRE_CONFINE_MEMORY_LOCK);
SAME(SETTINGS_OOM_SCORE, WIRE_CONFINE_OOM_SCORE);
SAME(SETTINGS_OWN_USER, WIRE_CONFINE_OWN_USER);
SAME(SETTINGS_NAMESPACES, WIRE_CONFINE_NAMESPACES);
SAME(SETTINGS_PID_NAMESPACE, WIRE_CONFINE_PID_NAMESPACE);
SAME(SETTINGS_RING_RESTRICTIONS, WIRE_CONFINE_RING);
SAME(SETTINGS_SYSTEM_CALL_FILTER, WIRE_CONFINE_SECCOMP);
static_assert((1U << _SETTINGS_PART_MAX) - 1 == WIRE_CONFINE_ALL, "settings name every part");

uint32_t settings_tolerated(const struct settings *settings) {
        return settings->allow_missing;
}

int settings_find(const char *root, char **ret) {
        static const char *const folders[] = { "/etc/ublk", "/run/ublk", "/usr/lib/ublk" };

        *ret = NULL;
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = NULL;
                struct stat st;

                if (asprintf(&path, "%s%s/" FILE_NAME, root, folders[i]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                /* One that can't be looked at is there, too: that is told when it is read. */
                if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
                        continue;
                *ret = TAKE_PTR(path);
                break;
        }
        return 0;
}

static int refuse(struct spec_errors *errors, const char *why) {
        return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_VALUE, "%s", why);
}

/* Whom it belongs to and what it is, of the open file: a path may be another one a moment later. */
static int check_file(const struct stat *st, struct spec_errors *errors) {
        if (!S_ISREG(st->st_mode))
                return refuse(errors, "is not a regular file");
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_VALUE,
                                       "belongs to the user %u, who could let workers run without "
                                       "their sandbox; chown it to root",
                                       (unsigned)st->st_uid);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_VALUE,
                                       "can be written by others than root (mode %04o); chmod it "
                                       "to 0644",
                                       (unsigned)st->st_mode & 07777);
        return 0;
}

int settings_load(const char *path, struct settings *ret, struct spec_errors *errors) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t size;
        int r;

        *ret = SETTINGS_DEFAULT;
        if (!path)
                return 0;
        errors->file = path;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_VALUE, "can't be opened: %s",
                                       strerror(errno));
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return 0;
        r = check_file(&st, errors);
        if (r < 0)
                return r;
        r = read_open_file(fd, SPEC_TEXT_MAX, &text, &size);
        if (r == -EFBIG)
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_SYNTAX,
                                       "has more than %d bytes; that is no settings file",
                                       SPEC_TEXT_MAX);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_VALUE, "can't be read: %s",
                                       strerror(-r));
        return size == 0 ? 0 : settings_parse(text, size, ret, errors);
}

/* Which file it is: the one that was named, or found. found: for the caller to free. */
static int choose(const char *path, const char **ret, char **found) {
        int r = 0;

        if (!path)
                r = settings_find("", found);
        *ret = path ? path : *found;
        return r;
}

/* One line, without the newline at its end. */
static int format_error(const struct spec_error *error, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        int r;

        spec_error_format(error, &b);
        r = strbuf_steal(&b, ret);
        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = 0;
        return r;
}

static void warn_of_missing(const char *path, const struct settings *settings) {
        _cleanup_(strbuf_done) struct strbuf names = STRBUF_NULL;

        for (enum settings_part p = 0; p < _SETTINGS_PART_MAX; p++)
                if (settings->allow_missing & 1U << p)
                        strbuf_addf(&names, "%s%s", names.length > 0 ? ", " : "",
                                    settings_part_to_string(p));
        if (names.text)
                log_warning("%s: allowMissing: workers serve even where a part of their sandbox is "
                            "not to be had: %s",
                            path, names.text);
}

int settings_setup(const char *path, struct settings *ret) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_free_ char *found = NULL;
        int r;

        *ret = SETTINGS_DEFAULT;
        r = choose(path, &path, &found);
        if (r >= 0)
                r = settings_load(path, ret, &errors);
        if (r == -ENOMEM)
                return r;
        for (size_t i = 0; i < errors.count; i++) {
                _cleanup_free_ char *line = NULL;

                if (format_error(&errors.items[i], &line) < 0)
                        return -ENOMEM;
                log_error("%s", line);
        }
        if (r < 0)
                log_error("%s is wrong, so that nothing in it counts and the defaults hold; put it "
                          "right, check it with 'ublkmgr --check-config', and restart ublkmgr",
                          path);
        else if (path) {
                log_debug("settings are those of %s", path);
                warn_of_missing(path, ret);
        }
        return 0;
}

int settings_check(const char *path) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_free_ char *found = NULL;
        struct settings settings;
        int r;

        r = choose(path, &path, &found);
        if (r >= 0)
                r = settings_load(path, &settings, &errors);
        if (r == -ENOMEM)
                (void)log_errno(LOG_ERR, r, "settings can't be checked");
        for (size_t i = 0; i < errors.count; i++) {
                _cleanup_free_ char *line = NULL;

                if (format_error(&errors.items[i], &line) >= 0)
                        (void)fprintf(stderr, "%s\n", line);
        }
        if (r < 0)
                return EXIT_FAILURE;
        if (path)
                printf("%s: ok\n", path);
        else
                printf("there is no " FILE_NAME ": the defaults hold\n");
        return EXIT_SUCCESS;
}
