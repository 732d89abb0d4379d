/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that has been taken over
 *
 * This is the worker itself, its main() and all, with a few functions wrapped by the linker (--wrap). When it is confined
 * and everything has been said to the manager, it makes the attempts that its name tells instead of serving:
 *
 *     MODE.ATTEMPT.VICTIM.ADDRESS      try.register-files.1234.7ffc0000
 *
 * MODE is one of attempt_modes, and takes away what that says. An attempt that the filter ends would end all others as well,
 * and a device for each takes long. So there is a child for each of them, made right before the worker would serve: it has all
 * of the confinement but the filters, puts on the very same ones by the worker's own function, and makes its attempt.
 *
 * The name "without.N" makes no attempts; the last filter of that worker lacks entry N.
 */

#include "tests/sandbox/escape-worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/calls.h"
#include "worker/worker.h"

enum escape_role escape_role;
const struct attempt *escape_attempt;
struct attempt_context escape_context;
bool escape_serving;

static enum attempt_mode mode = MODE_TRY;
static size_t without = SANDBOX_CALLS_MAX; /* the entry that is left out */

/* The filters in the order in which they are put on: until there is a device, and while it is served. */
enum { FILTERS = 2 };
static struct {
        struct sandbox_call calls[SANDBOX_CALLS_MAX];
        size_t n;
} filters[FILTERS];
static unsigned filters_known;
static const struct sandbox *sandbox;

int __real_sandbox_begin(struct sandbox *s);
int __wrap_sandbox_begin(struct sandbox *s);
int __real_sandbox_drop_capabilities(struct sandbox *s);
int __wrap_sandbox_drop_capabilities(struct sandbox *s);
int __real_sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n);
int __wrap_sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n);
int __real_worker_wait_end(struct worker *w);
int __wrap_worker_wait_end(struct worker *w);
int __real_io_uring_register(unsigned fd, unsigned opcode, const void *arg, unsigned n);
int __wrap_io_uring_register(unsigned fd, unsigned opcode, const void *arg, unsigned n);
const struct target_ops *__real_target_find(const char *name);
const struct target_ops *__wrap_target_find(const char *name);

static int make(const struct attempt *a) {
        char line[128];
        long r = attempt_make(a, &escape_context);
        int n;

        if (r < 0)
                n = snprintf(line, sizeof(line), "refused %s: %ld\n", a->name, -r);
        else
                n = snprintf(line, sizeof(line), "ESCAPED %s: %ld\n", a->name, r);
        return write(STDERR_FILENO, line, (size_t)n) == n ? 0 : 1;
}

void escape_make_one(void) {
        _exit(make(escape_attempt));
}

/* Those that are known. Returns the answer of the last one. To a child it says nothing, because it is read from the status of
 * its parent; what becomes of the attempt does. */
static int put_on_filters(void) {
        struct sandbox copy = *sandbox;
        int r = 0;

        for (unsigned i = 0; i < filters_known; i++)
                r = __real_sandbox_filter_calls(&copy, filters[i].calls, filters[i].n);
        return r;
}

/* They don't meet each other's success either. Where everything is allowed the mounts are its own as well. */
static void make_in_child(const struct attempt *a) {
        char line[128];
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
                if (mode == MODE_CONTROL && unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0)
                        _exit(1);
                if (mode == MODE_TRY || mode == MODE_SETUP)
                        (void)put_on_filters();
                _exit(make(a));
        }
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (WIFSIGNALED(status)) {
                (void)snprintf(line, sizeof(line), "killed %s: %d\n", a->name, WTERMSIG(status));
                _unused_ ssize_t n = write(STDERR_FILENO, line, strlen(line));
        }
}

static void make_all(bool forked) {
        FOREACH_ATTEMPT(a) {
                if (!attempt_is_made(a, mode) || attempt_is_alone(a, mode) ||
                    attempt_is_forked(a, mode) != forked)
                        continue;
                if (forked)
                        make_in_child(a);
                else
                        (void)make(a);
        }
}

void escape_make_all(void) {
        /* All others have made these before the filter. */
        if (mode == MODE_CONTROL)
                make_all(true);
        make_all(false);
        _exit(0);
}

/* "MODE.ATTEMPT…" or "without.N" */
static int read_role(const char *name) {
        char text[16], attempt[WIRE_NAME_SIZE];
        unsigned long long address = 0;

        if (sscanf(name, "without.%zu", &without) == 1)
                return 0;
        if (sscanf(name, "%15[a-z].%63[^.].%d.%llx", text, attempt, &escape_context.victim,
                   &address) < 3)
                return -EINVAL;
        escape_context.address = address;
        while (mode < _ATTEMPT_MODE_MAX && !streq(attempt_modes[mode], text))
                mode++;
        escape_attempt = attempt_find(attempt);
        escape_role = streq(attempt, ATTEMPT_ALL) ? ROLE_ALL : ROLE_ONE;
        return mode == _ATTEMPT_MODE_MAX || (escape_role == ROLE_ONE && !escape_attempt) ? -EINVAL
                                                                                         : 0;
}

/* The first step: one thread, no confinement. */
int __wrap_sandbox_begin(struct sandbox *s) {
        struct worker *w = CONTAINER_OF(s, struct worker, sandbox);
        int r = read_role(w->name);

        w->unconfined = mode == MODE_CONTROL;
        escape_context.socket = w->socket;
        return r < 0 ? r : __real_sandbox_begin(s);
}

int __wrap_sandbox_drop_capabilities(struct sandbox *s) {
        return mode == MODE_CONTROL ? 0 : __real_sandbox_drop_capabilities(s);
}

int __wrap_io_uring_register(unsigned fd, unsigned opcode, const void *arg, unsigned n) {
        if (mode == MODE_CONTROL && opcode == IORING_REGISTER_RESTRICTIONS)
                return 0;
        return __real_io_uring_register(fd, opcode, arg, n);
}

static void remember_filter(const struct sandbox_call *calls, size_t n) {
        bool last = filters_known == FILTERS - 1;
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
                if (!last || i != without)
                        filters[filters_known].calls[k++] = calls[i];
        filters[filters_known++].n = k;
}

/* One that makes children doesn't get the first filter, which forbids them, before the second. */
int __wrap_sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n) {
        unsigned when = mode == MODE_SETUP || mode == MODE_SETUPNOFILTER ? 1 : FILTERS;
        unsigned i = filters_known;

        sandbox = s;
        remember_filter(calls, n);
        if (escape_role == ROLE_ALL && filters_known == when)
                make_all(true);
        if (mode == MODE_NOFILTER)
                return 0;
        if (escape_role != ROLE_ALL)
                return __real_sandbox_filter_calls(s, filters[i].calls, filters[i].n);
        return filters_known == FILTERS ? put_on_filters() : 0;
}

/* There is no such target yet; its class has a filter already. */
const struct target_ops *__wrap_target_find(const char *name) {
        static struct target_ops network;

        if (!streq(name, "network"))
                return __real_target_find(name);
        network = *__real_target_find("null");
        network.class = TARGET_CLASS_NETWORK;
        return &network;
}

int __wrap_worker_wait_end(struct worker *w) {
        __atomic_store_n(&escape_serving, true, __ATOMIC_RELEASE);
        if (escape_role == ROLE_ONE && !(escape_attempt->flags & IN_QUEUE))
                escape_make_one();
        return __real_worker_wait_end(w);
}
