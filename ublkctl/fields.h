/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of `add` as a spec. */

#include "ublkctl/arguments.h"

/* Returns the exit status; all that is wrong was said. The spec is checked and has no defaults. */
int fields_to_spec(const struct arguments *arguments, struct spec **ret);
