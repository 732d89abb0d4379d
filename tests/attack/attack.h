/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker of ill will can send
 *
 * Shared by the unit test, which needs many messages, and the malicious worker, which needs a whole manager. All
 * choices come from a generator with a seed, so that a failure can be repeated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/wire.h"

enum {
        ATTACK_SIZE_MAX = 4096,
        ATTACK_FDS_MAX = 253, /* the kernel's SCM_MAX_FD */
};

/* The next number of a generator whose state is any number but 0. */
uint64_t attack_next(uint64_t *state);

/* Fills in a message that a worker may send (HELLO, READY, FAILED) or a manager (CONFIG), for a device of size_bytes. */
void attack_good(enum wire_type type, uint64_t size_bytes, union wire_message *ret);

/* Make a message in data (ATTACK_SIZE_MAX bytes) and return its size: random bytes, often with a good header; or a
 * good message of which one thing was changed. */
size_t attack_random(uint64_t *state, void *data);
size_t attack_structured(uint64_t *state, void *data);

/* Sends bytes and fds (ATTACK_FDS_MAX at most) as they are, without waiting. Returns 0 or a negative errno. */
int attack_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds);

/* Opens an fd of a kind: "pipe", "socket", "listening", "memfd", "epoll", "io-uring", "pidfd", "null", "folder", "path",
 * "eventfd", "signalfd", "timerfd", "linger" (a socket whose last close waits a minute for its peer). `own` is
 * what "own" means: the worker's own socket, which makes a cycle. Returns it or a negative errno. */
int attack_open(const char *kind, int own);
