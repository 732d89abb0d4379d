/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nothing of this process is ever swapped out or read from disk again once it was used: what it waits for could be its
 * own device. Pages are locked as they are touched, because most of the buffers of a deep queue never are.
 */

#include <errno.h>
#include <sys/mman.h>

#include "worker/sandbox/sandbox.h"

int sandbox_lock_memory(struct sandbox *s) {
        if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
                return sandbox_miss(s, SANDBOX_MEMORY_LOCK, errno);
        return 0;
}
