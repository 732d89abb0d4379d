/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left of the system calls
 *
 * The program is a list of lines, tested one after the other, the frequent ones first. Whatever isn't on the list
 * kills the process: there is no code of ours that would call it, so somebody else does. The filter doesn't see what
 * a ring is asked to do; rings are restricted by themselves (lib/ublk/queue.c).
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

enum { LINE_LENGTH = 5, FILTER_MAX = 8 + LINE_LENGTH * SANDBOX_CALLS_MAX };

struct program {
        struct sock_filter code[FILTER_MAX];
        unsigned short length;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
        p->code[p->length++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

static void load(struct program *p, size_t offset) {
        add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static size_t lower_half(unsigned argument) {
        size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

        return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? offset : offset + sizeof(uint32_t);
}

/* The number of the call is loaded before each line, and still there after it if it was another. */
static void add_line(struct program *p, const struct sandbox_call *c) {
        uint32_t verdict =
                c->error > 0 ? SECCOMP_RET_ERRNO | (uint32_t)c->error : SECCOMP_RET_ALLOW;

        if (c->test == SANDBOX_ALWAYS) {
                add(p, BPF_JMP | BPF_JEQ | BPF_K, c->number, 0, 1);
                add(p, BPF_RET | BPF_K, verdict, 0, 0);
                return;
        }
        add(p, BPF_JMP | BPF_JEQ | BPF_K, c->number, 0, LINE_LENGTH - 1);
        load(p, lower_half(c->argument));
        if (c->test == SANDBOX_IS)
                add(p, BPF_JMP | BPF_JEQ | BPF_K, c->value, 0, 1);
        else if (c->test == SANDBOX_HAS)
                add(p, BPF_JMP | BPF_JSET | BPF_K, c->value, 0, 1);
        else
                add(p, BPF_JMP | BPF_JSET | BPF_K, c->value, 1, 0);
        add(p, BPF_RET | BPF_K, verdict, 0, 0);
        /* The same call may be listed again with something else. */
        load(p, offsetof(struct seccomp_data, nr));
}

/* The numbers of x32 are none of ours, so they need no line. */
static void make_filter(struct program *p, const struct sandbox_call *calls, size_t n_calls) {
        p->length = 0;
        load(p, offsetof(struct seccomp_data, arch));
        add(p, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCHITECTURE, 1, 0);
        add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        load(p, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < n_calls; i++)
                add_line(p, &calls[i]);
        add(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

/* The fd was opened before, because nothing can be opened after; the kernel writes its text at the time of the read. */
static int verify_filter(int status) {
        char text[8192];
        ssize_t n = read(status, text, sizeof(text) - 1);

        if (n < 0)
                return -errno;
        text[n] = 0;
        return strstr(text, "\nSeccomp:\t2\n") ? 0 : -EPERM;
}

static int install(const struct program *p) {
        const struct sock_fprog program = { .len = p->length,
                                            .filter = (struct sock_filter *)p->code };
        /* A positive result is a thread that could not be brought along. */
        long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);

        return r < 0 ? -errno : r > 0 ? -EBUSY : 0;
}

int sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n_calls) {
        struct program program;
        int r;

        s->what = "the filter of system calls can't be set";
        if (n_calls > SANDBOX_CALLS_MAX)
                return -E2BIG;
        make_filter(&program, calls, n_calls);
        /* Before, because the last filter leaves no way to do it. */
        if (lseek(s->status, 0, SEEK_SET) < 0)
                return -errno;
        r = install(&program);
        if (r < 0)
                return sandbox_miss(s, SANDBOX_SECCOMP, r);
        r = verify_filter(s->status);
        if (r < 0)
                return r;
        s->what = NULL;
        return 0;
}
