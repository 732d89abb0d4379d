/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sending and receiving messages with their fds over a SOCK_SEQPACKET socket. */

#include <stddef.h>

#include "lib/wire/wire.h"

/* Fills in the header of a message of this type and zeroes the rest. */
void wire_init(union wire_message *message, enum wire_type type);

/* Sends one message (its size is that of its type) with fds, which stay the caller's. Never waits: returns
 * 0, -EAGAIN (the peer doesn't read), -EPIPE (it is gone) or another negative errno. No SIGPIPE. */
int wire_send(int socket, const union wire_message *message, const int *fds, size_t n_fds);

/* Receives one message and checks it. fds (WIRE_FDS_MAX of them) are close-on-exec and the caller's; those
 * not received are -EBADF. fds is NULL for who takes none: the kernel then drops what comes instead of giving it to
 * this process, and the message is refused. Waits or not as the socket does. Returns 1 (a message), 0 (the peer
 * closed its end), -EAGAIN, -EBADMSG, -EPROTONOSUPPORT or another negative errno; on error no fd is left open. */
int wire_receive(int socket, union wire_message *ret, int *fds);

/* Makes the kernel refuse any fd that the peer sends to this socket, if it can (since Linux 6.16). */
void wire_refuse_fds(int socket);
