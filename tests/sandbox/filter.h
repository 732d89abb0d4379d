/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The filter of system calls of another process, as the kernel has it. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct filter {
        struct sock_filter lines[BPF_MAXINSNS];
        int n;
};

/* Reads the one that a process has. Returns 0 or a negative errno; it is -E2BIG if there are two. */
int filter_read(struct filter *f, pid_t pid);

/* Whether it lets a call through, 0 or 1; -EINVAL: it does what this doesn't understand. */
int filter_allows(const struct filter *f, uint32_t architecture, uint32_t number, uint64_t first);
