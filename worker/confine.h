/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The steps of a worker's confinement (worker/sandbox/sandbox.h) as steps of its life. Each returns 0 or a negative
 * errno. */

#include "worker/worker.h"

int confine_limits(struct worker *w);
int confine_identity(struct worker *w);

/* May go on in a child; this process then ends once the child serves. */
int confine_namespaces(struct worker *w);

int confine_root(struct worker *w);
int confine_memory(struct worker *w);
int confine_fds(struct worker *w);
int confine_capabilities(struct worker *w);

/* Whether all of that holds. */
int confine_verify(struct worker *w);

/* From now on nothing can be reached that isn't there already. */
int confine_setup_calls(struct worker *w);

/* Whether what is missing may be missing, as CONFIG says. */
int confine_check(struct worker *w);

/* After the queues stand: what is left is what serving needs. */
int confine_calls(struct worker *w);
