/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Work shared by a few processes: most of the time of a worker's short life is spent waiting for the kernel. */

enum { JOBS = 4 };

/* Runs job(userdata, 0 … JOBS-1), each in a process, and waits. Returns 0 if all returned 0, or a negative errno. */
int jobs_run(int (*job)(void *userdata, int number), void *userdata);
