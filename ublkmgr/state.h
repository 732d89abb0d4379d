/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager writes down, and how the next one takes over
 *
 * The kernel says which devices exist, the records what they are. A device that is marked as ours and on
 * record is taken over as it is; its worker serves on without noticing.
 */

#include "ublkmgr/device.h"

/* Writes (with this spec) and removes a device's record. Return 0 or a negative errno. */
int state_write(const struct device *d, const struct spec *spec);
int state_remove(const struct device *d);

/* Begins to look for devices of an earlier manager. manager.adopting says how many are still being asked
 * about. Returns 0 or a negative errno. */
int state_adopt(struct manager *m);
