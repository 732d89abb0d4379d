/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reader's confinement. Each step takes something away, and the order matters: the empty root and the other
 * identity need the capabilities of root, the user namespace comes after them so that it maps nobody, and the filter comes
 * last because it forbids everything that the steps before it do. All or nothing: a reader without one of them must not
 * read.
 */

#include "partitions/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "partitions/filter.h"
#include "worker/sandbox/capabilities.h"

enum {
        DEVICE_FD = 3,
        PIPE_FD = 4,
        /* Nobody's: beyond what systemd gives to dynamic users and below what it gives to containers. */
        READER_UID = 65520,
        CPU_SECONDS = 5,
};
/* libblkid reads a table into memory, whose size the table says. */
#define MEMORY_BYTES (UINT64_C(64) << 20)

struct fds {
        int device, pipe;
};

static int keep_fds(struct fds *fds) {
        /* First out of the way of the numbers that they shall get. */
        int device = fcntl(fds->device, F_DUPFD, 10), pipe = fcntl(fds->pipe, F_DUPFD, 10);

        if (device < 0 || pipe < 0 || dup2(device, DEVICE_FD) < 0 || dup2(pipe, PIPE_FD) < 0 ||
            syscall(SYS_close_range, PIPE_FD + 1, ~0U, 0) < 0 ||
            syscall(SYS_close_range, 0, DEVICE_FD - 1, 0) < 0)
                return -errno;
        *fds = (struct fds){ .device = DEVICE_FD, .pipe = PIPE_FD };
        return 0;
}

/* It must not outlive the other half, which is the one that has a deadline. */
static int die_with_parent(_unused_ struct fds *fds) {
        return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

/* A folder without anything in it, and of the machine's mounts not one is left. */
static int empty_root(_unused_ struct fds *fds) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("empty", "/dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "mode=0555,size=4k,nr_inodes=1") < 0 ||
            chdir("/dev") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
            umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ||
            mount(NULL, "/", NULL,
                  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return -errno;
        return 0;
}

static int limit(_unused_ struct fds *fds) {
        static const struct {
                int resource;
                rlim_t value;
        } limits[] = {
                { RLIMIT_CPU, CPU_SECONDS }, { RLIMIT_CORE, 0 },    { RLIMIT_FSIZE, 0 },
                { RLIMIT_NOFILE, 0 },        { RLIMIT_MEMLOCK, 0 }, { RLIMIT_MSGQUEUE, 0 },
                { RLIMIT_SIGPENDING, 0 },
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
                { RLIMIT_AS, MEMORY_BYTES },
#endif
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const struct rlimit value = { limits[i].value, limits[i].value };

                if (setrlimit((__rlimit_resource_t)limits[i].resource, &value) < 0)
                        return -errno;
        }
        return 0;
}

static int set_capability(uint32_t mask) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
                { .effective = mask, .permitted = mask }
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Another identity, and a user namespace in which nobody has one: what needs a capability, needs one of that. */
static int other_identity(_unused_ struct fds *fds) {
        int r;

        if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgroups(0, NULL) < 0 ||
            setresgid(READER_UID, READER_UID, READER_UID) < 0 ||
            setresuid(READER_UID, READER_UID, READER_UID) < 0)
                return -errno;
        /* The one by which the kernel lets anybody make it, wherever that is restricted. */
        r = set_capability(1U << CAP_SYS_ADMIN);
        if (r < 0)
                return r;
        return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

static int no_capabilities(_unused_ struct fds *fds) {
        return drop_capabilities();
}

static int undumpable(_unused_ struct fds *fds) {
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

static int filter(_unused_ struct fds *fds) {
        return filter_system_calls();
}

static const struct {
        const char *name;
        int (*run)(struct fds *fds);
} steps[] = {
        { "keep-fds", keep_fds },
        { "empty-root", empty_root },
        { "limits", limit },
        { "identity", other_identity },
        { "capabilities", no_capabilities },
        { "undumpable", undumpable },
        /* After the last change of identity, which forgets it. */
        { "die-with-parent", die_with_parent },
        { "filter", filter },
};

int confine(int *device, int *pipe, const char **what) {
        struct fds fds = { *device, *pipe };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r = steps[i].run(&fds);

                if (r < 0) {
                        *what = steps[i].name;
                        return r;
                }
        }
        *device = fds.device;
        *pipe = fds.pipe;
        return 0;
}
