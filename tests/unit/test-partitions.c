/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The half of ublk-partitions that acts against a half that reads and was taken over by the disk's contents: whatever
 * it sends, or doesn't, is refused in time, and what is accepted fits on the disk.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/macro.h"
#include "partitions/inner.h"
#include "partitions/table.h"

static struct table table;

#define PART(n, from, length) \
        { .kind = RECORD_PARTITION, .number = (n), .start = (from), .size = (length) }
#define END(n) \
        { .kind = RECORD_END, .number = (n) }

/* Feeds it in pieces of each size, which must make no difference. */
static int feed(const void *data, size_t n) {
        int results[3];
        const size_t pieces[] = { 1, 7, 4096 };

        for (size_t k = 0; k < ELEMENTSOF(pieces); k++) {
                struct table_reader reader;
                int r = 0;

                table_reader_init(&reader, &table);
                for (size_t at = 0; r >= 0 && at < n; at += pieces[k])
                        r = table_feed(&reader, (const char *)data + at, MIN(pieces[k], n - at));
                results[k] = r < 0 ? r : table_finish(&reader);
                assert_int_equal(results[k], results[0]);
        }
        return results[0];
}

static void test_good(_unused_ void **state) {
        const struct record records[] = { PART(1, 2048, 8), PART(5, 1, 1), PART(255, 0, 100),
                                          END(3) };

        assert_int_equal(feed(records, sizeof(records)), 0);
        assert_int_equal(table.count, 3);
        assert_int_equal(table_find(&table, 5)->start, 1);
        assert_null(table_find(&table, 2));
        assert_int_equal(feed(&(const struct record)END(0), sizeof(struct record)), 0);
        assert_int_equal(table.count, 0);
}

static void test_failed(_unused_ void **state) {
        const struct record failed = { .kind = RECORD_FAILED, .number = EIO };
        const struct record nonsense = { .kind = RECORD_FAILED, .number = UINT32_MAX };
        const struct record none = { .kind = RECORD_FAILED, .number = 0 };

        assert_int_equal(feed(&failed, sizeof(failed)), -EIO);
        assert_int_equal(feed(&nonsense, sizeof(nonsense)), -EBADMSG);
        assert_int_equal(feed(&none, sizeof(none)), -EBADMSG);
}

