/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who uses a disk: mounts, swap, and devices stacked on it (device mapper, md …).
 *
 * Nothing here waits: opening a disk may wait for the very worker whose device is asked about, so that is done in the
 * ring.
 */

#include <stdint.h>

#include "lib/ublk/ring.h"

/* Describes the users of /dev/ublkb<id> and its partitions ("mounted on /srv, used by dm-0"); *ret is NULL
 * when there are none. Returns 0 or a negative errno. */
int disk_users(uint32_t id, char **ret);

/* The same for its partitions alone. */
int partition_users(uint32_t id, char **ret);

/* Begins to open the disk so that nobody else may use it at the same time: done() gets an fd, which the caller has
 * to close, or -EBUSY. Returns 0 or a negative errno. */
int disk_open_exclusive(struct ring *ring, uint32_t id, uint64_t timeout_usec, ring_done done,
                        void *userdata, struct ring_op **ret);
