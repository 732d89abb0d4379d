/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lets a worker under test make every attempt and judges how each ended
 *
 *     escape-run PROGRAM MODE TARGET
 *
 * MODE is one of attempt_modes, "calls" (compare-calls.c) or "without" (scenario.c). Most attempts are made by one
 * worker and its children, some get a worker and a device of their own. A line for each, and a summary; exits with 0
 * only if all were as they must be and none could not be made.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/wire/wire.h"
#include "tests/sandbox/attempt.h"
#include "tests/sandbox/compare-calls.h"
#include "tests/sandbox/jobs.h"
#include "tests/sandbox/judge.h"
#include "tests/sandbox/scenario.h"
#include "tests/sandbox/subject.h"

enum { END_SECONDS = 60, FIRST_UID = 1900000, ATTEMPTS_MIN = 60 };

/* In memory that all jobs share. */
struct counts {
        int made, killed, refused, refused_by_ring, worked, wrong;
};

struct run {
        const char *program, *target;
        enum attempt_mode mode;
        pid_t victim;
        unsigned long long address;
        struct counts *counts;
};

/* The end of the stack of a process: nothing of any use is there. */
static int find_stack(pid_t pid, unsigned long long *ret) {
        char path[32], line[256];
        unsigned long long begin, end;
        FILE *f;
        int r = -ENOENT;

        (void)snprintf(path, sizeof(path), "/proc/%d/maps", pid);
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (r < 0 && fgets(line, sizeof(line), f))
                if (strstr(line, "[stack]") && sscanf(line, "%llx-%llx", &begin, &end) == 2) {
                        *ret = end - 16;
                        r = 0;
                }
        (void)fclose(f);
        return r;
}

static bool is_made(const struct run *run, const struct attempt *a) {
        return attempt_is_made(a, run->mode) &&
               !((a->flags & NOT_NETWORK) && streq(run->target, "network"));
}

static void add(int *counter, bool yes) {
        (void)__atomic_fetch_add(counter, yes, __ATOMIC_RELAXED);
}

static const char *last_words(const struct subject *s) {
        size_t n = strlen(s->log);

        return s->log + (n > 200 ? n - 200 : 0);
}

static void tell(const struct run *run, const struct attempt *a, const struct subject *s,
                 const char *trouble) {
        struct verdict v = judge(a, run->mode, s);
        const char *wrong = trouble ? trouble : v.wrong;

        add(&run->counts->made, true);
        add(&run->counts->killed, v.outcome == OUTCOME_KILLED);
        add(&run->counts->refused, v.outcome == OUTCOME_REFUSED);
        add(&run->counts->refused_by_ring, v.outcome == OUTCOME_REFUSED && a->by == BY_RING);
        add(&run->counts->worked, v.outcome == OUTCOME_WORKED);
        add(&run->counts->wrong, wrong);
        printf("%s%s %s: %s%s%s", wrong ? "WRONG: " : "", run->target, a->name,
               outcome_to_string(v.outcome), v.outcome == OUTCOME_REFUSED ? ", " : "",
               v.outcome == OUTCOME_REFUSED ? strerror(v.error) : "");
        if (wrong)
                printf(" (%s; status %#x)", wrong, (unsigned)s->status);
        if (v.outcome == OUTCOME_NONE)
                printf("; it said at last: %s", last_words(s));
        (void)putchar('\n');
        (void)fflush(stdout);
}

/* One worker, for one attempt or (NULL) for all that don't need one of their own. */
static void make(const struct run *run, struct devices *devices, const struct attempt *one,
                 int number) {
        char name[WIRE_NAME_SIZE];
        const struct subject_config config = {
                .program = run->program,
                .name = name,
                .target = run->target,
                .uid = (uid_t)(FIRST_UID + number),
                .unconfined = run->mode == MODE_CONTROL,
        };
        const char *trouble = NULL;
        struct subject s;

        (void)snprintf(name, sizeof(name), "%s.%s.%d.%llx", attempt_modes[run->mode],
                       one ? one->name : ATTEMPT_ALL, run->victim, run->address);
        if (subject_start(&s, devices, &config) < 0)
                trouble = "the worker did not get that far";
        else if (subject_wait(&s, END_SECONDS) < 0)
                trouble = "it did not end";
        if (subject_end(&s, devices) < 0)
                trouble = "its device can't be removed";

        if (one)
                tell(run, one, &s, trouble);
        else
                FOREACH_ATTEMPT(a)
        if (is_made(run, a) && !attempt_is_alone(a, run->mode))
                tell(run, a, &s, trouble);
}

