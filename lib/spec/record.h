/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A device on record
 *
 * What a manager writes down about a device so that the next one knows it: what the kernel can't tell (name,
 * spec, where it came from). One JSON file a device, in the manager's runtime folder.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/spec/spec.h"

struct record {
        uint32_t id;
        uint32_t instance; /* the random part of the kernel device's cookie */
        uint32_t worker_pid;
        uint64_t worker_identity; /* the inode of its pidfd: no other process has it */
        char *worker_unit;        /* that it runs in; NULL: none of its own */
        uint64_t backing_device, backing_inode; /* which file the backing is; 0: none */
        bool backing_writable;
        uint64_t creation_usec;
        char *origin;
        struct spec *spec; /* as it was asked for, without defaults */
};

/* Writes it as one JSON object. Returns 0 or -ENOMEM. */
int record_to_json(const struct record *record, char **ret);

/* Reads it back; *ret is to be freed with record_done(). Returns 0, -EINVAL or -ENOMEM. */
int record_from_json(const char *text, size_t size, struct record *ret);

void record_done(struct record *record);
