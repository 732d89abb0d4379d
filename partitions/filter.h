/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "worker/sandbox/sandbox.h"

/* From here on this process may make only the system calls that reading a partition table from `device` and writing to
 * `pipe` needs; for good. After sandbox_verify(). Returns 0 or a negative errno. */
int filter_system_calls(struct sandbox *s, int device, int pipe);
