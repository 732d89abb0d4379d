/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading a process from a /proc that is made up, and the verdicts on it: a worker that keeps every promise, and
 * the same one with one thing wrong at a time.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "ublkctl/sandbox-facts.h"

#define STATUS                                                                     \
        "Name:\tublk-worker\nUid:\t4242\t4242\t4242\t4242\nGid:\t77\t77\t77\t77\n" \
        "Groups:\t \nNSpid:\t500\t1\nVmLck:\t    2048 kB\nThreads:\t2\n"           \
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"                   \
        "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"                   \
        "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"
#define STAT "500 (a b) c) S 1 500 500 0 -1 1589248 0 0\n"

static char folder[] = "/tmp/ublk-process-XXXXXX";

static void put(const char *name, const char *text) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(write_file_atomic(path, text, 0644), 0);
}

static void make(const char *name) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(make_folder(path, 0755), 0);
}

static void link_to(const char *name, const char *to) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        (void)unlink(path);
        assert_int_equal(symlink(to, path), 0);
}

static void drop(const char *name) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_true(remove(path) >= 0);
}

static int make_worker(_unused_ void **state) {
        static const char *const folders[] = { "1",        "1/ns",     "500",
                                               "500/ns",   "500/task", "500/task/500",
                                               "500/root", "500/fd",   "500/task/501" };

        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                make(folders[i]);
        for (enum process_namespace n = 0; n < _NAMESPACE_MAX; n++) {
                char name[64];

                (void)snprintf(name, sizeof(name), "1/ns/%s", process_namespace_name(n));
                put(name, "");
                (void)snprintf(name, sizeof(name), "500/ns/%s", process_namespace_name(n));
                put(name, "");
        }
        put("500/status", STATUS);
        put("500/task/500/status", STATUS);
        put("500/task/501/status", STATUS);
        put("500/task/500/stat", STAT);
        put("500/task/501/stat", STAT);
        put("500/cgroup", "1:cpu:/x\n0::/system.slice/ublk-worker@a.service/x\n");
        put("500/mountinfo", "1 1 0:1 / / ro - tmpfs none ro\n");
        put("500/oom_score_adj", "-900\n");
        put("500/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
            "Max file size             unlimited            unlimited            bytes     \n"
            "Max core file size        0                    0                    bytes     \n"
            "Max processes             16                   16                   processes \n"
            "Max open files            64                   1024                 files     \n");
        put("image", "");
        link_to("500/fd/3", "socket:[99]");
        link_to("500/fd/12", "anon_inode:[io_uring]");
        link_to("500/fd/0", "/dev/null");
        link_to("500/fd/4", "/memfd:disk (deleted)");
        link_to("500/fd/5", "pipe:[7]");
        return 0;
}

static int remove_entry(const char *path, _unused_ const struct stat *st, _unused_ int type,
                        _unused_ struct FTW *ftw) {
        return remove(path);
}

static int remove_worker(_unused_ void **state) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/500", folder);
        (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        return 0;
}

static const struct sandbox_fact *find_fact(const char *key) {
        const struct sandbox_fact *fact;

        for (size_t i = 0; (fact = sandbox_fact(i)); i++)
                if (streq(fact->key, key))
                        return fact;
        fail_msg("no fact %s", key);
        return NULL;
}

/* is: NULL: any. */
static void expect(const char *key, enum verdict verdict, const char *is) {
        _cleanup_(strbuf_done) struct strbuf found = STRBUF_NULL;
        _cleanup_(process_done) struct process p = { 0 };
        const struct sandbox_fact *fact = find_fact(key);

        assert_int_equal(process_read(folder, 500, &p), 0);
        enum verdict v = fact->judge(&p, fact->argument, &found);
        if (v != verdict || (is && !streq(found.text ? found.text : "", is)))
                fail_msg("%s: expected %d '%s', found %d '%s'", key, (int)verdict, is ? is : "",
                         (int)v, found.text ? found.text : "");
}

