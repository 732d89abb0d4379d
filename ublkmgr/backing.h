/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The backing of a device: the file, block device or memory that its data lies in
 *
 * The manager opens it (or is given it), finds out what it is, and hands the fd to the worker. It never reads
 * or writes it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/spec/spec.h"
#include "lib/ublk/ring.h"
#include "lib/wire/wire.h"

struct backing {
        int fd;       /* -EBADF: none, or handed over already */
        dev_t device; /* with inode: which file this is; for a block device, its number and 0 */
        ino_t inode;
        bool writable;
        struct wire_backing info;
};

#define BACKING_NULL ((struct backing){ .fd = -EBADF })

/* Opens spec's path without waiting: done() gets the fd as result. */
int backing_open(struct ring *ring, const struct spec *spec, uint64_t timeout_usec, ring_done done,
                 void *userdata, struct ring_op **ret);

/* A file that a caller opened is opened once more: its flags are the caller's to change at any time (O_APPEND!), and a
 * block device isn't claimed, so it could be mounted or become so. False: b->fd is nothing that could be opened so,
 * and backing_examine() will say why. */
bool backing_needs_claim(const struct backing *b, const struct spec *spec);
int backing_claim(struct ring *ring, const struct backing *b, const struct spec *spec,
                  uint64_t timeout_usec, ring_done done, void *userdata, struct ring_op **ret);

/* Anonymous memory of the size that the spec says. Returns an fd or a negative errno. */
int backing_new_memory(const struct spec *spec, const char *name);

/* Checks that b->fd is something that this spec can be served from (type, access mode) and fills in the
 * rest; switches direct I/O on where the spec wants it. Returns 0 or a negative errno with *what set to what
 * a person should do about it (a static string; NULL: the errno says all). */
int backing_examine(struct backing *b, const struct spec *spec, const char **what);

/* Whether both are the same file or block device and one of them writes to it. */
bool backing_conflicts(const struct backing *a, const struct backing *b);
