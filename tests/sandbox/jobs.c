/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes and not threads, because the jobs fork. */

#include "tests/sandbox/jobs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int jobs_run(int (*job)(void *userdata, int number), void *userdata) {
        pid_t pids[JOBS];
        int failed = 0;

        (void)fflush(stdout);
        for (int i = 0; i < JOBS; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        int r = job(userdata, i);

                        (void)fflush(stdout);
                        _exit(r < 0);
                }
        }
        for (int i = 0; i < JOBS; i++) {
                int status = 1;

                if (pids[i] > 0)
                        (void)waitpid(pids[i], &status, 0);
                failed += status != 0;
        }
        return failed ? -ECHILD : 0;
}
