/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that serves nothing: speaks the protocol with the manager and ends when its "device" (one end of a
 * socket pair of the fake kernel) is stopped. What it does wrong is in the name of the device, so that a test
 * needs nothing but that: "exit-early", "silent", "fail", "garbage", "wrong-size", "exit-after-ready",
 * "stubborn" (doesn't end by itself). "fail" tells which parts of its confinement it could do without.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/wire/channel.h"

static bool is(const char *name, const char *behaviour) {
        return strncmp(name, behaviour, strlen(behaviour)) == 0;
}

static void wait_for_end(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        while (poll(&p, 1, -1) < 0 && errno == EINTR)
                ;
}

static int send_ready(int socket, const struct wire_config *config) {
        union wire_message ready;
        struct wire_geometry *g = &ready.ready.geometry;

        wire_init(&ready, WIRE_READY);
        g->size_bytes = config->size_bytes ? config->size_bytes : config->backing.size_bytes;
        g->logical_block_size = config->logical_block_size;
        g->physical_block_size = config->physical_block_size;
        if (is(config->name, "wrong-size"))
                g->size_bytes += config->logical_block_size;
        return wire_send(socket, &ready, NULL, 0);
}

static int send_failed(int socket, const struct wire_config *config) {
        union wire_message failed;

        wire_init(&failed, WIRE_FAILED);
        failed.failed.error = -ENOSPC;
        (void)strcpy(failed.failed.step, "open-target");
        (void)snprintf(failed.failed.text, sizeof(failed.failed.text),
                       "made up by a test, tolerated: 0x%x", config->tolerated);
        return wire_send(socket, &failed, NULL, 0);
}

int main(int argc, char **argv) {
        const char *name = argc > 2 ? argv[argc - 1] : "";
        union wire_message message;
        int fds[WIRE_FDS_MAX];
        int socket = 3;

        (void)signal(SIGPIPE, SIG_IGN);
        if (is(name, "exit-early"))
                return 7;
        if (is(name, "silent"))
                wait_for_end(socket);
        if (is(name, "garbage"))
                (void)send(socket, "garbage", 7, MSG_NOSIGNAL);

        wire_init(&message, WIRE_HELLO);
        message.hello.pid = getpid();
        if (wire_send(socket, &message, NULL, 0) < 0 || wire_receive(socket, &message, fds) <= 0 ||
            message.header.type != WIRE_CONFIG)
                return 1;
        if (is(name, "fail"))
                return send_failed(socket, &message.config) < 0 ? 1 : 8;
        if (send_ready(socket, &message.config) < 0)
                return 1;
        if (is(name, "exit-after-ready"))
                return 9;

        wait_for_end(fds[0]);
        if (is(name, "stubborn"))
                for (;;)
                        (void)pause();
        return 0;
}