static int run_job(void *userdata, int job) {
        const struct run *run = userdata;
        struct devices devices;
        int r, number = 0;

        r = devices_open(&devices);
        if (r < 0)
                return r;
        if (job == 0)
                make(run, &devices, NULL, number);
        FOREACH_ATTEMPT(a)
        if (is_made(run, a) && attempt_is_alone(a, run->mode) && ++number % JOBS == job)
                make(run, &devices, a, number);
        devices_close(&devices);
        return 0;
}

static int summarize(const struct run *run) {
        static const char *const how[_ATTEMPT_MODE_MAX] = {
                [MODE_TRY] = "with all of its confinement",
                [MODE_NOFILTER] = "without its filters of system calls",
                [MODE_SETUP] = "when it says HELLO",
                [MODE_SETUPNOFILTER] = "when it says HELLO, without its filter of system calls",
                [MODE_CONTROL] = "without any confinement",
        };
        const struct counts *c = run->counts;
        int total = 0;

        FOREACH_ATTEMPT(a)
        total++;
        printf("# %d of %d attempts by a worker %s (%s): %d killed by the filter, %d refused (%d "
               "by "
               "rules of the ring), %d worked; %d not as expected\n",
               c->made, total, how[run->mode], run->target, c->killed, c->refused,
               c->refused_by_ring, c->worked, c->wrong);
        return c->wrong == 0 && c->made >= ATTEMPTS_MIN ? 0 : -EPERM;
}

static int prepare_playground(void) {
        static const char *const files[] = { "file", "unlink", "ring-unlink" };

        if (mkdir(PLAYGROUND, 0700) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char path[64];
                int fd;

                (void)snprintf(path, sizeof(path), PLAYGROUND "/%s", files[i]);
                fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                if (fd < 0)
                        return -errno;
                (void)close(fd);
        }
        return 0;
}

/* All attempts, beside another worker, which must still be there afterwards. */
static int run_beside(struct run *run, struct devices *devices) {
        const struct subject_config config = {
                .program = run->program,
                .name = SERVES_WITH_ALL,
                .target = "null",
                .uid = FIRST_UID - 1,
        };
        struct subject victim;
        int r, q;

        r = subject_start(&victim, devices, &config);
        run->victim = victim.pid;
        if (r >= 0)
                r = find_stack(victim.pid, &run->address);
        if (r >= 0)
                r = jobs_run(run_job, run);
        if (r >= 0 && kill(victim.pid, 0) < 0)
                r = -errno;
        q = subject_end(&victim, devices);
        if (r < 0)
                fprintf(stderr, "The attempts could not be made: %s\n%s", strerror(-r), victim.log);
        return r < 0 ? r : q;
}

static int run_attempts(struct run *run) {
        struct devices devices;
        int r;

        run->counts = mmap(NULL, sizeof(*run->counts), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (run->counts == MAP_FAILED)
                return -errno;
        r = run->mode == MODE_CONTROL ? prepare_playground() : 0;
        if (r >= 0)
                r = devices_open(&devices);
        if (r < 0) {
                fprintf(stderr, "There are no devices or no " PLAYGROUND ": %s\n", strerror(-r));
                return r;
        }
        r = run_beside(run, &devices);
        devices_close(&devices);
        return r < 0 ? r : summarize(run);
}

int main(int argc, char *argv[]) {
        if (argc == 4 && streq(argv[2], "without"))
                return run_without(argv[1], argv[3]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc == 4 && streq(argv[2], "calls"))
                return run_calls(argv[1], argv[3]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        for (int mode = 0; argc == 4 && mode < _ATTEMPT_MODE_MAX; mode++)
                if (streq(attempt_modes[mode], argv[2])) {
                        struct run run = {
                                .program = argv[1],
                                .target = argv[3],
                                .mode = (enum attempt_mode)mode,
                        };
                        return run_attempts(&run) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
                }
        fprintf(stderr, "Usage: escape-run PROGRAM "
                        "try|nofilter|setup|setupnofilter|control|calls|without TARGET\n");
        return EXIT_FAILURE;
}
