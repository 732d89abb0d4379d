/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fds are counted in /proc, because that sees the ones that nobody knows any more. */

#include "tests/unit/process-harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>

sd_event *new_event(void) {
        sigset_t signals;
        sd_event *event;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGCHLD);
        assert_int_equal(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
        assert_true(sd_event_new(&event) >= 0);
        return event;
}

int count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        int n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        (void)closedir(dir);
        return n;
}
