/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lists of worker/calls.c are those that were written down for this test (expected.c). Built without sanitizers, which
 * would add theirs. That the kernel does what the lists say, and that each entry is needed, is shown on a real one
 * (tests/vm/escape.sh).
 */

#include <stdio.h>
#include <unistd.h>

#include "tests/sandbox/expected.h"
#include "worker/calls.h"

enum { SOCKET = 10, REPORTS = 11, BACKING = 12 };

static bool is_same(const struct sandbox_call *call, const struct expected_call *expected) {
        static const uint32_t fds[_EXPECT_FD_MAX] = {
                [EXPECT_LOG] = STDERR_FILENO,
                [EXPECT_REPORTS] = REPORTS,
                [EXPECT_SOCKET] = SOCKET,
                [EXPECT_BACKING] = BACKING,
        };

        if (call->number != expected->number || call->error != 0)
                return false;
        if (expected->fd == EXPECT_ANY)
                return call->test == SANDBOX_ALWAYS;
        return call->test == SANDBOX_IS && call->argument == 0 && call->value == fds[expected->fd];
}

static int check(const struct expected_list *list) {
        const struct worker_fds fds = { SOCKET, REPORTS, list->has_backing ? BACKING : -1 };
        struct sandbox_call calls[SANDBOX_CALLS_MAX];
        size_t n = worker_calls(list->class, &fds, calls), i, k;
        int wrong = 0;

        for (i = 0; i < list->n; i++) {
                for (k = 0; k < n && !is_same(&calls[k], &list->calls[i]); k++)
                        ;
                if (k == n)
                        wrong += printf("%s: %s is not allowed\n", list->what,
                                        list->calls[i].name) > 0;
        }
        for (k = 0; k < n; k++) {
                for (i = 0; i < list->n && !is_same(&calls[k], &list->calls[i]); i++)
                        ;
                if (i == list->n)
                        wrong += printf("%s: call %u with %u is allowed\n", list->what,
                                        calls[k].number, calls[k].value) > 0;
        }
        expected_print(list);
        return wrong;
}

int main(void) {
        int wrong = 0;

        for (const struct expected_list *list = expected_lists; list->target; list++)
                wrong += check(list);
        return wrong > 0;
}
