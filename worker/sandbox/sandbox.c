/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the steps share: the way to /proc, and what is said about parts that are missing. The names are those of the
 * administrator's settings.
 */

#include "worker/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/base/macro.h"

static const struct {
        enum sandbox_part part;
        const char *what;
} parts[] = {
        { SANDBOX_IO_FLUSHER, "it may not become an I/O flusher (\"ioFlusher\" in ublkmgr.conf)" },
        { SANDBOX_MEMORY_LOCK, "its memory can't be locked (\"memoryLock\" in ublkmgr.conf)" },
        { SANDBOX_OOM_SCORE, "its OOM score can't be lowered (\"oomScore\" in ublkmgr.conf)" },
        { SANDBOX_OWN_USER, "it can't get a user id of its own (\"ownUser\" in ublkmgr.conf)" },
        { SANDBOX_NAMESPACES,
          "it can't have its own namespaces and root (\"namespaces\" in ublkmgr.conf)" },
        { SANDBOX_PID_NAMESPACE,
          "it can't have its own pid namespace (\"pidNamespace\" in ublkmgr.conf)" },
        { SANDBOX_RING, "its rings can't be restricted (\"ringRestrictions\" in ublkmgr.conf)" },
        { SANDBOX_SECCOMP,
          "system calls can't be filtered (\"systemCallFilter\" in ublkmgr.conf)" },
};

static_assert(ELEMENTSOF(parts) == ELEMENTSOF(((struct sandbox *)0)->missing_error),
              "an errno each");

int sandbox_begin(struct sandbox *s) {
        s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->proc >= 0)
                return 0;
        s->what = "/proc is not mounted: there it is read whether the confinement holds";
        return -errno;
}

int sandbox_miss(struct sandbox *s, enum sandbox_part part, int error) {
        s->missing |= (uint32_t)part;
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (parts[i].part == part)
                        s->missing_error[i] = -abs(error);
        return 0;
}

int sandbox_check_missing(struct sandbox *s, uint32_t tolerated) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (s->missing & ~tolerated & (uint32_t)parts[i].part) {
                        s->what = parts[i].what;
                        return s->missing_error[i];
                }
        return 0;
}
