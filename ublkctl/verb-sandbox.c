/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sandbox: what a running worker can and can't do, as the kernel tells it. The worker and the manager aren't
 * asked, but for the number of the process: who doubts them wants to know it from somebody else.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/spec/json.h"
#include "lib/spec/text.h"
#include "ublkctl/client.h"
#include "ublkctl/output.h"
#include "ublkctl/process.h"
#include "ublkctl/properties.h"
#include "ublkctl/sandbox-facts.h"
#include "ublkctl/verbs.h"

struct counts {
        size_t of[_VERDICT_MAX];
};

static bool all_hold(const struct counts *counts) {
        return counts->of[VERDICT_BROKEN] == 0 && counts->of[VERDICT_UNKNOWN] == 0;
}

static struct counts count(const struct process *p) {
        struct counts counts = { 0 };
        const struct sandbox_fact *fact;

        for (size_t i = 0; (fact = sandbox_fact(i)); i++) {
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;

                counts.of[fact->judge(p, fact->argument, &is)]++;
        }
        return counts;
}

static const char *shown_verdict(enum verdict verdict) {
        return verdict == VERDICT_BROKEN ? "does NOT hold" : verdict_to_string(verdict);
}

static void add_fds(struct table *table, const struct process *p) {
        for (size_t i = 0; i < p->n_fds; i++) {
                enum verdict verdict = sandbox_judge_fd(&p->fds[i]);
                char title[32];
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;

                (void)snprintf(title, sizeof(title), "  fd %u", p->fds[i].number);
                strbuf_addf(&is, "%s: ", p->fds[i].type);
                text_add(&is, p->fds[i].is);
                table_add(table, title);
                table_add(table, verdict == VERDICT_BROKEN ? shown_verdict(verdict) : NULL);
                table_add(table, NULL);
                table_add(table, is.text);
        }
}

static int print_table(const struct arguments *a, const char *name, const struct process *p,
                       const struct counts *counts) {
        static const char *const heading[] = { "WHAT", "VERDICT", "PROMISED", "IS" };
        _cleanup_(table_done) struct table table = { .columns = ELEMENTSOF(heading) };
        bool legend = !is_given(a, OPTION_NO_LEGEND);
        const struct sandbox_fact *fact;
        int status;

        for (size_t i = 0; i < ELEMENTSOF(heading); i++)
                table_add(&table, heading[i]);
        for (size_t i = 0; (fact = sandbox_fact(i)); i++) {
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;
                enum verdict verdict = fact->judge(p, fact->argument, &is);

                table_add(&table, fact->title);
                table_add(&table, shown_verdict(verdict));
                table_add(&table, fact->promised);
                table_add(&table, is.text ? SHOWN(is.text) : NULL);
        }
        add_fds(&table, p);

        printf("%s\n", name);
        status = table_print(&table, legend, 0);
        if (status == EXIT_SUCCESS && legend)
                printf("%zu promises hold, %zu do not, %zu unknown.\n", counts->of[VERDICT_HOLDS],
                       counts->of[VERDICT_BROKEN], counts->of[VERDICT_UNKNOWN]);
        return status;
}

static void add_json_text(struct strbuf *out, const char *key, const char *text) {
        strbuf_addf(out, ",\"%s\":", key);
        if (text)
                json_add_string(out, text);
        else
                strbuf_add(out, "null");
}

static int print_object(const struct arguments *a, const char *name, const struct process *p,
                        const struct counts *counts) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        const struct sandbox_fact *fact;

        strbuf_add(&b, "{\"name\":");
        json_add_string(&b, name);
        strbuf_addf(&b, ",\"workerPid\":%d,\"holds\":%s,\"facts\":{", (int)p->pid,
                    all_hold(counts) ? "true" : "false");
        for (size_t i = 0; (fact = sandbox_fact(i)); i++) {
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;
                enum verdict verdict = fact->judge(p, fact->argument, &is);

                strbuf_addf(&b, "%s\"%s\":{\"verdict\":\"%s\"", i > 0 ? "," : "", fact->key,
                            verdict == VERDICT_NONE ? "none" : verdict_to_string(verdict));
                add_json_text(&b, "promised", fact->promised);
                add_json_text(&b, "is", is.text);
                strbuf_add(&b, "}");
        }
        strbuf_add(&b, "},\"fds\":[");
        for (size_t i = 0; i < p->n_fds; i++) {
                strbuf_addf(&b, "%s{\"fd\":%u", i > 0 ? "," : "", p->fds[i].number);
                add_json_text(&b, "verdict", verdict_to_string(sandbox_judge_fd(&p->fds[i])));
                add_json_text(&b, "type", p->fds[i].type);
                _cleanup_(strbuf_done) struct strbuf is = STRBUF_NULL;

                text_add(&is, p->fds[i].is);
                add_json_text(&b, "is", is.text);
                strbuf_add(&b, "}");
        }
        strbuf_add(&b, "]}");
        return print_json_buffer(a->json, &b);
}

