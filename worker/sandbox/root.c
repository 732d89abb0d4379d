/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An empty, read-only root
 *
 * Not only so that there is nothing to open: a server that has a mount of its own device in its namespace can become
 * the last one to hold it, and then waits for itself while it exits. So no mount of the machine is left, and none that
 * is made later may propagate here.
 */

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/sandbox/namespaces.h"
#include "worker/sandbox/sandbox.h"

/* Any folder that exists everywhere: the new root covers it for a moment. */
#define MOUNT_POINT "/proc"

/* The index of "mnt" in sandbox_namespaces. */
enum { MOUNT_NAMESPACE = 1 };

static int empty_root(void) {
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

        if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
            mount("none", MOUNT_POINT, "tmpfs", flags, "size=4k,nr_inodes=2,mode=555") < 0 ||
            chdir(MOUNT_POINT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
            umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ||
            mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
                return -errno;
        return 0;
}

int sandbox_leave_root(struct sandbox *s) {
        char now[SANDBOX_LINK_SIZE];
        int r;

        sandbox_read_namespace(s, MOUNT_NAMESPACE, now);
        /* In a mount namespace of others this would take the files from under their feet. */
        if (now[0] == 0 || streq(now, s->before[MOUNT_NAMESPACE]))
                return 0;
        r = empty_root();
        return r < 0 ? sandbox_miss(s, SANDBOX_NAMESPACES, r) : 0;
}
