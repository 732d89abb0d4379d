/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager's own settings: what ublkmgr.conf(5) says. The same JSON as device files, read as strictly. */

#include <stddef.h>

#include "lib/spec/error.h"

enum settings_spawner {
        SETTINGS_SPAWNER_AUTO,
        SETTINGS_SPAWNER_SYSTEMD,
        SETTINGS_SPAWNER_EXEC,
        _SETTINGS_SPAWNER_MAX,
};

/* Parts of a worker's confinement that may be allowed to be missing. In the order of enum wire_confinement. */
enum settings_part {
        SETTINGS_IO_FLUSHER,
        SETTINGS_MEMORY_LOCK,
        SETTINGS_OOM_SCORE,
        SETTINGS_OWN_USER,
        SETTINGS_NAMESPACES,
        SETTINGS_PID_NAMESPACE,
        SETTINGS_RING_RESTRICTIONS,
        SETTINGS_SYSTEM_CALL_FILTER,
        _SETTINGS_PART_MAX,
};

struct settings {
        enum settings_spawner spawner;
        unsigned allow_missing; /* mask of 1 << enum settings_part */
};

/* What holds when there is no file, and when there is a wrong one: nothing may be missing. */
#define SETTINGS_DEFAULT ((struct settings){ .spawner = SETTINGS_SPAWNER_AUTO })

/* "auto", "systemd", "exec"; "ioFlusher" … */
const char *settings_spawner_to_string(enum settings_spawner spawner);
const char *settings_part_to_string(enum settings_part part);

/* Reads the text of a file. All of its errors are added to `errors` at once, and then nothing in it counts: *ret is
 * SETTINGS_DEFAULT. Returns 0, -EINVAL (errors added) or -ENOMEM. */
int settings_parse(const char *text, size_t size, struct settings *ret, struct spec_errors *errors);
