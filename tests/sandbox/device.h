/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ublk devices of a test that waits for everything: commands one after the other, in a small ring. */

#include <liburing.h>

#include "lib/ublk/abi.h"

struct devices {
        struct io_uring ring;
        int control;
};

int devices_open(struct devices *d);
void devices_close(struct devices *d);

/* Adds a device of one queue and opens its /dev/ublkcN. */
int device_add(struct devices *d, struct ublk_dev_info *ret_info, int *ret_fd);

/* Tells the size of a device whose worker is ready, and makes it a disk. */
int device_start(struct devices *d, uint32_t id, uint64_t bytes);

/* Ends a disk in an orderly way; its worker sees that. */
int device_stop(struct devices *d, uint32_t id);

/* Waits until nobody has the device any more. */
int device_delete(struct devices *d, uint32_t id);
