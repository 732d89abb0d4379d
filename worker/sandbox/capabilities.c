/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker needs no capability: serving a device is allowed to whoever holds its fd. Having one does
 * harm. Linux 6.12 scans for partitions inside START_DEV when the FETCHes came from a task with
 * CAP_SYS_ADMIN, with the device's lock held; if the worker stalls or dies then, START_DEV, STOP_DEV and
 * DEL_DEV hang for ever. So this comes before the first FETCH, whatever else a sandbox does.
 *
 * The raw system call, because libcap would be one more library in the process that is to be trusted
 * least.
 */

#include "worker/sandbox/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        /* With nothing permitted or inheritable the kernel empties the ambient set as well. */
        if (syscall(SYS_capset, &header, none) < 0)
                return -errno;
        return 0;
}
