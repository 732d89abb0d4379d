/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* verify and schema: what can be said about device files without a manager, on any machine. verify finds
 * the same errors as the manager does, because both use lib/spec.
 */

#include <errno.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/json.h"
#include "lib/spec/schema.h"
#include "lib/spec/text.h"
#include "ublkctl/documents.h"
#include "ublkctl/output.h"
#include "ublkctl/verbs.h"

static int check_name(const struct document *document, struct spec_errors *errors) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = spec_name_from_path(document->path, &name);
        if (r != -EINVAL)
                return r;
        return spec_errors_add(
                errors, NULL, NULL, SPEC_ERROR_NAME,
                "the file's name is not the name of a device; call it NAME.json with "
                "letters, digits, \".\", \"_\" and \"-\", %d at most",
                NAME_LENGTH_MAX);
}

/* Returns 0 or -ENOMEM; what is wrong with the file is in errors. */
static int check_document(const struct document *document, struct spec_errors *errors) {
        _cleanup_(spec_freep) struct spec *spec = NULL;
        int r;

        errors->file = document->path;
        r = check_name(document, errors);
        if (r == -ENOMEM)
                return r;
        if (document->error < 0)
                r = spec_errors_add(errors, NULL, NULL, SPEC_ERROR_SYNTAX, "%s",
                                    document_error(document));
        else
                r = spec_parse_json(document->text, document->size, &spec, errors);
        return r == -ENOMEM ? r : 0;
}

static int add_json(struct strbuf *out, const struct document *document,
                    const struct spec_errors *errors) {
        strbuf_add(out, out->length > 1 ? ",{\"file\":" : "{\"file\":");
        json_add_string(out, document->path);
        strbuf_add(out, ",\"errors\":[");
        for (size_t i = 0; i < errors->count; i++) {
                const struct spec_error *e = &errors->items[i];

                strbuf_addf(out, "%s{\"line\":%u,\"column\":%u,\"key\":", i > 0 ? "," : "",
                            e->at.line, e->at.column);
                if (e->key)
                        json_add_string(out, e->key);
                else
                        strbuf_add(out, "null");
                strbuf_addf(out, ",\"code\":\"%s\",\"message\":", e->code);
                json_add_string(out, e->message);
                strbuf_add(out, "}");
        }
        strbuf_add(out, "]}");
        return out->error;
}

static int print_text(const struct arguments *a, const struct document *document,
                      const struct spec_errors *errors) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        if (errors->count == 0)
                text_add(&b, document->path);
        for (size_t i = 0; i < errors->count; i++)
                spec_error_format(&errors->items[i], &b);
        if (b.error < 0)
                return b.error;
        if (errors->count > 0)
                (void)fputs(b.text, stderr);
        else if (!is_given(a, OPTION_QUIET) && a->json == JSON_OFF)
                printf("%s: ok\n", b.text);
        return 0;
}

static int verify(const struct arguments *a, const struct documents *documents) {
        _cleanup_(strbuf_done) struct strbuf json = STRBUF_NULL;
        int status = EXIT_SUCCESS;

        strbuf_add(&json, "[");
        for (size_t i = 0; i < documents->count; i++) {
                _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
                const struct document *document = &documents->items[i];

                if (check_document(document, &errors) < 0 || print_text(a, document, &errors) < 0 ||
                    add_json(&json, document, &errors) < 0)
                        return out_of_memory();
                if (errors.count > 0)
                        status = EXIT_FAILURE;
        }
        strbuf_add(&json, "]");
        if (a->json != JSON_OFF && print_json_buffer(a->json, &json) != EXIT_SUCCESS)
                return EXIT_FAILURE;
        return status;
}

int verb_verify(const struct arguments *a) {
        _cleanup_(documents_done) struct documents documents = { 0 };
        static const char *const fallback[] = { DEVICES_FOLDER };
        const char *const *paths = a->n_names > 0 ? a->names : fallback;
        int status = EXIT_SUCCESS;

        for (size_t i = 0; i < MAX(a->n_names, (size_t)1); i++) {
                bool is_folder;
                int r = documents_read(paths[i], &documents, &is_folder);

                if (r < 0)
                        status = complain("%s: %s", SHOWN(paths[i]), strerror(-r));
        }
        return worse(status, verify(a, &documents));
}

int verb_schema(const struct arguments *a) {
        _cleanup_(strbuf_done) struct strbuf compact = STRBUF_NULL;
        _cleanup_free_ char *schema = NULL;

        if (spec_schema(&schema) < 0)
                return out_of_memory();
        if (a->json == JSON_SHORT) {
                json_add_compact(&compact, schema);
                return print_json_buffer(JSON_SHORT, &compact);
        }
        (void)fputs(schema, stdout);
        return EXIT_SUCCESS;
}
