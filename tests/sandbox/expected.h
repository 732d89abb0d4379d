/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls of a worker at steady state, written down a second time
 *
 * So that none comes in by the way: whoever adds one adds it here as well, with whoever reviews it looking. Compared with what
 * the worker says (test-calls.c) and with what the kernel does (escape-run.c, mode "calls").
 */

#include <stddef.h>

#include "worker/targets/target.h"

enum expected_fd {
        EXPECT_ANY,
        EXPECT_LOG,
        EXPECT_REPORTS,
        EXPECT_SOCKET,
        EXPECT_BACKING,
        _EXPECT_FD_MAX,
};

extern const char *const expected_fds[_EXPECT_FD_MAX];

struct expected_call {
        const char *name;
        unsigned number;
        enum expected_fd fd;
};

struct expected_list {
        const char *target; /* which shows it */
        const char *what;
        enum target_class class;
        bool has_backing; /* while it serves */
        const struct expected_call *calls;
        size_t n;
};

/* NULL at the end as target. */
extern const struct expected_list expected_lists[];

/* Distinct calls, and all their names. */
void expected_print(const struct expected_list *list);
