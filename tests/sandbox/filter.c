/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking the kernel's copy of a filter costs nothing, so every number can be asked about with every fd. Trying them for real
 * takes a process for each, and that is done for those that an attacker would try (try-*.c).
 */

#include "tests/sandbox/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

static long get_filter(pid_t pid, unsigned long which, struct sock_filter *lines) {
        long n = ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, pid, which, lines);

        return n < 0 ? -errno : n;
}

static int read_stopped(struct filters *f, pid_t pid) {
        for (f->n = 0; f->n < FILTERS_MAX; f->n++) {
                long n = get_filter(pid, (unsigned long)f->n, f->filters[f->n].lines);

                if (n == -ENOENT)
                        return f->n;
                if (n < 0)
                        return (int)n;
                f->filters[f->n].n = (int)n;
        }
        return -E2BIG;
}

int filters_read(struct filters *f, pid_t pid) {
        int r;

        if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
            waitpid(pid, NULL, __WALL) < 0)
                return -errno;
        r = read_stopped(f, pid);
        (void)ptrace(PTRACE_DETACH, pid, 0, 0);
        return r;
}

/* The few kinds of lines that our filters are made of; another kind is an error, not a guess. */
static int run(const struct filter *f, const struct seccomp_data *data) {
        uint32_t value = 0;

        for (int i = 0; i < f->n; i++) {
                const struct sock_filter *line = &f->lines[i];

                switch (line->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        if (line->k > sizeof(*data) - sizeof(value))
                                return -EINVAL;
                        memcpy(&value, (const char *)data + line->k, sizeof(value));
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        i += value == line->k ? line->jt : line->jf;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        i += (value & line->k) != 0 ? line->jt : line->jf;
                        break;
                case BPF_RET | BPF_K:
                        return line->k == SECCOMP_RET_ALLOW;
                default:
                        return -EINVAL;
                }
        }
        return -EINVAL;
}

/* The strictest answer counts. */
int filters_allow(const struct filters *f, uint32_t architecture, uint32_t number, uint64_t first) {
        const struct seccomp_data data = {
                .nr = (int)number,
                .arch = architecture,
                .args = { first },
        };
        int r = 1;

        for (int i = 0; i < f->n && r > 0; i++)
                r = run(&f->filters[i], &data);
        return r;
}
