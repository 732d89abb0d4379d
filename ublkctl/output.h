/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people and programs get to read: results on stdout, what went wrong on stderr as
 * "ublkctl: …" in one line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "lib/base/strbuf.h"
#include "ublkctl/arguments.h"

/* Returns EXIT_FAILURE, for `return complain(…)`. */
int complain(const char *format, ...) _printf_(1, 2);

/* The same for a command line that is wrong: adds where to look. Returns EXIT_USAGE. */
int usage(const char *format, ...) _printf_(1, 2);

int out_of_memory(void);

/* Pretty on a terminal, where a person looks at it, else short. */
enum json_mode json_mode_default(void);

/* Prints a JSON text on a line of its own, or made readable. Returns the exit status. */
int print_json(enum json_mode mode, const char *json);

/* Steals the text of a buffer and prints it so. */
int print_json_buffer(enum json_mode mode, struct strbuf *json);

/* "64M (67108864 bytes)", "4608 bytes". */
void format_bytes(uint64_t bytes, char *ret, size_t n);

/* A table: columns as wide as their widest cell. Cells are copied; NULL is shown as "-". */
struct table {
        size_t columns;
        char **cells;
        size_t count;
        int error;
};

void table_add(struct table *table, const char *cell);

/* The first row is the heading. right: mask of the columns that are numbers. Returns the exit status. */
int table_print(const struct table *table, bool heading, unsigned right);
void table_done(struct table *table);