static void test_bad(_unused_ void **state) {
        const struct record cases[][3] = {
                { PART(0, 1, 1), END(1) },
                { PART(256, 1, 1), END(1) },
                { PART(UINT32_MAX, 1, 1), END(1) },
                { PART(1, 1, 1), PART(1, 2, 1), END(2) }, /* twice */
                { PART(1, 1, 1), END(2) },                /* one is missing */
                { PART(1, 1, 1), END(0) },
                { END(0), END(0) },
                { PART(1, 1, 1), PART(2, 1, 1), PART(3, 1, 1) }, /* no end */
                { { .kind = 77 }, END(0) },
                { { .kind = 0 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(feed(cases[i], sizeof(cases[i])), -EBADMSG);
        assert_int_equal(feed(cases, 0), -EBADMSG);
        /* Cut off within a record, and after the end. */
        const struct record records[] = { PART(1, 1, 1), END(1), END(1) };
        assert_int_equal(feed(records, 2 * sizeof(records[0]) - 1), -EBADMSG);
        assert_int_equal(feed(records, 2 * sizeof(records[0]) + 1), -EBADMSG);
        assert_int_equal(feed(records, 2 * sizeof(records[0])), 0);
}

static void test_too_many(_unused_ void **state) {
        static struct record records[300];

        for (size_t i = 0; i < ELEMENTSOF(records); i++)
                records[i] = (struct record)PART((uint32_t)i + 1, i, 1);
        assert_int_equal(feed(records, sizeof(records)), -EBADMSG);
        records[255] = (struct record)END(255);
        assert_int_equal(feed(records, 256 * sizeof(records[0])), 0);
        assert_int_equal(table.count, 255);
}

static void test_garbage(_unused_ void **state) {
        unsigned char data[24 * 40];
        uint32_t x = 1;

        for (int run = 0; run < 1000; run++) {
                for (size_t i = 0; i < sizeof(data); i++) {
                        x = x * 1103515245 + 12345;
                        data[i] = (unsigned char)(x >> 16);
                }
                assert_true(feed(data, sizeof(data)) < 0);
        }
}

static void test_fits(_unused_ void **state) {
        static const struct {
                struct partition p;
                uint64_t sectors;
                unsigned block;
                bool good;
        } cases[] = {
                { { 1, 0, 100 }, 100, 1, true },
                { { 1, 99, 1 }, 100, 1, true },
                { { 1, 0, 101 }, 100, 1, false },
                { { 1, 100, 1 }, 100, 1, false },
                { { 1, 1, 0 }, 100, 1, false },
                { { 1, 1, UINT64_MAX }, 100, 1, false },
                { { 1, UINT64_MAX, 2 }, 100, 1, false },
                { { 1, UINT64_MAX / 2, UINT64_MAX / 2 + 2 }, 100, 1, false },
                { { 1, 8, 8 }, 100, 8, true },
                { { 1, 7, 8 }, 100, 8, false },
                { { 1, 8, 7 }, 100, 8, false },
                { { 1, 0, 1 }, 0, 1, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *problem =
                        partition_problem(&cases[i].p, cases[i].sectors, cases[i].block);

                assert_int_equal(problem == NULL, cases[i].good);
        }
}

/* --- the process --- */

static int says(int pipe, const void *data, size_t n) {
        return write(pipe, data, n) == (ssize_t)n ? 0 : -EIO;
}

static int good_reader(int pipe, _unused_ void *userdata) {
        const struct record records[] = { PART(3, 8, 8), END(1) };

        return says(pipe, records, sizeof(records));
}

static int silent(_unused_ int pipe, _unused_ void *userdata) {
        while (pause() != 0)
                ;
        return 0;
}

/* Says everything and then doesn't end. */
static int lingers(int pipe, void *userdata) {
        (void)good_reader(pipe, userdata);
        close(pipe);
        return silent(pipe, userdata);
}

static int says_half(int pipe, _unused_ void *userdata) {
        const struct record records[] = { PART(3, 8, 8), END(1) };

        return says(pipe, records, sizeof(records) - 3);
}

static int floods(int pipe, _unused_ void *userdata) {
        const struct record record = PART(1, 1, 1);

        for (;;)
                if (says(pipe, &record, sizeof(record)) < 0)
                        return 0;
}

static int crashes(int pipe, void *userdata) {
        (void)good_reader(pipe, userdata);
        (void)kill(getpid(), SIGKILL);
        return 0;
}

static int fails(int pipe, void *userdata) {
        (void)good_reader(pipe, userdata);
        return -EIO;
}

static int says_errno(int pipe, _unused_ void *userdata) {
        /* One that is also used for a crash. */
        const struct record failed = { .kind = RECORD_FAILED, .number = ECHILD };

        (void)says(pipe, &failed, sizeof(failed));
        return silent(pipe, userdata);
}

static int says_nothing(_unused_ int pipe, _unused_ void *userdata) {
        return 0;
}

static void test_process(_unused_ void **state) {
        static const struct {
                int (*inner)(int pipe, void *userdata);
                int result;
        } cases[] = {
                { good_reader, 0 },      { silent, -ETIMEDOUT },  { lingers, -ETIMEDOUT },
                { says_half, -EBADMSG }, { floods, -EBADMSG },    { crashes, -ECHILD },
                { fails, -ECHILD },      { says_errno, -ECHILD }, { says_nothing, -EBADMSG },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t since = clock_usec(CLOCK_MONOTONIC);
                uint64_t limit =
                        cases[i].result == -ETIMEDOUT ? 200 * USEC_PER_MSEC : 30 * USEC_PER_SEC;

                assert_int_equal(inner_run(cases[i].inner, NULL, 0, limit, &table),
                                 cases[i].result);
                assert_true(clock_usec(CLOCK_MONOTONIC) - since < 20 * USEC_PER_SEC);
                /* Nobody is left behind. */
                assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
                assert_int_equal(errno, ECHILD);
        }
        assert_int_equal(inner_run(good_reader, NULL, 0, 30 * USEC_PER_SEC, &table), 0);
        assert_int_equal(table.count, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),    cmocka_unit_test(test_failed),
                cmocka_unit_test(test_bad),     cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_garbage), cmocka_unit_test(test_fits),
                cmocka_unit_test(test_process),
        };

        (void)signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
