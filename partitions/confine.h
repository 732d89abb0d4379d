/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a confined process has left, besides stdin, stdout and stderr. */
struct confined {
        int device; /* to read from */
        int pipe;   /* to write to */
};

/* Gives up everything else, for good. To be called in a new process that is root and the first one of a pid namespace. Returns
 * 0 or a negative errno with what is missing in *what (static); then the process has to end, because half a confinement is
 * none. */
int confine(const struct confined *c, const char **what);
