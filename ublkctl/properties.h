/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of an object, all at once, so that they belong together. */

#include <stdint.h>

#include "lib/base/strbuf.h"
#include "ublkctl/client.h"

struct property {
        char *name;
        char kind; /* 's' text, 'n' number, 'b' bool, 'a' texts, joined with newlines in `text` */
        char *text;
        uint64_t number;
};

struct properties {
        struct property *items;
        size_t count;
};

/* Returns the exit status. Properties of other types than those above are left out. */
int properties_get(sd_bus *bus, const char *object, const char *interface, const char *subject,
                   struct properties *ret);

/* NULL, or 0, when there is no such property. */
const char *property_text(const struct properties *properties, const char *name);
uint64_t property_number(const struct properties *properties, const char *name);

/* Appends `"key":value` for each, with commas between. Spec is embedded as the object that it is. */
void properties_add_json(const struct properties *properties, struct strbuf *out);

void properties_done(struct properties *properties);
