/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A kernel for tests
 *
 * Behaves like the ublk driver as far as the manager sees it: ids, states, errors, one opening of a device at
 * a time, and that it notices when the last copy of a device's fd is closed. A device's fd is one end of a
 * socket pair: the worker's double sees the device stop by the end of the connection, and this side sees the
 * worker die by the same means. Linked by tests only.
 */

#include <systemd/sd-event.h>

#include "lib/ublk/ctrl.h"

/* failures: "COMMAND:ERRNO[*N][,…]", such as "start-dev:5", or "start-dev:hang" for a command that never comes
 * back; with "*N" only the first N times. NULL: none. Borrowed. UBLK_FAKE_HASTE=N in the environment makes
 * the time of commands that hang pass N times as fast. */
int ublk_ctrl_fake_new(sd_event *event, const char *failures, struct ublk_ctrl **ret);