/* Whom files belong to, and what that means for `dumpable`, can't be made up without root. */
static bool can_judge(const char *key) {
        return !streq(key, "dumpable") || geteuid() == 0;
}

static void test_everything_holds(_unused_ void **state) {
        _cleanup_(process_done) struct process p = { 0 };
        const struct sandbox_fact *fact;

        assert_int_equal(process_read(folder, 500, &p), 0);
        assert_int_equal(p.threads, 2);
        assert_int_equal(p.n_fds, 5);
        assert_int_equal(p.fds[4].number, 12);
        assert_string_equal(p.fds[4].type, "anonymous");
        assert_string_equal(p.fds[0].type, "character");
        assert_string_equal(p.fds[1].type, "socket");
        assert_string_equal(p.fds[2].type, "memfd");
        assert_string_equal(p.fds[3].type, "pipe");
        for (size_t i = 0; (fact = sandbox_fact(i)); i++) {
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;
                enum verdict v = fact->judge(&p, fact->argument, &is);

                if (can_judge(fact->key) && v != (fact->promised ? VERDICT_HOLDS : VERDICT_NONE))
                        fail_msg("%s: %d, %s", fact->key, (int)v, is.text ? is.text : "-");
        }
}

static void test_what_is_shown(_unused_ void **state) {
        static const char *const facts[][2] = {
                { "pid", "500" },
                { "unit", "ublk-worker@a.service" },
                { "innerPid", "1" },
                { "uid", "4242" },
                { "gid", "77" },
                { "systemCallFilter", "filter in 2 of 2 threads, 3 filters" },
                { "lockedBytes", "2M" },
                { "oomScore", "-900" },
                { "openFilesLimit", "64, can be raised to 1024" },
                { "processesLimit", "16" },
                { "lockedMemoryLimit", "" },
                { "fds", "5" },
        };

        for (size_t i = 0; i < ELEMENTSOF(facts); i++)
                expect(facts[i][0], find_fact(facts[i][0])->promised ? VERDICT_HOLDS : VERDICT_NONE,
                       facts[i][1]);
}

