/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The field table: everything that is to be said about a key is said here and nowhere else. Adding
 * a key is adding a line here and to enum spec_key; JSON, D-Bus, command line, schema, plan and
 * documentation follow. Bounds are those of the kernel (reference: ublk_drv, block layer) unless a
 * comment gives another reason.
 */

#include "lib/spec/spec.h"

#include <ctype.h>
#include <errno.h>

#include "lib/base/str.h"

#define ONLY_NULL  (1U << SPEC_TYPE_NULL)
#define ONLY_RAM   (1U << SPEC_TYPE_RAM)
#define ONLY_LOOP  (1U << SPEC_TYPE_LOOP)
#define EVERY_TYPE (ONLY_NULL | ONLY_RAM | ONLY_LOOP)

enum { KIB = 1024, MIB = 1024 * KIB };

static const struct spec_field fields[_SPEC_KEY_MAX] = {
        [SPEC_TYPE] = {
                .key = "type",
                .kind = SPEC_KIND_TYPE,
                .types = EVERY_TYPE,
                .required = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .example = "\"loop\"",
                .doc = "What serves the device: null (keeps nothing), ram, loop (a file or disk)",
        },
        [SPEC_SIZE_BYTES] = {
                .key = "sizeBytes",
                .kind = SPEC_KIND_SIZE,
                /* A page: the page cache reads a device in pages, a smaller one is of no use.
                 * The most is what fits into a loff_t as whole sectors. */
                .minimum = 4096,
                .maximum = (UINT64_C(1) << 63) - 512,
                .multiple = 512,
                .types = EVERY_TYPE,
                .required = ONLY_NULL | ONLY_RAM,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "loop: from offsetBytes to the end of the backing",
                .example = "\"64M\"",
                .doc = "Size of the device; of a loop: how much of the backing it shows",
        },
        [SPEC_PATH] = {
                .key = "path",
                .kind = SPEC_KIND_STRING,
                .minimum = 2,
                .maximum = 4095, /* PATH_MAX without the NUL */
                .absolute_path = true,
                .types = ONLY_LOOP,
                .required = ONLY_LOOP,
                .change = SPEC_CHANGE_RECREATE,
                .example = "\"/srv/disk.img\"",
                .doc = "Absolute path of the regular file or block device that holds the data",
        },
        [SPEC_OFFSET_BYTES] = {
                .key = "offsetBytes",
                .kind = SPEC_KIND_SIZE,
                .maximum = (UINT64_C(1) << 63) - 512,
                .multiple = 512,
                .types = ONLY_LOOP,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "0",
                .example = "\"1M\"",
                .doc = "Where in the backing the device begins",
        },
        [SPEC_READ_ONLY] = {
                .key = "readOnly",
                .kind = SPEC_KIND_BOOL,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "false",
                .example = "true",
                .doc = "Whether writing is refused",
        },
        [SPEC_DIRECT] = {
                .key = "direct",
                .kind = SPEC_KIND_BOOL,
                .types = ONLY_LOOP,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "true where the backing can",
                .example = "false",
                .doc = "Whether the backing is read and written past the page cache (O_DIRECT)",
        },
        [SPEC_LOGICAL_BLOCK_SIZE] = {
                .key = "logicalBlockSize",
                .kind = SPEC_KIND_SIZE,
                .minimum = 512,
                .maximum = 4096,
                .power_of_two = true,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "512",
                .example = "4096",
                .doc = "Smallest unit that can be read or written",
        },
        [SPEC_PHYSICAL_BLOCK_SIZE] = {
                .key = "physicalBlockSize",
                .kind = SPEC_KIND_SIZE,
                .minimum = 512,
                .maximum = 1 * MIB,
                .power_of_two = true,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "4096, or logicalBlockSize if that is larger",
                .example = "4096",
                .doc = "Smallest unit written without reading first; at least logicalBlockSize",
        },
        [SPEC_QUEUES] = {
                .key = "queues",
                .kind = SPEC_KIND_INTEGER,
                .minimum = 1,
                .maximum = 64, /* a queue is a thread of the worker */
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "1 for loop, otherwise the number of processors, at most 4",
                .example = "4",
                .doc = "Number of hardware queues, each served by a thread of its own",
        },
        [SPEC_QUEUE_DEPTH] = {
                .key = "queueDepth",
                .kind = SPEC_KIND_INTEGER,
                .minimum = 1,
                .maximum = 4096,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "64",
                .example = "128",
                .doc = "Number of requests that a queue may have in flight",
        },
        [SPEC_MAX_IO_BYTES] = {
                .key = "maxIoBytes",
                .kind = SPEC_KIND_SIZE,
                .minimum = 4096,
                .maximum = 32 * MIB, /* the width of the offset in the kernel's user copy */
                .multiple = 4096,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "512K",
                .example = "\"1M\"",
                .doc = "Largest single request; queues × queueDepth × maxIoBytes may be up to 1G",
        },
        [SPEC_ID] = {
                .key = "id",
                .kind = SPEC_KIND_INTEGER,
                .maximum = (1 << 20) - 1,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_RECREATE,
                .fallback = "any that is free",
                .example = "0",
                .doc = "The N of /dev/ublkbN",
        },
        [SPEC_PARTITIONS] = {
                .key = "partitions",
                .kind = SPEC_KIND_BOOL,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_LIVE,
                .fallback = "false",
                .example = "true",
                .doc = "Whether the partitions in its table get nodes, such as ublkb0p1",
        },
        [SPEC_DESCRIPTION] = {
                .key = "description",
                .kind = SPEC_KIND_STRING,
                .maximum = 256,
                .types = EVERY_TYPE,
                .change = SPEC_CHANGE_LIVE,
                .example = "\"scratch space of the build machine\"",
                .doc = "What the device is for, for people",
        },
};

static const char *const types[_SPEC_TYPE_MAX] = {
        [SPEC_TYPE_NULL] = "null",
        [SPEC_TYPE_RAM] = "ram",
        [SPEC_TYPE_LOOP] = "loop",
};

const struct spec_field *spec_field(enum spec_key key) {
        return &fields[key];
}

int spec_key_from_string(const char *key) {
        for (int i = 0; i < _SPEC_KEY_MAX; i++)
                if (streq(fields[i].key, key))
                        return i;
        return -ENOENT;
}

const char *spec_type_to_string(enum spec_type type) {
        return types[type];
}

int spec_type_from_string(const char *type) {
        for (int i = 0; i < _SPEC_TYPE_MAX; i++)
                if (streq(types[i], type))
                        return i;
        return -ENOENT;
}

const char *spec_change_to_string(enum spec_change change) {
        static const char *const names[] = {
                [SPEC_CHANGE_LIVE] = "live",
                [SPEC_CHANGE_WORKER] = "worker",
                [SPEC_CHANGE_RECREATE] = "recreate",
        };

        return names[change];
}

int spec_field_option(const struct spec_field *field, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        for (const char *c = field->key; *c; c++) {
                if (isupper((unsigned char)*c))
                        strbuf_add(&b, "-");
                strbuf_add_n(&b, &(char){ (char)tolower((unsigned char)*c) }, 1);
        }
        return strbuf_steal(&b, ret);
}

int spec_field_default(const struct spec_field *field, uint64_t *ret) {
        if (!field->fallback)
                return -ENOENT;
        if (field->kind != SPEC_KIND_BOOL)
                return parse_size(field->fallback, ret) < 0 ? -ENOENT : 0;
        if (!streq(field->fallback, "true") && !streq(field->fallback, "false"))
                return -ENOENT;
        *ret = streq(field->fallback, "true");
        return 0;
}
