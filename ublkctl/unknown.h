/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What to say about a verb or an option that doesn't exist. Both return the exit status. verb: whose options
 * to guess from; NULL: all. */

#include "ublkctl/verbs.h"

int unknown_verb(const char *name);
int unknown_option(const struct verb *verb, const char *argument);
