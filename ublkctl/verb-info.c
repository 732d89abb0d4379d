/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* features: what manager and kernel can, for people who wonder why something can't be done. */

#include <stdio.h>

#include "lib/spec/text.h"
#include "ublkctl/client.h"
#include "ublkctl/output.h"
#include "ublkctl/properties.h"
#include "ublkctl/verbs.h"

/* The lines of a text, in one. */
static int print_line(const char *title, const char *texts) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        _cleanup_free_ char *copy = strdup(texts && *texts ? texts : "-");

        if (!copy)
                return out_of_memory();
        for (char *c = copy; *c; c++)
                if (*c == '\n')
                        *c = ' ';
        text_add(&b, copy);
        if (b.error < 0)
                return out_of_memory();
        printf("%8s: %s\n", title, b.text);
        return EXIT_SUCCESS;
}

int verb_features(const struct arguments *a) {
        _cleanup_(properties_done) struct properties properties = { 0 };
        _cleanup_(strbuf_done) struct strbuf json = STRBUF_NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        status = client_connect(a, &bus);
        if (status == EXIT_SUCCESS)
                status = properties_get(bus, MANAGER_OBJECT, MANAGER_INTERFACE, NULL, &properties);
        if (status != EXIT_SUCCESS || is_given(a, OPTION_QUIET))
                return status;

        if (a->json != JSON_OFF) {
                strbuf_add(&json, "{");
                properties_add_json(&properties, &json);
                strbuf_add(&json, "}");
                return print_json_buffer(a->json, &json);
        }
        status = print_line("Version", property_text(&properties, "Version"));
        if (status == EXIT_SUCCESS)
                status = print_line("Targets", property_text(&properties, "Targets"));
        if (status == EXIT_SUCCESS)
                status = print_line("Kernel", property_text(&properties, "KernelFeatures"));
        return status;
}
