/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that runs somebody else's code
 *
 * What it does is in the name of its device: PHASE-ATTACK[-ARGUMENT]. PHASE is when:
 * "first" (before HELLO), "hello" (after it), "config" (after CONFIG), "ready" (after READY), "live" (on SIGUSR1, which
 * the test sends when the device is live). Any other name is served as it should: by the real worker, if a test has
 * put one beside this program, otherwise as far as a made-up kernel needs it; so one manager can have both. After an
 * attack it lives on until it is killed.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/wire/channel.h"
#include "tests/attack/attack.h"

enum { SOCKET = 3, FLOOD = 1000000 };

static const char *const phases[] = { "first-", "hello-", "config-", "ready-", "live-" };
static int device = -EBADF;

_Noreturn static void live_on(void) {
        for (;;)
                (void)pause();
}

static void wait_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        while (poll(&p, 1, -1) < 0 && errno == EINTR)
                ;
}

static void send_messages(const char *seed, size_t (*make)(uint64_t *state, void *data)) {
        static uint8_t data[ATTACK_SIZE_MAX];
        uint64_t state = strtoull(seed, NULL, 10) + 1;

        for (unsigned i = 0; i < 100; i++) {
                size_t size = make(&state, data);

                if (attack_send(SOCKET, data, size, NULL, 0) == -EPIPE)
                        return;
        }
}

/* "KIND.N": N times the same fd, with a good message and with an empty one. */
static void send_fds(const char *what) {
        static int fds[ATTACK_FDS_MAX];
        union wire_message message;
        char kind[32];
        size_t n;
        int fd;

        (void)snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(what, "."), what);
        n = MIN(strtoul(what + strlen(kind) + 1, NULL, 10), (unsigned long)ATTACK_FDS_MAX);
        fd = streq(kind, "device") ? device : attack_open(kind, SOCKET);
        for (size_t i = 0; i < n; i++)
                fds[i] = fd;
        attack_good(WIRE_HELLO, 0, &message);
        (void)attack_send(SOCKET, &message, message.header.size, fds, n);
        (void)attack_send(SOCKET, &message, 0, fds, n);
        /* Where the kernel lets no fds pass the manager must hear of it as well. */
        (void)attack_send(SOCKET, &message, 1, NULL, 0);
        if (fd != SOCKET && fd != device)
                (void)close(fd);
}

static void flood(void) {
        union wire_message message;
        int r = 0;

        attack_good(WIRE_HELLO, 0, &message);
        for (unsigned i = 0; i < FLOOD && r != -EPIPE; i++) {
                struct pollfd p = { .fd = SOCKET, .events = POLLOUT };

                r = attack_send(SOCKET, &message, message.header.size, NULL, 0);
                if (r == -EAGAIN)
                        (void)poll(&p, 1, -1);
        }
}

static void send_text(const char *text) {
        union wire_message message;

        attack_good(WIRE_FAILED, 0, &message);
        (void)snprintf(message.failed.text, sizeof(message.failed.text), "%s", text);
        (void)attack_send(SOCKET, &message, message.header.size, NULL, 0);
}

static void send_geometry(uint64_t size) {
        union wire_message message;

        attack_good(WIRE_READY, size, &message);
        (void)attack_send(SOCKET, &message, message.header.size, NULL, 0);
}

static bool begins(const char **what, const char *with) {
        if (strncmp(*what, with, strlen(with)) != 0)
                return false;
        *what += strlen(with);
        return true;
}

_Noreturn static void attack(const char *what) {
        union wire_message message;

        attack_good(WIRE_HELLO, 0, &message);
        if (begins(&what, "random-"))
                send_messages(what, attack_random);
        else if (begins(&what, "structured-"))
                send_messages(what, attack_structured);
        else if (begins(&what, "fds-"))
                send_fds(what);
        else if (begins(&what, "half-"))
                (void)attack_send(SOCKET, &message, strtoul(what, NULL, 10), NULL, 0);
        else if (begins(&what, "empty"))
                (void)attack_send(SOCKET, &message, 0, NULL, 0);
        else if (begins(&what, "flood"))
                flood();
        else if (begins(&what, "shut-"))
                (void)shutdown(SOCKET, atoi(what));
        else if (begins(&what, "close"))
                (void)close(SOCKET);
        else if (begins(&what, "log"))
                (void)shutdown(STDERR_FILENO, SHUT_RDWR);
        else if (begins(&what, "text"))
                send_text("%s%n\n<0>forged line\x1b[31m");
        else if (begins(&what, "size-"))
                send_geometry(strtoull(what, NULL, 10));
        else if (begins(&what, "stop"))
                (void)raise(SIGSTOP);
        live_on();
}

static bool is_phase(const char *name, const char *phase) {
        return strncmp(name, phase, strlen(phase)) == 0;
}

static void await_signal(void) {
        sigset_t usr1;
        int number;

        (void)sigemptyset(&usr1);
        (void)sigaddset(&usr1, SIGUSR1);
        (void)sigwait(&usr1, &number);
}

/* The conversation as it should be, left for the attack at its time. With no attack, until the device is stopped. */
static int serve(const char *name, const char *what) {
        union wire_message message, ready;
        int fds[WIRE_FDS_MAX];

        if (is_phase(name, "first-"))
                attack(what);
        attack_good(WIRE_HELLO, 0, &message);
        (void)attack_send(SOCKET, &message, message.header.size, NULL, 0);
        if (is_phase(name, "hello-"))
                attack(what);
        wait_readable(SOCKET);
        if (wire_receive(SOCKET, &message, fds) <= 0)
                return 1;
        device = fds[0];
        if (is_phase(name, "config-"))
                attack(what);
        attack_good(WIRE_READY, message.config.size_bytes, &ready);
        ready.ready.geometry.logical_block_size = message.config.logical_block_size;
        ready.ready.geometry.physical_block_size = message.config.physical_block_size;
        (void)attack_send(SOCKET, &ready, ready.header.size, NULL, 0);
        if (is_phase(name, "live-"))
                await_signal();
        if (what)
                attack(what);
        wait_readable(device);
        return 0;
}

int main(int argc, char **argv) {
        const char *name = argc > 1 ? argv[argc - 1] : "";
        sigset_t usr1;

        (void)signal(SIGPIPE, SIG_IGN);
        for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
                if (!is_phase(name, phases[i]))
                        continue;
                (void)sigemptyset(&usr1);
                (void)sigaddset(&usr1, SIGUSR1);
                (void)sigprocmask(SIG_BLOCK, &usr1, NULL);
                return serve(name, name + strlen(phases[i]));
        }
        (void)execv(LIBEXEC_FOLDER "/tests/ublk-worker", argv);
        return serve(name, NULL);
}
