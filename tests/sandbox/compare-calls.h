/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compares what the kernel allows to a worker that serves with the list that was written down. 0 or a negative errno. */
int run_calls(const char *program, const char *target);
