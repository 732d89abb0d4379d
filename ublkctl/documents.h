/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Device files, read but not understood: that is up to who gets them. */

#include <stdbool.h>
#include <stddef.h>

struct document {
        char *path;  /* as the user gave it, or below the folder that was given */
        bool listed; /* found in a folder, not named on the command line */
        char *text;  /* "" when it couldn't be read */
        size_t size;
        int error; /* why it couldn't be read, or 0 */
};

struct documents {
        struct document *items;
        size_t count;
};

/* Reads a file, or the *.json of a folder in the order of their names. Files that can't be read are in
 * the result with their error. Returns 0, or a negative errno when the folder can't be read. */
int documents_read(const char *path, struct documents *documents, bool *ret_is_folder);

/* Why it couldn't be read, for people. */
const char *document_error(const struct document *document);

void documents_done(struct documents *documents);
