/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* list: one line for each device. It is one call, however many devices there are. */

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/json.h"
#include "lib/spec/text.h"
#include "ublkctl/client.h"
#include "ublkctl/output.h"
#include "ublkctl/verbs.h"

/* Borrowed from the reply. */
struct row {
        const char *name, *object, *type, *state;
        uint32_t id;
        uint64_t size;
};

struct rows {
        struct row *items;
        size_t count;
};

static void rows_done(struct rows *rows) {
        free(rows->items);
}

static bool is_wanted(const struct arguments *a, const char *name) {
        if (a->n_names == 0)
                return true;
        for (size_t i = 0; i < a->n_names; i++)
                if (fnmatch(a->names[i], name, 0) == 0)
                        return true;
        return false;
}

static int read_rows(const struct arguments *a, sd_bus_message *m, struct rows *rows) {
        struct row row;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sosuts)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(sosuts)", &row.name, &row.object, &row.type, &row.id,
                                        &row.size, &row.state)) > 0) {
                if (!is_wanted(a, row.name))
                        continue;
                struct row *items = reallocarray(rows->items, rows->count + 1, sizeof(row));
                if (!items)
                        return -ENOMEM;
                rows->items = items;
                rows->items[rows->count++] = row;
        }
        return r;
}

/* So that disk10 comes after disk9. */
static int compare_rows(const void *a, const void *b) {
        const struct row *x = a, *y = b;

        return strverscmp(x->name, y->name);
}

/* A device that is just being made has no number yet. */
static bool has_node(const struct row *row) {
        return row->id != UINT32_MAX;
}

static int print_table(const struct arguments *a, const struct rows *rows) {
        static const char *const heading[] = { "NAME", "NODE", "SIZE", "TYPE", "STATE" };
        _cleanup_(table_done) struct table table = { .columns = ELEMENTSOF(heading) };
        bool legend = !is_given(a, OPTION_NO_LEGEND);

        for (size_t i = 0; i < ELEMENTSOF(heading); i++)
                table_add(&table, heading[i]);
        for (size_t i = 0; i < rows->count; i++) {
                const struct row *row = &rows->items[i];
                char node[32] = "", size[32];

                if (has_node(row))
                        (void)snprintf(node, sizeof(node), "/dev/ublkb%" PRIu32, row->id);
                format_size(row->size, size, sizeof(size));
                table_add(&table, SHOWN(row->name));
                table_add(&table, node);
                table_add(&table, size);
                table_add(&table, SHOWN(row->type));
                table_add(&table, SHOWN(row->state));
        }

        int status = table_print(&table, legend && rows->count > 0, 1U << 2);
        if (status == EXIT_SUCCESS && legend)
                printf("%s%zu device%s listed.\n", rows->count > 0 ? "\n" : "", rows->count,
                       rows->count == 1 ? "" : "s");
        return status;
}

static int print_rows_json(const struct arguments *a, const struct rows *rows) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        strbuf_add(&b, "[");
        for (size_t i = 0; i < rows->count; i++) {
                const struct row *row = &rows->items[i];

                strbuf_add(&b, i > 0 ? ",{\"name\":" : "{\"name\":");
                json_add_string(&b, row->name);
                if (has_node(row))
                        strbuf_addf(&b, ",\"node\":\"/dev/ublkb%" PRIu32 "\",\"id\":%" PRIu32,
                                    row->id, row->id);
                else
                        strbuf_add(&b, ",\"node\":null,\"id\":null");
                strbuf_add(&b, ",\"type\":");
                json_add_string(&b, row->type);
                strbuf_addf(&b, ",\"sizeBytes\":%" PRIu64 ",\"state\":", row->size);
                json_add_string(&b, row->state);
                strbuf_add(&b, ",\"object\":");
                json_add_string(&b, row->object);
                strbuf_add(&b, "}");
        }
        strbuf_add(&b, "]");
        return print_json_buffer(a->json, &b);
}

int verb_list(const struct arguments *a) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(rows_done) struct rows rows = { 0 };
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        status = client_connect(a, &bus);
        if (status == EXIT_SUCCESS)
                status = client_new_call(bus, "ListDevices", &call);
        if (status == EXIT_SUCCESS)
                status = client_call(bus, call, NULL, &reply);
        if (status != EXIT_SUCCESS)
                return status;

        int r = read_rows(a, reply, &rows);
        if (r < 0)
                return client_unreadable(r);
        if (is_given(a, OPTION_QUIET))
                return EXIT_SUCCESS;
        if (rows.count > 0)
                qsort(rows.items, rows.count, sizeof(*rows.items), compare_rows);
        return a->json == JSON_OFF ? print_table(a, &rows) : print_rows_json(a, &rows);
}
