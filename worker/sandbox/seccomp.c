/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left of the system calls
 *
 * The program is a list of numbers, tested one after the other, the frequent ones first. Whatever isn't on the list
 * kills the process: there is no code of ours that would call it, so somebody else does. The filter doesn't see what
 * a ring is asked to do; rings are restricted by themselves (lib/ublk/queue.c), and no others can be made.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "worker/sandbox/architecture.h"
#include "worker/sandbox/sandbox.h"

/* The first argument is 64 bits wide; an fd is its lower half. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FD_OFFSET (offsetof(struct seccomp_data, args[0]) + 4)
#else
#define FD_OFFSET offsetof(struct seccomp_data, args[0])
#endif

enum { CALLS_MAX = 64, FILTER_MAX = 8 + 5 * CALLS_MAX };

static void add(struct sock_filter *filter, unsigned *n, uint16_t code, uint32_t k, uint8_t yes,
                uint8_t no) {
        filter[(*n)++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

/* The number of the call is loaded before each one, and still there after it if it was another. */
static unsigned make_filter(const struct sandbox_call *calls, size_t n_calls,
                            struct sock_filter *filter) {
        unsigned n = 0;

        add(filter, &n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        add(filter, &n, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCHITECTURE, 1, 0);
        add(filter, &n, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        add(filter, &n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        for (size_t i = 0; i < n_calls; i++) {
                if (calls[i].fd == SANDBOX_ANY_FD) {
                        add(filter, &n, BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
                        add(filter, &n, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
                        continue;
                }
                add(filter, &n, BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 4);
                add(filter, &n, BPF_LD | BPF_W | BPF_ABS, FD_OFFSET, 0, 0);
                add(filter, &n, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].fd, 0, 1);
                add(filter, &n, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
                /* Another fd: the same call may be listed again with that one. */
                add(filter, &n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        }
        add(filter, &n, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        return n;
}

/* Opened before, because nothing can be opened after; the kernel writes its text at the time of the read. */
static int verify_filter(int status) {
        char text[8192];
        ssize_t n = read(status, text, sizeof(text) - 1);

        if (n < 0)
                return -errno;
        text[n] = 0;
        return strstr(text, "\nSeccomp:\t2\n") ? 0 : -EPERM;
}

static int install(const struct sock_fprog *program) {
        /* A positive result is a thread that could not be brought along. */
        long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);

        return r < 0 ? -errno : r > 0 ? -EBUSY : 0;
}

int sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n_calls) {
        struct sock_filter filter[FILTER_MAX];
        struct sock_fprog program = { .filter = filter };
        _cleanup_close_ int status = openat(s->proc, "self/status", O_RDONLY | O_CLOEXEC);
        int r;

        s->what = "the filter of system calls can't be set";
        if (n_calls > CALLS_MAX)
                return -E2BIG;
        if (status < 0)
                return -errno;
        s->proc = safe_close(s->proc);

        program.len = (unsigned short)make_filter(calls, n_calls, filter);
        r = install(&program);
        if (r < 0)
                return sandbox_miss(s, SANDBOX_SECCOMP, r);
        r = verify_filter(status);
        if (r < 0)
                return r;
        s->what = NULL;
        return 0;
}
