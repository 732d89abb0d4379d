/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker needs no capability: serving a device is allowed to whoever holds its fd. Having one does harm.
 * Linux 6.12 scans for partitions inside START_DEV when the FETCHes came from a task with CAP_SYS_ADMIN, with the
 * device's lock held; if the worker stalls or dies then, START_DEV, STOP_DEV and DEL_DEV hang for ever. So this
 * comes before the first FETCH, whatever else a sandbox does.
 *
 * The raw system call, because libcap would be one more library in the process that is to be trusted least.
 */

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox/sandbox.h"

/* No program, set-user-ID root or not, and no change of ids could get a capability back. */
enum {
        SECUREBITS = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
};

int sandbox_drop_capabilities(struct sandbox *s) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

        /* Only whoever has CAP_SETPCAP can; whoever hasn't, and has no namespace of its own to have it in, gets
         * nothing back by exec anyway after the next call. */
        if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) >= 0)
                for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
                        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);

        /* With nothing permitted or inheritable the kernel empties the ambient set as well. The last one: no core
         * file, no ptrace by anybody with the same id, entries of /proc that belong to root. */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0 ||
            prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
                s->what = "privileges can't be given up";
                return -errno;
        }
        return 0;
}
