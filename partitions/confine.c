/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's sandbox, around another process, with what a worker needs left out and tighter limits. All or nothing: a
 * worker may serve with a part of it missing, if the administrator says so, because somebody waits for a disk; a reader
 * of a partition table has no such excuse.
 */

#include "partitions/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "partitions/filter.h"
#include "worker/sandbox/sandbox.h"

enum {
        /* Nobody's: between those that systemd gives to dynamic users and "nobody". */
        READER_UID = 65520,
        CPU_SECONDS = 5,
};
/* libblkid reads a table into memory, and how large it is the table says. */
#define MEMORY_BYTES (UINT64_C(64) << 20)

static int set_limits(const struct rlimit *limits, const int *resources, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (setrlimit((__rlimit_resource_t)resources[i], &limits[i]) < 0)
                        return -errno;
        return 0;
}

/* Those that the sandbox looks at, and those that are in nobody's way. */
static int begin(struct sandbox *s, const struct confined *c) {
        static const int resources[] = { RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_CPU, RLIMIT_FSIZE,
                                         RLIMIT_MEMLOCK };
        static const struct rlimit limits[] = {
                { 0, 0 },
                { SANDBOX_OPEN_FILES_MAX, SANDBOX_OPEN_FILES_MAX },
                { CPU_SECONDS, CPU_SECONDS },
                { 0, 0 },
                { 0, 0 },
        };
        int r;

        (void)c;
        r = set_limits(limits, resources, ELEMENTSOF(limits));
        return r < 0 ? r : sandbox_begin(s);
}

static int identity(struct sandbox *s, const struct confined *c) {
        (void)c;
        return sandbox_change_identity(s);
}

static int namespaces(struct sandbox *s, const struct confined *c) {
        bool must_fork;

        (void)c;
        return sandbox_leave_namespaces(s, false, &must_fork);
}

static int root(struct sandbox *s, const struct confined *c) {
        (void)c;
        return sandbox_leave_root(s);
}

static int fds(struct sandbox *s, const struct confined *c) {
        const int list[] = { c->device, c->pipe };

        return sandbox_close_fds(s, list, ELEMENTSOF(list));
}

static int capabilities(struct sandbox *s, const struct confined *c) {
        (void)c;
        return sandbox_drop_capabilities(s);
}

static int verify(struct sandbox *s, const struct confined *c) {
        int r;

        (void)c;
        r = sandbox_check_missing(s, 0);
        return r < 0 ? r : sandbox_verify(s);
}

/* It must not outlive the other half, which has the deadline. After the last change of the identity, which forgets it. */
static int die_with_parent(struct sandbox *s, const struct confined *c) {
        (void)s;
        (void)c;
        return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static int no_memory_no_files(struct sandbox *s, const struct confined *c) {
        static const int resources[] = {
                RLIMIT_NOFILE,
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
                RLIMIT_AS,
#endif
        };
        static const struct rlimit limits[] = { { 0, 0 }, { MEMORY_BYTES, MEMORY_BYTES } };

        (void)s;
        (void)c;
        return set_limits(limits, resources, ELEMENTSOF(resources));
}

static int filter(struct sandbox *s, const struct confined *c) {
        int r = filter_system_calls(s, c->device, c->pipe);

        s->status = safe_close(s->status);
        return r < 0 ? r : sandbox_check_missing(s, 0);
}

static const struct {
        const char *name;
        int (*run)(struct sandbox *s, const struct confined *c);
} steps[] = {
        { "begin", begin },
        { "identity", identity },
        { "namespaces", namespaces },
        { "root", root },
        { "fds", fds },
        { "capabilities", capabilities },
        { "verify", verify },
        { "die-with-parent", die_with_parent },
        { "limits", no_memory_no_files },
        { "filter", filter },
};

int confine(const struct confined *c, const char **what) {
        struct sandbox sandbox = { .uid = READER_UID, .proc = -EBADF, .status = -EBADF };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r = steps[i].run(&sandbox, c);

                if (r < 0) {
                        *what = sandbox.what ? sandbox.what : steps[i].name;
                        return r;
                }
        }
        return 0;
}
