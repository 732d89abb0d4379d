/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connects to the manager's socket at `path`. Returns an fd or a negative errno. Whoever calls this is the process that the
 * manager watches from then on. */
int connect_to_manager(const char *path);
