/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every target must do, whatever its storage. */

#include "tests/unit/target-harness.h"

enum {
        SUITE_FORGETS = 1 << 0, /* what is written reads as zeroes */
};

/* Random requests of all kinds, each READ compared with a model in memory, and at the end the whole device.
 * A sector that was discarded may read as before or as zeroes until it is written again. */
void suite_random(struct harness *h, unsigned traits, unsigned seed);

/* Every tag at once, each on a part of its own. */
void suite_parallel(struct harness *h, unsigned traits);

/* Geometry and names are within what the worker and the kernel accept. */
void suite_geometry(struct harness *h);
