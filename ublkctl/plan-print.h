/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plan for people: a line for each action, then one that counts. */

#include "lib/spec/plan.h"
#include "ublkctl/arguments.h"

/* Returns EXIT_FAILURE when something failed, is blocked or has errors. Prints nothing with --json,
 * and with --quiet only what went wrong. reported: whether the errors of a file were said already. */
int plan_print(const struct arguments *arguments, const struct plan *plan,
               bool (*reported)(const char *path, const void *userdata), const void *userdata);
