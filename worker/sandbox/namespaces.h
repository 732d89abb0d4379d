/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which namespaces there are, for the step that leaves them and for the one that looks whether they were left. */

#include "worker/sandbox/sandbox.h"

/* As /proc names them. */
extern const char *const sandbox_namespaces[SANDBOX_NAMESPACE_COUNT];

/* The namespace of this process, "net:[4026531840]"; "" if that can't be read. */
void sandbox_read_namespace(const struct sandbox *s, size_t which, char ret[SANDBOX_LINK_SIZE]);
