/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The second list. Also in docs/sandbox.md, in numbers. */

#include "tests/sandbox/expected.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"

const char *const expected_fds[_EXPECT_FD_MAX] = {
        [EXPECT_ANY] = "any",       [EXPECT_LOG] = "log",         [EXPECT_REPORTS] = "reports",
        [EXPECT_SOCKET] = "socket", [EXPECT_BACKING] = "backing",
};

#define CALL(name, fd) \
        { #name, SYS_##name, EXPECT_##fd }

#ifdef SYS_poll
#define WAIT CALL(poll, ANY)
#else
#define WAIT CALL(ppoll, ANY)
#endif

#define COMMON                                                                                    \
        CALL(io_uring_enter, ANY), CALL(write, REPORTS), CALL(write, LOG), CALL(read, ANY), WAIT, \
                CALL(recvmsg, SOCKET), CALL(sendmsg, SOCKET), CALL(close, ANY),                   \
                CALL(restart_syscall, ANY), CALL(exit_group, ANY)

static const struct expected_call null_calls[] = { COMMON };
static const struct expected_call ram_calls[] = { COMMON, CALL(pwrite64, BACKING),
                                                  CALL(fallocate, BACKING) };
static const struct expected_call file_calls[] = { COMMON };
static const struct expected_call network_calls[] = { COMMON, CALL(getrandom, ANY) };

#define LIST(target, what, class, backing, calls) \
        { target, what, class, backing, calls, ELEMENTSOF(calls) }

const struct expected_list expected_lists[] = {
        LIST("null", "memory (null)", TARGET_CLASS_MEMORY, false, null_calls),
        LIST("ram", "memory", TARGET_CLASS_MEMORY, true, ram_calls),
        LIST("loop", "file", TARGET_CLASS_FILE, false, file_calls),
        LIST("network", "network", TARGET_CLASS_NETWORK, false, network_calls),
        { 0 },
};

static bool was_before(const struct expected_list *list, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (list->calls[k].number == list->calls[i].number)
                        return true;
        return false;
}

void expected_print(const struct expected_list *list) {
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++)
                n += !was_before(list, i);
        printf("# a %s worker may make %zu system calls:", list->what, n);
        for (size_t i = 0; i < list->n; i++)
                if (!was_before(list, i))
                        printf(" %s", list->calls[i].name);
        (void)putchar('\n');
}
