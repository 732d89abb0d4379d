/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* udev's part of a device
 *
 * udev learns a device's name from a file that is written before START_DEV, so that the very first uevent
 * already carries it; and a device is only ready for its user when udev has made its links. One monitor
 * for the manager's life listens for udev's own messages. On a machine where udev doesn't run (a container,
 * an initrd, the tests), there is nothing to wait for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct udev;
struct udev_wait;

typedef void (*udev_done)(void *userdata);

/* folder: where identity files go, borrowed. listen: whether to look for udev at all. */
int udev_new(sd_event *event, const char *folder, bool listen, struct udev **ret);
struct udev *udev_free(struct udev *u);

/* Writes and removes the identity of /dev/ublkb<id>. It is removed only if it is still that of `name`
 * (NULL: whoever's): when a device has failed, the kernel gives its id to another one. Return 0 or a negative
 * errno. */
int udev_write_identity(struct udev *u, uint32_t id, const char *name, uint32_t owner_uid);
int udev_remove_identity(struct udev *u, uint32_t id, const char *name);

/* Waits until udev has finished with the disk /dev/ublkb<id>: set up and named (present), or gone.
 * Returns 1 when it is so already (or nothing is to be waited for: done() is not called), 0 when done() will
 * be called, or a negative errno. Waiting for its end has to begin before the device is stopped. */
int udev_wait(struct udev *u, uint32_t id, bool present, const char *name, udev_done done,
              void *userdata, struct udev_wait **ret);

/* Waits until udev has finished with the partitions of the disk that a helper has changed (ublk-partitions announces the
 * end of that). Has to begin before the helper. Returns as udev_wait(). */
int udev_wait_partitions(struct udev *u, uint32_t id, udev_done done, void *userdata,
                         struct udev_wait **ret);

/* Stops waiting. NULL is fine; returns NULL. */
struct udev_wait *udev_wait_free(struct udev_wait *w);

/* The disk's sequence number, which no other disk since boot has; 0: not known. */
uint64_t udev_diskseq(uint32_t id);
