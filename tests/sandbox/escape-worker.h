/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the worker under test share. */

#include "tests/sandbox/attempt.h"

/* Set by the first step of the worker, before there is a second thread. */
enum escape_role {
        ROLE_SERVE, /* like any other worker */
        ROLE_ONE,   /* one attempt */
        ROLE_ALL,   /* all that don't need a process of their own */
};
extern enum escape_role escape_role;
extern const struct attempt *escape_attempt; /* of ROLE_ONE */
extern struct attempt_context escape_context;

/* Set when the worker is confined and has sent READY. */
extern bool escape_serving;

/* Make what there is to make, write to the log how it went, and end the process. */
_Noreturn void escape_make_one(void);
_Noreturn void escape_make_all(void);
