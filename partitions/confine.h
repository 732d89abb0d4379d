/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gives up everything but reading `device` and writing to `pipe`, and all other fds; for good. To be called in a new process
 * that is root in the namespaces of the machine and, by clone3(), in CONFINE_NAMESPACES of its own. On success *device and
 * *pipe are the fds' new numbers. Returns 0 or a negative errno, with the step's name in *what; then the process has to end,
 * because half a confinement is none. */
int confine(int *device, int *pipe, const char **what);

/* For clone3(). */
#define CONFINE_NAMESPACES \
        (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP)
