/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who uses a disk: mounts, swap, and devices stacked on it (device mapper, md …).
 *
 * Read from /proc and /sys, never by opening the disk: opening may wait for the very worker whose device is
 * asked about. A process that merely has the disk open is not seen.
 */

#include <stdint.h>

/* Describes the users of /dev/ublkb<id> and its partitions ("mounted on /srv, used by dm-0"); *ret is NULL
 * when there are none. Returns 0 or a negative errno. */
int disk_users(uint32_t id, char **ret);
