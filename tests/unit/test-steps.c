/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The runner of step tables. The steps here do what a script says and write down that they were called
 * ("a" run, "-a" undone, "!" abandoned), so that an order is one string to compare with.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "ublkmgr/steps.h"

enum { STEPS = 4 };

struct subject {
        sd_event *event;
        struct sequence *sequence;
        sd_event_source *later;
        char calls[256];
        int run[STEPS];  /* what each step returns */
        int undo[STEPS]; /* and its undo */
        int answer;      /* what a pending one is answered with from the event loop; 1: never */
        unsigned finished;
        int error;
        const char *failed;
};

static void note(struct subject *s, const char *what) {
        size_t n = strlen(s->calls);

        (void)snprintf(s->calls + n, sizeof(s->calls) - n, "%s%s", n > 0 ? " " : "", what);
}

static int on_later(sd_event_source *source, void *userdata) {
        struct subject *s = userdata;

        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        sequence_continue(s->sequence, s->answer);
        return 0;
}

static int act(struct subject *s, const char *name, int result) {
        note(s, name);
        if (result == STEP_PENDING && s->answer != 1)
                assert_true(sd_event_source_set_enabled(s->later, SD_EVENT_ONESHOT) >= 0);
        return result;
}

#define STEP(name, i)                                    \
        static int run_##name(void *subject) {           \
                struct subject *s = subject;             \
                return act(s, #name, s->run[i]);         \
        }                                                \
        _unused_ static int undo_##name(void *subject) { \
                struct subject *s = subject;             \
                return act(s, "-" #name, s->undo[i]);    \
        }
STEP(a, 0)
STEP(b, 1)
STEP(c, 2)
STEP(d, 3)

/* c has no undo, b waits at most 20 ms, d too, and may be late. */
static const struct step steps[STEPS] = {
        { .name = "a", .run = run_a, .undo = undo_a },
        { .name = "b", .run = run_b, .undo = undo_b, .timeout_usec = 20 * USEC_PER_MSEC },
        { .name = "c", .run = run_c },
        { .name = "d",
          .run = run_d,
          .undo = undo_d,
          .timeout_usec = 20 * USEC_PER_MSEC,
          .optional = true },
};

static void abandon(void *subject) {
        note(subject, "!");
}

static void finished(void *subject, int error, const char *step) {
        struct subject *s = subject;

        s->finished++;
        s->error = error;
        s->failed = step;
        s->sequence = NULL;
        (void)sd_event_exit(s->event, 0);
}

static const struct operation operation = {
        .name = "test",
        .steps = steps,
        .n_steps = STEPS,
        .abandon = abandon,
        .finished = finished,
};

static void setup(struct subject *s) {
        assert_true(sd_event_new(&s->event) >= 0);
        assert_true(sd_event_add_defer(s->event, &s->later, on_later, s) >= 0);
        assert_true(sd_event_source_set_enabled(s->later, SD_EVENT_OFF) >= 0);
}

static void done(struct subject *s) {
        sd_event_source_disable_unref(s->later);
        sd_event_unref(s->event);
}

/* Carries the script out; a second is far more than any of them may take. */
static void play(struct subject *s) {
        setup(s);
        assert_true(sd_event_add_time_relative(s->event, NULL, CLOCK_MONOTONIC, 10 * USEC_PER_SEC,
                                               0, NULL, NULL) >= 0);
        assert_int_equal(sequence_start(s->event, &operation, s, &s->sequence), 0);
        assert_string_equal(s->calls, "");
        assert_false(sequence_is_undoing(s->sequence));
        assert_int_equal(sd_event_loop(s->event), 0);
        assert_int_equal(s->finished, 1);
        done(s);
}

static void test_order(void **state) {
        struct subject s = { .error = 1 };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c d");
        assert_int_equal(s.error, 0);
        assert_null(s.failed);
}

static void test_pending(void **state) {
        struct subject s = { .run = { 1, 1, 1, 1 } };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a ! b ! c ! d !");
        assert_int_equal(s.error, 0);
}

static void test_failure(void **state) {
        static const char *const calls[STEPS] = { "a -a", "a b -b -a", "a b c -b -a",
                                                  "a b c d -d -b -a" };

        (void)state;
        for (int i = 0; i < STEPS; i++) {
                struct subject s = { 0 };

                s.run[i] = -EDOM;
                play(&s);
                assert_string_equal(s.calls, calls[i]);
                assert_int_equal(s.error, -EDOM);
                assert_string_equal(s.failed, steps[i].name);
        }
}

static void test_pending_failure(void **state) {
        struct subject s = { .run = { 0, 1 }, .answer = -EXDEV };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b ! -b -a");
        assert_int_equal(s.error, -EXDEV);
        assert_string_equal(s.failed, "b");
}

