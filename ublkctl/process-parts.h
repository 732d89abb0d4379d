/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts that process_read() is made of, for process*.c only. */

#include "ublkctl/process.h"

/* Reads FOLDER/NAME, of /proc. Returns as read_file(). */
int process_read_file(const char *folder, const char *name, char **ret);

/* What each thread has of its own, put together. folder: that of the process. Returns 0, -ESRCH (no thread is
 * left), -EACCES or -ENOMEM. */
int process_read_threads(struct process *p, const char *folder);

/* Returns 0, also when they aren't shown, or -ENOMEM. */
int process_read_fds(struct process *p, const char *folder);
