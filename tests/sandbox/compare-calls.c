/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The filters of a worker that serves are read back from the kernel and asked about every number with every fd that the worker
 * has or might have. Compared with what was written down (expected.c), both ways.
 */

#include "tests/sandbox/compare-calls.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/expected.h"
#include "tests/sandbox/filter.h"
#include "tests/sandbox/scenario.h"
#include "tests/sandbox/subject.h"
#include "worker/sandbox/architecture.h"

/* Twice what the kernels of these years have. x86 has a second set of numbers. */
enum {
        SUBJECT_UID = 1898000,
        NUMBERS = 1024,
        X32 = 0x40000000,
        FDS = 64,
        SOCKET_FD = 3,
        FILTERS = 2
};

struct comparison {
        const struct expected_list *list;
        pid_t pid;
        struct filters filters;
        size_t found; /* entries of the list */
        int wrong;
};

static const struct expected_list *find_list(const char *target) {
        const struct expected_list *list = expected_lists;

        while (list->target && !streq(list->target, target))
                list++;
        return list->target ? list : NULL;
}

/* What an fd of the worker is. Its pipes are the log, and the one between its threads. */
static const char *name_fd(pid_t pid, int fd) {
        char path[64], link[64] = "";
        struct stat st;

        if (fd == STDERR_FILENO)
                return expected_fds[EXPECT_LOG];
        if (fd == SOCKET_FD)
                return expected_fds[EXPECT_SOCKET];
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        if (fd < SOCKET_FD || readlink(path, link, sizeof(link) - 1) < 0 || lstat(path, &st) < 0)
                return "another";
        if (strstr(link, "memfd:"))
                return expected_fds[EXPECT_BACKING];
        if (strncmp(link, "pipe:", 5) == 0 && (st.st_mode & S_IWUSR))
                return expected_fds[EXPECT_REPORTS];
        return "another";
}

static void judge_call(struct comparison *c, uint32_t number, const char *fd) {
        for (size_t i = 0; i < c->list->n; i++)
                if (c->list->calls[i].number == number &&
                    streq(expected_fds[c->list->calls[i].fd], fd)) {
                        c->found++;
                        return;
                }
        printf("WRONG: call %u is allowed, fd: %s\n", number, fd);
        c->wrong++;
}

static void ask(struct comparison *c, uint32_t number) {
        /* A filter that looks at half of the argument takes this for 2, as the kernel does. */
        const uint64_t high_log = (UINT64_C(1) << 32) | STDERR_FILENO;
        const uint64_t none = UINT32_MAX;
        int r = filters_allow(&c->filters, SANDBOX_ARCHITECTURE, number, none);

        if (r < 0 || filters_allow(&c->filters, SANDBOX_ARCHITECTURE ^ 1, number, none) != 0)
                c->wrong += printf("WRONG: call %u, in general or of others\n", number) > 0;
        if (r > 0) {
                judge_call(c, number, expected_fds[EXPECT_ANY]);
                return;
        }
        for (int fd = 0; fd < FDS; fd++)
                if (filters_allow(&c->filters, SANDBOX_ARCHITECTURE, number, (uint64_t)fd) != 0)
                        judge_call(c, number, name_fd(c->pid, fd));
        if (filters_allow(&c->filters, SANDBOX_ARCHITECTURE, number, high_log) !=
            filters_allow(&c->filters, SANDBOX_ARCHITECTURE, number, STDERR_FILENO))
                c->wrong += printf("WRONG: call %u, upper half of its argument\n", number) > 0;
}

static int compare(struct comparison *c) {
        int r = filters_read(&c->filters, c->pid);

        if (r >= 0 && r != FILTERS)
                r = -EPERM;
        if (r < 0) {
                printf("WRONG: the filters can't be read back: %s\n", strerror(-r));
                return r;
        }
        for (uint32_t number = 0; number < NUMBERS; number++) {
                ask(c, number);
                ask(c, number | X32);
        }
        ask(c, UINT32_MAX);
        if (c->found != c->list->n)
                c->wrong += printf("WRONG: %zu entries are expected, %zu are allowed\n", c->list->n,
                                   c->found) > 0;
        return c->wrong > 0 ? -EPERM : 0;
}

int run_calls(const char *program, const char *target) {
        const struct subject_config config = {
                .program = program,
                .name = SERVES_WITH_ALL,
                .target = target,
                .uid = SUBJECT_UID,
        };
        static struct comparison c;
        struct devices devices;
        struct subject s;
        int r, q;

        c.list = find_list(target);
        if (!c.list)
                return -EINVAL;
        r = devices_open(&devices);
        if (r < 0)
                return r;
        r = subject_start(&s, &devices, &config);
        c.pid = s.pid;
        if (r >= 0)
                r = compare(&c);
        q = subject_end(&s, &devices);
        devices_close(&devices);
        if (r < 0 && !c.wrong)
                printf("WRONG: the worker did not get that far: %s\n", s.log);
        expected_print(c.list);
        return r < 0 ? r : q;
}