static void test_failing_undo_goes_on(void **state) {
        struct subject s = { .run = { 0, 0, 0, -EDOM }, .undo = { -EIO, -EIO, 0, -EIO } };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c d -d -b -a");
        assert_int_equal(s.error, -EDOM);
        assert_string_equal(s.failed, "d");
}

static void test_pending_undo(void **state) {
        struct subject s = { .run = { 0, 0, -EDOM }, .undo = { 1, 1 }, .answer = -EIO };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c -b ! -a !");
        assert_int_equal(s.error, -EDOM);
}

static void test_deadline(void **state) {
        struct subject s = { .run = { 0, 1 }, .answer = 1 };
        uint64_t before = clock_usec(CLOCK_MONOTONIC);

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b ! -b -a");
        assert_int_equal(s.error, -ETIMEDOUT);
        assert_string_equal(s.failed, "b");
        assert_true(clock_usec(CLOCK_MONOTONIC) - before >= 20 * USEC_PER_MSEC);
}

static void test_deadline_of_undo(void **state) {
        struct subject s = { .run = { 0, 0, -EDOM }, .undo = { 0, 1 }, .answer = 1 };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c -b ! -a");
        assert_int_equal(s.error, -EDOM);
        assert_string_equal(s.failed, "c");
}

static void test_optional(void **state) {
        struct subject s = { .run = { 0, 0, 0, 1 }, .answer = 1 };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c d !");
        assert_int_equal(s.error, 0);
}

/* Only its being late is forgiven. */
static void test_optional_fails(void **state) {
        struct subject s = { .run = { 0, 0, 0, 1 }, .answer = -EIO };

        (void)state;
        play(&s);
        assert_string_equal(s.calls, "a b c d ! -d -b -a");
        assert_int_equal(s.error, -EIO);
}

/* An answer that nobody waits for: too early, or a second one. */
static void test_stray_continue(void **state) {
        struct subject s = { .run = { 0, 1, 1 }, .answer = 1 };

        (void)state;
        setup(&s);
        sequence_continue(NULL, -EIO);
        assert_int_equal(sequence_start(s.event, &operation, &s, &s.sequence), 0);
        sequence_continue(s.sequence, -EIO);
        assert_string_equal(s.calls, "");
        assert_true(sd_event_run(s.event, 0) > 0);
        assert_string_equal(s.calls, "a b");
        sequence_continue(s.sequence, 0);
        assert_string_equal(s.calls, "a b ! c");
        sequence_continue(s.sequence, 0);
        assert_string_equal(s.calls, "a b ! c ! d");
        assert_int_equal(s.finished, 1);
        assert_int_equal(s.error, 0);
        done(&s);
}

static void test_undoing_is_known(void **state) {
        struct subject s = { .run = { 0, -EDOM }, .undo = { 0, 1 }, .answer = 1 };

        (void)state;
        setup(&s);
        assert_false(sequence_is_undoing(NULL));
        assert_int_equal(sequence_start(s.event, &operation, &s, &s.sequence), 0);
        assert_true(sd_event_run(s.event, 0) > 0);
        assert_string_equal(s.calls, "a b -b");
        assert_true(sequence_is_undoing(s.sequence));
        sequence_continue(s.sequence, 0);
        assert_int_equal(s.finished, 1);
        done(&s);
}

/* The manager exits: nothing is called any more, whatever was waited for. */
static void test_free_in_the_middle(void **state) {
        (void)state;
        for (int pending = -1; pending < 2; pending++) {
                struct subject s = { .answer = 1 };

                if (pending >= 0)
                        s.run[pending] = STEP_PENDING;
                setup(&s);
                assert_int_equal(sequence_start(s.event, &operation, &s, &s.sequence), 0);
                if (pending >= 0)
                        assert_true(sd_event_run(s.event, 0) > 0);
                assert_string_equal(s.calls, pending < 0 ? "" : pending == 0 ? "a" : "a b");
                assert_null(sequence_free(s.sequence));
                /* Longer than b's deadline. */
                assert_int_equal(sd_event_run(s.event, 40 * USEC_PER_MSEC), 0);
                assert_int_equal(s.finished, 0);
                assert_null(strchr(s.calls, '!'));
                done(&s);
        }
        assert_null(sequence_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_pending),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_pending_failure),
                cmocka_unit_test(test_failing_undo_goes_on),
                cmocka_unit_test(test_pending_undo),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_deadline_of_undo),
                cmocka_unit_test(test_optional),
                cmocka_unit_test(test_optional_fails),
                cmocka_unit_test(test_stray_continue),
                cmocka_unit_test(test_undoing_is_known),
                cmocka_unit_test(test_free_in_the_middle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
