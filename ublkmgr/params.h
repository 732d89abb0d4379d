/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what a worker says about its device to what the kernel is told about it. */

#include "lib/spec/spec.h"
#include "lib/ublk/abi.h"
#include "lib/wire/wire.h"

/* Checks a geometry (which wire_check() has let pass) against the spec and the kernel device that it is for,
 * because a worker may only describe the device that it was told to serve. backing_bytes is the size of the backing,
 * for targets that have one. Returns 0 or -EBADMSG, with *what
 * set to a static description. */
int geometry_check(const struct wire_geometry *g, const struct spec *spec, uint64_t backing_bytes,
                   const char **what);

/* Makes the parameters of SET_PARAMS. */
void geometry_to_params(const struct wire_geometry *g, const struct ublk_dev_info *info,
                        bool read_only, struct ublk_params *ret);
