/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device should be
 *
 * A spec is a flat set of keys. Which keys there are, their types, bounds, defaults and documentation is
 * said once, in the field table (field.c); JSON, D-Bus, command line, schema and help all come from it.
 * Everything here is pure: no kernel, no bus, no threads, no global state. A spec remembers which values
 * were given and which are defaults, because that is what `status` shows and what a plan compares.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "lib/spec/error.h"

enum spec_key {
        SPEC_TYPE,
        SPEC_SIZE_BYTES,
        SPEC_PATH,
        SPEC_OFFSET_BYTES,
        SPEC_READ_ONLY,
        SPEC_DIRECT,
        SPEC_LOGICAL_BLOCK_SIZE,
        SPEC_PHYSICAL_BLOCK_SIZE,
        SPEC_QUEUES,
        SPEC_QUEUE_DEPTH,
        SPEC_MAX_IO_BYTES,
        SPEC_ID,
        SPEC_PARTITIONS,
        SPEC_DESCRIPTION,
        _SPEC_KEY_MAX,
};

enum spec_type {
        SPEC_TYPE_NULL,
        SPEC_TYPE_RAM,
        SPEC_TYPE_LOOP,
        _SPEC_TYPE_MAX,
};

enum spec_kind {
        SPEC_KIND_TYPE, /* a string, one of the target types; kept as enum spec_type in `number` */
        SPEC_KIND_STRING, /* kept in `string` */
        SPEC_KIND_SIZE,   /* bytes: an integer, or a string such as "10G" */
        SPEC_KIND_INTEGER,
        SPEC_KIND_BOOL, /* kept as 0 or 1 in `number` */
};

/* How a value may change on a device that exists. */
enum spec_change {
        SPEC_CHANGE_LIVE,     /* nobody notices */
        SPEC_CHANGE_WORKER,   /* another worker, I/O waits meanwhile */
        SPEC_CHANGE_RECREATE, /* the device goes away and comes back */
};

struct spec_field {
        const char *key; /* "sizeBytes"; the command line's "--size-bytes" is made of it */
        enum spec_kind kind;
        uint64_t minimum; /* SIZE and INTEGER; for STRING: lengths in bytes */
        uint64_t maximum;
        uint64_t multiple; /* SIZE and INTEGER: must be a multiple of this; 0 and 1 mean any */
        bool power_of_two;
        bool absolute_path; /* STRING: must begin with '/' and hold no "//", "/./", "/../", no trailing '/' */
        unsigned types;    /* mask of 1 << enum spec_type in which the key is allowed */
        unsigned required; /* mask of types in which it must be given */
        enum spec_change change;
        const char *fallback; /* the default, for people: "false", "from the backing"; NULL: none */
        const char *example;  /* an example value as JSON, for error messages: "\"10G\"" */
        const char *doc;      /* one line */
};

struct spec_value {
        bool set;       /* has a value */
        bool defaulted; /* … that nobody asked for */
        uint64_t number;
        char *string;
};

struct spec {
        struct spec_value values[_SPEC_KEY_MAX];
        char *extra; /* the `x-…` keys as one JSON object, "{…}" in the order given; NULL without any */
};

/* The field table; key < _SPEC_KEY_MAX. */
const struct spec_field *spec_field(enum spec_key key);

/* Returns an enum spec_key or -ENOENT. Exact, case-sensitive. */
int spec_key_from_string(const char *key);

/* The known key that somebody who wrote `key` is likely to have meant; NULL when none is near. */
const char *spec_key_nearest(const char *key);

/* The default as a number (bool: 0 or 1), where it depends on nothing else. Returns 0 or -ENOENT. */
int spec_field_default(const struct spec_field *field, uint64_t *ret);

/* "live", "worker", "recreate". */
const char *spec_change_to_string(enum spec_change change);

/* "null", "ram", "loop"; the other way round -ENOENT when there is no such target. */
const char *spec_type_to_string(enum spec_type type);
int spec_type_from_string(const char *type);

/* The command line's name of a field without the dashes in front: "size-bytes". Returns 0 or -ENOMEM. */
int spec_field_option(const struct spec_field *field, char **ret);

/* An empty spec. Returns 0 or -ENOMEM. */
int spec_new(struct spec **ret);
int spec_copy(const struct spec *spec, struct spec **ret);
void spec_free(struct spec *spec);
DEFINE_CLEANUP(struct spec *, spec_free)

/* A value as it comes from outside, before it is checked against the table. */
struct spec_input {
        enum { SPEC_INPUT_STRING, SPEC_INPUT_INTEGER, SPEC_INPUT_BOOL, SPEC_INPUT_OTHER } kind;
        const char *string;
        int64_t integer; /* negative ones are refused with a message about the bounds */
        uint64_t big;    /* INTEGER: set instead of `integer` when over INT64_MAX, else 0 */
        bool boolean;
        const char *other; /* OTHER: what it is, for the message: "a list", "null", "1.5" …
                                * INTEGER: as it was written, where that matters ("1e30"); or NULL */
};

/* Checks one value and puts it into the spec. What is wrong is added to `errors` (unknown key with the
 * nearest known one, given twice, wrong type, out of bounds, …) with the position `at` (NULL: no position).
 * Keys that begin with "x-" don't go through here. Returns 0, -EINVAL (something was added to errors) or
 * -ENOMEM. */
int spec_set(struct spec *spec, const char *key, const struct spec_input *input,
             const struct spec_position *at, struct spec_errors *errors);

/* Adds one `x-…` key with its value as JSON text. Returns 0 or -ENOMEM. */
int spec_set_extra(struct spec *spec, const char *key, const char *json);

/* Checks what concerns the spec as a whole: type given, keys that this type doesn't have, keys that it
 * requires, relations between values (physicalBlockSize ≥ logicalBlockSize, sizeBytes a multiple of it, …).
 * `positions` (may be NULL) has _SPEC_KEY_MAX elements: where each key stood. Returns as spec_set(). */
int spec_check(const struct spec *spec, const struct spec_position *at,
               const struct spec_position *positions, struct spec_errors *errors);

/* What the defaults depend on. */
struct spec_machine {
        unsigned processors;
};

/* Gives each key that is allowed for the type, isn't set and has a default that doesn't depend on the
 * backing its value, marked `defaulted`. Left unset: sizeBytes of a loop, direct, id, description. */
void spec_apply_defaults(struct spec *spec, const struct spec_machine *machine);

static inline uint64_t spec_number(const struct spec *spec, enum spec_key key) {
        return spec->values[key].number;
}
static inline bool spec_is_set(const struct spec *spec, enum spec_key key) {
        return spec->values[key].set;
}
/* NULL when not set. */
static inline const char *spec_string(const struct spec *spec, enum spec_key key) {
        return spec->values[key].string;
}

/* Whether both have the same value, or both none, for a key. Who asked for it doesn't matter. */
bool spec_value_equal(const struct spec *a, const struct spec *b, enum spec_key key);

/* The value as JSON text ("\"loop\"", "67108864", "true"); "null" when not set. Returns 0 or -ENOMEM. */
int spec_value_to_json(const struct spec *spec, enum spec_key key, char **ret);

/* The name that a device file gives its device: "db0" of "/etc/ublk/devices.d/db0.json".
 * Returns 0, -EINVAL (no ".json", or the stem is no valid name) or -ENOMEM. */
int spec_name_from_path(const char *path, char **ret);
