/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Telling the service manager, by its protocol (sd_notify(3)), what this process does. Without one, that is without
 * $NOTIFY_SOCKET, all of this does nothing. libsystemd would be far too much code for that in this process. */

#include <sys/types.h>

/* Connects to it, as long as its path can be seen. Returns the socket, -ENXIO if there is none, or a negative errno. */
int notify_open(void);

/* Sends assignments ("READY=1"). Returns 0 or a negative errno. */
int notify_send(int socket, const char *assignments);

/* Says that the child is the main process from now on, and returns when that is known: then this one may exit. */
int notify_main_pid(int socket, pid_t child);