/* One line of the second thread's status at a time; an empty one is a kernel that doesn't have it. */
static void test_one_thread_is_enough(_unused_ void **state) {
        static const struct {
                const char *line, *instead, *key;
                enum verdict verdict;
                const char *is;
        } cases[] = {
                { "Uid:\t4242\t4242", "Uid:\t4242\t0", "uid", VERDICT_BROKEN, "0 and 4242" },
                { "Uid:\t4242\t4242\t4242\t4242", "Uid:\t4242", "uid", VERDICT_UNKNOWN, "" },
                { "Gid:\t77\t77\t77\t77", "Gid:\t77\t77\t77\t78", "gid", VERDICT_BROKEN, NULL },
                { "Groups:\t ", "Groups:\t4 5 ", "groups", VERDICT_BROKEN, "2" },
                { "CapBnd:\t0000000000000000", "CapBnd:\t0000000000200000", "capabilities",
                  VERDICT_BROKEN, "bounding 0x200000" },
                { "CapAmb:\t0000000000000000\n", "", "capabilities", VERDICT_UNKNOWN, "" },
                { "NoNewPrivs:\t1", "NoNewPrivs:\t0", "noNewPrivs", VERDICT_BROKEN, "no" },
                { "NoNewPrivs:\t1\n", "", "noNewPrivs", VERDICT_UNKNOWN, "" },
                { "Seccomp:\t2", "Seccomp:\t0", "systemCallFilter", VERDICT_BROKEN,
                  "filter in 1 of 2 threads, 3 filters" },
                { "Seccomp_filters:\t3", "Seccomp_filters:\t1", "systemCallFilter", VERDICT_HOLDS,
                  "filter in 2 of 2 threads, 1 filter" },
                { "Seccomp:\t2\nSeccomp_filters:\t3\n", "", "systemCallFilter", VERDICT_UNKNOWN,
                  "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *at = strstr(STATUS, cases[i].line);
                _cleanup_free_ char *status = NULL;

                assert_non_null(at);
                assert_true(asprintf(&status, "%.*s%s%s", (int)(strlen(STATUS) - strlen(at)),
                                     STATUS, cases[i].instead, at + strlen(cases[i].line)) > 0);
                put("500/task/501/status", status);
                expect(cases[i].key, cases[i].verdict, cases[i].is);
        }
        put("500/task/501/status", STATUS);
        put("500/task/501/stat", "501 (x) S 1 500 500 0 -1 4194304 0\n");
        expect("ioFlusher", VERDICT_BROKEN, "no");
        put("500/task/501/stat", "501 (x");
        expect("ioFlusher", VERDICT_UNKNOWN, "");
}

static void test_namespaces(_unused_ void **state) {
        _cleanup_free_ char *first = NULL;

        assert_true(asprintf(&first, "%s/1/ns/net", folder) > 0);
        drop("500/ns/net");
        expect("netNamespace", VERDICT_UNKNOWN, "");
        link_to("500/ns/net", first);
        expect("netNamespace", VERDICT_BROKEN, NULL);
        expect("ipcNamespace", VERDICT_HOLDS, NULL);
        drop("1/ns/net");
        expect("netNamespace", VERDICT_UNKNOWN, "");
        put("1/ns/net", "");
}

static void test_files(_unused_ void **state) {
        put("500/root/etc", "");
        expect("root", VERDICT_BROKEN, "1 entries");
        drop("500/root/etc");
        drop("500/root");
        expect("root", VERDICT_UNKNOWN, "");
        put("500/mountinfo", "1 1 0:1 / / ro\n2 1 0:1 / /x ro\n");
        expect("mounts", VERDICT_BROKEN, "2");
        put("500/oom_score_adj", "0\n");
        expect("oomScore", VERDICT_BROKEN, "0");
        put("500/limits",
            "Max core file size        0                    unlimited            bytes\n");
        expect("coreLimit", VERDICT_BROKEN, "0, can be raised to unlimited");
        drop("500/limits");
        expect("coreLimit", VERDICT_UNKNOWN, "");
        put("500/cgroup", "0::/a/b\n");
        expect("unit", VERDICT_NONE, "/a/b");
}

static void test_fds(_unused_ void **state) {
        link_to("500/fd/6", "/dev/ublkc0");
        expect("fds", VERDICT_BROKEN, "6");
        link_to("500/fd/6", "/");
        expect("fds", VERDICT_BROKEN, "6");
        drop("500/fd/6");
        expect("fds", VERDICT_HOLDS, "5");
}

static void test_no_process(_unused_ void **state) {
        _cleanup_(process_done) struct process p = { 0 };

        assert_int_equal(process_read(folder, 501, &p), -ESRCH);
        process_done(&p);
        assert_int_equal(process_read("/nonexistent", 500, &p), -ESRCH);
}

/* The real thing: whatever a thread of this kernel looks like, it can be read. */
static void test_self(_unused_ void **state) {
        _cleanup_(process_done) struct process p = { 0 };

        assert_int_equal(process_read("/proc", getpid(), &p), 0);
        assert_true(p.threads >= 1);
        assert_true(process_knows(&p, FACT_UID));
        assert_true(p.uid.low <= geteuid() && geteuid() <= p.uid.high);
        assert_true(p.n_fds > 0);
        assert_non_null(p.limits[LIMIT_CORE].soft);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_everything_holds, make_worker, remove_worker),
                cmocka_unit_test_setup_teardown(test_what_is_shown, make_worker, remove_worker),
                cmocka_unit_test_setup_teardown(test_one_thread_is_enough, make_worker,
                                                remove_worker),
                cmocka_unit_test_setup_teardown(test_namespaces, make_worker, remove_worker),
                cmocka_unit_test_setup_teardown(test_files, make_worker, remove_worker),
                cmocka_unit_test_setup_teardown(test_fds, make_worker, remove_worker),
                cmocka_unit_test(test_no_process),
                cmocka_unit_test(test_self),
        };

        if (!mkdtemp(folder))
                return 1;
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        return r;
}
