/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* apply: sends files to the manager, which plans and acts. Files are not judged here, with one
 * exception: what isn't text can't be sent, so its errors are found on this side. Its file is sent
 * empty, which leaves its device alone; not sent at all it would look deleted to --prune.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/spec/json.h"
#include "lib/spec/plan-read.h"
#include "lib/spec/text.h"
#include "ublkctl/client.h"
#include "ublkctl/documents.h"
#include "ublkctl/output.h"
#include "ublkctl/path.h"
#include "ublkctl/plan-print.h"
#include "ublkctl/verbs.h"

/* A document on its way. */
struct item {
        char *path;       /* absolute */
        const char *text; /* borrowed */
        bool reported;    /* its errors were said */
};

struct request {
        struct documents documents;
        struct item *items;
        size_t count;
        char *folder; /* absolute; NULL unless one folder is all that was given */
        int status;
};

static void request_done(struct request *request) {
        for (size_t i = 0; i < request->count; i++)
                free(request->items[i].path);
        free(request->items);
        free(request->folder);
        documents_done(&request->documents);
}

static bool is_utf8(const char *text, size_t size) {
        while (size > 0) {
                uint32_t c;
                size_t n = utf8_decode(text, size, &c);

                if (n == 0)
                        return false;
                text += n;
                size -= n;
        }
        return true;
}

/* D-Bus strings are UTF-8 without NUL. */
static bool is_sendable(const char *text, size_t size) {
        return is_utf8(text, size) && !memchr(text, 0, size);
}

/* Says what is wrong with a file that can't be sent. */
static int report(const struct document *document, const char *path) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = path };
        _cleanup_(spec_freep) struct spec *spec = NULL;
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        int r;

        if (document->error < 0)
                r = spec_errors_add(&errors, NULL, NULL, SPEC_ERROR_SYNTAX, "%s",
                                    document_error(document));
        else
                r = spec_parse_json(document->text, document->size, &spec, &errors);
        for (size_t i = 0; i < errors.count; i++)
                spec_error_format(&errors.items[i], &b);
        if (r == -ENOMEM || b.error < 0)
                return r == -ENOMEM ? r : b.error;
        if (b.text)
                (void)fputs(b.text, stderr);
        return 0;
}

static bool is_known(const struct request *request, const char *path) {
        for (size_t i = 0; i < request->count; i++)
                if (streq(request->items[i].path, path))
                        return true;
        return false;
}

static int add_item(struct request *request, const struct document *document) {
        _cleanup_free_ char *path = NULL;
        bool broken = document->error < 0 || !is_sendable(document->text, document->size);
        int r;

        r = path_resolve_file(document->path, &path);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && is_known(request, path))
                return 0;
        if (broken) {
                request->status = EXIT_FAILURE;
                r = report(document, path ? path : document->path);
                if (r < 0)
                        return r;
        }
        /* What was named but isn't there says nothing about a device; and no device has a name that
         * can't be sent. */
        if (!path || (broken && !document->listed))
                return 0;
        if (!is_sendable(path, strlen(path))) {
                request->status = complain("%s: the path is not UTF-8", SHOWN(path));
                return 0;
        }
        request->items[request->count++] = (struct item){
                .path = TAKE_PTR(path),
                .text = broken ? "" : document->text,
                .reported = broken,
        };
        return 0;
}

/* Returns 0 or an exit status, after having said what is wrong. */
static int collect(const struct arguments *a, struct request *request) {
        static const char *fallback[] = { DEVICES_FOLDER };
        const char **paths = a->n_names > 0 ? a->names : fallback;
        size_t n_paths = MAX(a->n_names, (size_t)1), n_folders = 0;

        for (size_t i = 0; i < n_paths; i++) {
                bool is_folder;
                int r = documents_read(paths[i], &request->documents, &is_folder);

                if (r < 0)
                        return complain("%s: %s", SHOWN(paths[i]), strerror(-r));
                n_folders += is_folder;
        }
        if (n_paths == 1 && n_folders == 1) {
                int r = path_resolve_folder(paths[0], &request->folder);

                if (r < 0)
                        return complain("%s: %s", SHOWN(paths[0]), strerror(-r));
        } else if (is_given(a, OPTION_PRUNE))
                return usage("--prune needs exactly one folder");

        request->items = calloc(request->documents.count + 1, sizeof(*request->items));
        if (!request->items)
                return out_of_memory();
        for (size_t i = 0; i < request->documents.count; i++)
                if (add_item(request, &request->documents.items[i]) < 0)
                        return out_of_memory();
        return 0;
}

static int append_request(sd_bus_message *m, const struct arguments *a,
                          const struct request *request) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ss)");
        for (size_t i = 0; r >= 0 && i < request->count; i++)
                r = sd_bus_message_append(m, "(ss)", request->items[i].path,
                                          request->items[i].text);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}", "prune", "b", is_given(a, OPTION_PRUNE),
                                          "force", "b", is_given(a, OPTION_FORCE));
        if (r >= 0 && request->folder)
                r = sd_bus_message_append(m, "{sv}", "folder", "s", request->folder);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool was_reported(const char *path, const void *userdata) {
        const struct request *request = userdata;

        for (size_t i = 0; i < request->count; i++)
                if (streq(request->items[i].path, path))
                        return request->items[i].reported;
        return false;
}

static int show_plan(const struct arguments *a, const struct request *request, const char *json) {
        _cleanup_(plan_freep) struct plan *plan = NULL;
        int r, status;

        r = plan_from_json(json, &plan);
        if (r < 0)
                return r == -ENOMEM ? out_of_memory() : client_unreadable(r);
        if (a->json != JSON_OFF && print_json(a->json, json) != EXIT_SUCCESS)
                return EXIT_FAILURE;
        status = plan_print(a, plan, was_reported, request);
        return worse(status, request->status);
}

int verb_apply(const struct arguments *a) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(request_done) struct request request = { 0 };
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *json;
        int r, status;

        status = collect(a, &request);
        if (status != EXIT_SUCCESS)
                return status;
        if (request.count == 0 && request.status != EXIT_SUCCESS && !request.folder)
                return request.status;
        status = client_connect(a, &bus);
        if (status == EXIT_SUCCESS)
                status =
                        client_new_call(bus, is_given(a, OPTION_DRY_RUN) ? "Plan" : "Apply", &call);
        if (status != EXIT_SUCCESS)
                return status;
        r = append_request(call, a, &request);
        if (r < 0)
                return client_unsendable(r);
        status = client_call(bus, call, NULL, &reply);
        if (status != EXIT_SUCCESS)
                return status;
        r = sd_bus_message_read(reply, "s", &json);
        return r < 0 ? client_unreadable(r) : show_plan(a, &request, json);
}
