/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an attempt went, from what its worker wrote and how that ended. */

#include "tests/sandbox/attempt.h"
#include "tests/sandbox/subject.h"

enum outcome {
        OUTCOME_NONE, /* nothing is known of it: it was not made, or its process ended in another way */
        OUTCOME_KILLED,  /* by the filter */
        OUTCOME_REFUSED, /* with an errno */
        OUTCOME_WORKED,
};

struct verdict {
        enum outcome outcome;
        int error;         /* of OUTCOME_REFUSED */
        const char *wrong; /* why that isn't as it must be; NULL: it is */
};

struct verdict judge(const struct attempt *a, enum attempt_mode mode, const struct subject *s);

const char *outcome_to_string(enum outcome outcome);
