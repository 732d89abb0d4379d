/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Getting more memory, or memory that can be executed. */

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static _Alignas(4096) char page[4096];
/* Out of the way of everything that is mapped. */
#define NOWHERE 0x10000000L

static long try_brk(const struct attempt_context *c) {
        long now = syscall(SYS_brk, 0);

        (void)c;
        return syscall(SYS_brk, now + 65536) > now ? 0 : -ENOMEM;
}

static long try_mmap_gigabytes(const struct attempt_context *c) {
        void *p = mmap(NULL, (size_t)4 << 30, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        (void)c;
        return p == MAP_FAILED ? -errno : 0;
}

#define MMAP(address, protection, flags)                                                \
        SYS_mmap, {                                                                     \
                address, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS | (flags), -1, 0 \
        }

static const struct attempt attempts[] = {
        { "mmap", BY_FILTER, FILTER_ONLY, MMAP(0, PROT_READ | PROT_WRITE, 0) },
        { "mmap-gigabytes", BY_FILTER, FILTER_ONLY, .run = try_mmap_gigabytes },
        { "mmap-exec", BY_FILTER, FILTER_ONLY, MMAP(0, PROT_READ | PROT_EXEC, 0) },
        { "mmap-write-exec", BY_FILTER, FILTER_ONLY,
          MMAP(0, PROT_READ | PROT_WRITE | PROT_EXEC, 0) },
        { "mmap-fixed", BY_FILTER, FILTER_ONLY, MMAP(NOWHERE, PROT_READ, MAP_FIXED) },
        { "mmap-zero", BY_FILTER, NO_CONTROL, MMAP(0, PROT_READ, MAP_FIXED) },
        { "mprotect-exec",
          BY_FILTER,
          FILTER_ONLY,
          SYS_mprotect,
          { P(page), sizeof(page), PROT_READ | PROT_EXEC } },
        { "pkey-mprotect",
          BY_FILTER,
          FILTER_ONLY,
          SYS_pkey_mprotect,
          { P(page), sizeof(page), PROT_READ | PROT_EXEC, -1 } },
        { "mremap",
          BY_FILTER,
          FILTER_ONLY,
          SYS_mremap,
          { P(page), sizeof(page), 4096, MREMAP_MAYMOVE | MREMAP_FIXED, NOWHERE } },
        { "munmap", BY_FILTER, FILTER_ONLY, SYS_munmap, { NOWHERE, 4096 } },
        { "madvise", BY_FILTER, FILTER_ONLY, SYS_madvise, { P(page), sizeof(page), MADV_NORMAL } },
        { "mlock", BY_FILTER, FILTER_ONLY, SYS_mlock, { P(page), sizeof(page) } },
        { "munlockall", BY_FILTER, FILTER_ONLY, SYS_munlockall, { 0 } },
        { "brk", BY_FILTER, FILTER_ONLY, .run = try_brk },
        { "mincore", BY_FILTER, FILTER_ONLY, SYS_mincore, { P(page), sizeof(page), P(page) } },
        { "mseal", BY_FILTER, FILTER_ONLY | NO_CONTROL, SYS_mseal, { P(page), sizeof(page), 0 } },
};

const struct attempt_group group_memory = { "memory", attempts, ELEMENTSOF(attempts) };
