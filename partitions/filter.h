/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From here on this process may make only the system calls that reading a partition table from `device` and writing to
 * `pipe` needs; for good. no_new_privs
 * must be set. Returns 0 or a negative errno. */
int filter_system_calls(int device, int pipe);
