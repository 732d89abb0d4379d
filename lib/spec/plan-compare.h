/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of planning that looks at one device's two states; only plan.c uses it. */

#include "lib/spec/plan.h"

/* Fills in the changes from `before` to action->spec (both with defaults); *ret is the verb that
 * they need. Returns 0 or -ENOMEM. */
int plan_compare(struct plan_action *action, const struct spec *before, enum plan_verb *ret);

/* The changed keys of at least this class, for people: "path, queues". Returns 0 or -ENOMEM. */
int plan_join_changes(const struct plan_action *action, enum spec_change least, char **ret);
