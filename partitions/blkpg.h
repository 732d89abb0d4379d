/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's partitions of one disk: which it has, and making them those of a table. */

#include <stdint.h>

#include "partitions/table.h"

struct disk {
        int fd;           /* opened for reading */
        const char *name; /* "ublkb3" */
        uint64_t sectors; /* of 512 bytes, as everywhere here */
        unsigned block_sectors;
};

/* Makes the kernel's partitions those of the table (empty: none). What is right already is left alone, so that its users
 * don't notice; what the table says and the disk can't have is left out with a warning. Goes on after a failure and
 * returns the first one: 0 or a negative errno. */
int blkpg_sync(const struct disk *disk, const struct table *table);

/* Asks the kernel for one more uevent of the disk. udev works on a disk and its partitions in order, so when it has
 * finished with this one, which carries the mark SYNTH_ARG_UBLK=partitions, it has finished with all of them. Returns 0 or a
 * negative errno. */
int blkpg_announce(const struct disk *disk);