/* *ret is 0 when the device has no worker. */
static int ask_pid(sd_bus *bus, const char *object, const char *name, pid_t *ret) {
        _cleanup_(properties_done) struct properties properties = { 0 };
        int status;

        status = properties_get(bus, object, DEVICE_INTERFACE, name, &properties);
        if (status != EXIT_SUCCESS)
                return status;
        *ret = (pid_t)property_number(&properties, "WorkerPID");
        if (*ret <= 0)
                return complain("%s: it has no worker (its state is %s)", name,
                                property_text(&properties, "State")
                                        ? SHOWN(property_text(&properties, "State"))
                                        : "unknown");
        return EXIT_SUCCESS;
}

static int complain_of_reading(int error, const char *name, pid_t pid) {
        if (error == -ENOMEM)
                return out_of_memory();
        if (error == -ESRCH)
                return complain("%s: its worker %d has ended meanwhile; try again", name, (int)pid);
        if (error != -EACCES && error != -EPERM)
                return complain("%s: worker %d can't be read: %s", name, (int)pid,
                                strerror(-error));
        if (geteuid() == 0)
                return complain(
                        "%s: the kernel doesn't show worker %d even to root; run it outside "
                        "of the container",
                        name, (int)pid);
        return complain("%s: reading worker %d needs root: sudo ublkctl sandbox %s", name, (int)pid,
                        name);
}

/* A number may be that of another process by the time it is looked up. While a pidfd is open and the process
 * hasn't ended, its number is its own; and if the manager still names it after the pidfd was opened, it is
 * the worker. */
static int read_worker(sd_bus *bus, const char *object, const char *name, struct process *ret) {
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid, again;
        int r, status;

        status = ask_pid(bus, object, name, &pid);
        if (status != EXIT_SUCCESS)
                return status;
        if (geteuid() != 0)
                return complain_of_reading(-EACCES, name, pid);
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0)
                return complain_of_reading(-errno, name, pid);
        status = ask_pid(bus, object, name, &again);
        if (status != EXIT_SUCCESS)
                return status;
        if (again != pid)
                return complain_of_reading(-ESRCH, name, pid);

        r = process_read("/proc", pid, ret);
        struct pollfd ended = { .fd = pidfd, .events = POLLIN };
        if (r >= 0 && poll(&ended, 1, 0) != 0)
                r = -ESRCH;
        return r < 0 ? complain_of_reading(r, name, pid) : EXIT_SUCCESS;
}

static int show(const struct arguments *a, sd_bus *bus, const char *name, bool first) {
        _cleanup_(process_done) struct process process = { 0 };
        _cleanup_free_ char *object = NULL;
        int status;

        status = client_find_device(bus, name, &object);
        if (status == EXIT_SUCCESS)
                status = read_worker(bus, object, name, &process);
        if (status != EXIT_SUCCESS)
                return status;

        struct counts counts = count(&process);
        if (!is_given(a, OPTION_QUIET)) {
                if (!first && a->json == JSON_OFF)
                        (void)putchar('\n');
                status = a->json == JSON_OFF ? print_table(a, name, &process, &counts)
                                             : print_object(a, name, &process, &counts);
        }
        return worse(status, all_hold(&counts) ? EXIT_SUCCESS : EXIT_FAILURE);
}

int verb_sandbox(const struct arguments *a) {
        return client_each_name(a, show);
}
