/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way back of plan_to_json(), for the client that shows what the manager planned or did. */

#include "lib/spec/plan.h"

/* Reads a plan. `spec` of its actions stays NULL, as it isn't part of the JSON. Fields that this program
 * doesn't know are left out. Returns 0, -EINVAL (this is no plan) or -ENOMEM. */
int plan_from_json(const char *json, struct plan **ret);
