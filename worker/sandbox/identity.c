/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A user id that nobody else has
 *
 * Two workers with one id could send signals to each other and would share what the kernel accounts by user. A group
 * other than root's is kept: it is the one that may connect to the manager. What is permitted outlasts the change
 * by a moment, so that namespaces can be made where administrators forbid that to ordinary users.
 */

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/sandbox/sandbox.h"

/* A change of the id empties the effective set. */
static int raise_permitted(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(data); i++)
                data[i].effective = data[i].permitted;
        if (syscall(SYS_capset, &header, data) < 0)
                return -errno;
        return 0;
}

int sandbox_change_identity(struct sandbox *s) {
        gid_t gid = getegid() != 0 ? getegid() : (gid_t)s->uid;

        if (s->uid == 0)
                return geteuid() == 0 ? sandbox_miss(s, SANDBOX_OWN_USER, EPERM) : 0;
        if (setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
            setresgid(gid, gid, gid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0)
                return sandbox_miss(s, SANDBOX_OWN_USER, errno);
        return raise_permitted();
}
