/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The name of a worker that makes no attempt and whose filter has all entries. */
#define SERVES_WITH_ALL "without.96"

/* Leaves out one entry of the filter after the other and lives a whole life of a worker with the rest. Returns 0 if
 * each of these lives was cut short, and the one with all entries was not. */
int run_without(const char *program, const char *target);
