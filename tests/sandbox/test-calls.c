/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system calls of a worker at steady state, written down a second time
 *
 * So that none comes in by the way: whoever adds one adds it here as well, with whoever reviews it looking. Built without
 * sanitizers, which would add theirs. That each one is needed is shown on a real kernel (scenario.c).
 */

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/calls.h"

enum { SOCKET = 10, REPORTS = 11, BACKING = 12, ANY = SANDBOX_ANY_FD };

struct expected {
        const char *name;
        unsigned number;
        int fd;
};

#define CALL(name, fd) \
        { #name, SYS_##name, fd }

#ifdef SYS_poll
#define WAIT CALL(poll, ANY)
#else
#define WAIT CALL(ppoll, ANY)
#endif

#define COMMON                                                                       \
        CALL(io_uring_enter, ANY), CALL(write, REPORTS), CALL(write, STDERR_FILENO), \
                CALL(read, ANY), WAIT, CALL(recvmsg, SOCKET), CALL(sendmsg, SOCKET), \
                CALL(close, ANY), CALL(restart_syscall, ANY), CALL(exit_group, ANY)

static const struct expected null_calls[] = { COMMON };
static const struct expected ram_calls[] = { COMMON, CALL(pwrite64, BACKING),
                                             CALL(fallocate, BACKING) };
static const struct expected file_calls[] = { COMMON };
static const struct expected network_calls[] = { COMMON, CALL(getrandom, ANY) };

static const struct {
        const char *what;
        enum target_class class;
        int backing;
        const struct expected *calls;
        size_t n;
} lists[] = {
        { "memory", TARGET_CLASS_MEMORY, -1, null_calls, ELEMENTSOF(null_calls) },
        { "memory with a memfd", TARGET_CLASS_MEMORY, BACKING, ram_calls, ELEMENTSOF(ram_calls) },
        { "file", TARGET_CLASS_FILE, -1, file_calls, ELEMENTSOF(file_calls) },
        { "network", TARGET_CLASS_NETWORK, -1, network_calls, ELEMENTSOF(network_calls) },
};

static bool is_allowed(const struct sandbox_call *calls, size_t n, unsigned number, int fd) {
        for (size_t i = 0; i < n; i++)
                if (calls[i].number == number && calls[i].fd == fd)
                        return true;
        return false;
}

static bool is_expected(const struct expected *calls, size_t n, unsigned number, int fd) {
        for (size_t i = 0; i < n; i++)
                if (calls[i].number == number && calls[i].fd == fd)
                        return true;
        return false;
}

static size_t count_numbers(const struct sandbox_call *calls, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                size_t k = 0;

                while (calls[k].number != calls[i].number)
                        k++;
                count += k == i;
        }
        return count;
}

static int check(size_t which) {
        const struct worker_fds fds = { SOCKET, REPORTS, lists[which].backing };
        const struct expected *expected = lists[which].calls;
        struct sandbox_call calls[WORKER_CALLS_MAX];
        size_t n = worker_calls(lists[which].class, &fds, calls);
        int wrong = 0;

        for (size_t i = 0; i < lists[which].n; i++)
                if (!is_allowed(calls, n, expected[i].number, expected[i].fd)) {
                        printf("%s: %s is not allowed\n", lists[which].what, expected[i].name);
                        wrong++;
                }
        for (size_t i = 0; i < n; i++)
                if (!is_expected(expected, lists[which].n, calls[i].number, calls[i].fd)) {
                        printf("%s: call %u on fd %d is allowed\n", lists[which].what,
                               calls[i].number, calls[i].fd);
                        wrong++;
                }
        printf("a %s worker may make %zu system calls:", lists[which].what,
               count_numbers(calls, n));
        for (size_t i = 0; i < lists[which].n; i++)
                printf(" %s", expected[i].name);
        (void)putchar('\n');
        return wrong;
}

int main(void) {
        int wrong = 0;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                wrong += check(i);
        return wrong > 0;
}
