/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The half that reads, seen from the half that acts: a process that is started, heard to its end within a time limit,
 * and killed. */

#include <stdint.h>

#include "partitions/table.h"

/* Runs inner(pipe, userdata) in a process of its own, made with these additional flags of clone3() (namespaces), and
 * collects the table that it writes. Its exit code counts, too: one that says END and then crashes is refused. Returns 0,
 * -ETIMEDOUT, -EBADMSG (what it said is no table), -ECHILD (it crashed) or another negative errno. */
int inner_run(int (*inner)(int pipe, void *userdata), void *userdata, uint64_t clone_flags,
              uint64_t timeout_usec, struct table *ret);
