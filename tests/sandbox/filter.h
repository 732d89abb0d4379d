/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The filters of system calls of another process, as the kernel has them. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FILTERS_MAX = 4 };

struct filters {
        struct filter {
                struct sock_filter lines[BPF_MAXINSNS];
                int n;
        } filters[FILTERS_MAX];
        int n;
};

/* Reads those that a process has. Returns how many, or a negative errno. */
int filters_read(struct filters *f, pid_t pid);

/* Whether they let a call through, 0 or 1; -EINVAL: they do what this doesn't understand. */
int filters_allow(const struct filters *f, uint32_t architecture, uint32_t number, uint64_t first);
