/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Telling the service manager how it stands, without libsystemd. */

/* Connects to the socket that $NOTIFY_SOCKET names. To be called while there is a file system: the fd works without. Returns
 * an fd, -EBADF if nobody wants to know, or another negative errno. */
int notify_open(void);

/* Sends assignments, "READY=1" or several of them in lines. Without an fd (negative) nothing happens. Returns 0 or a negative
 * errno. */
int notify_send(int fd, const char *text);
