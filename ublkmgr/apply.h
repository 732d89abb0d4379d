/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From documents to devices: reads device files' texts, makes the plan, carries it out. */

#include <stddef.h>

#include "lib/spec/plan.h"
#include "ublkmgr/manager.h"

/* Device files as the client read them. */
struct document {
        char *path;
        char *name;        /* NULL: the path is none of a device file */
        struct spec *spec; /* NULL: the text is no spec */
        struct spec_errors errors;
};

struct documents {
        struct document *items;
        size_t count;
};

#define DOCUMENTS_NULL ((struct documents){ 0 })

/* Adds and parses one. What is wrong with it goes into its errors. Returns 0 or -ENOMEM. */
int documents_add(struct documents *documents, const char *path, const char *text);
void documents_done(struct documents *documents);

/* What has to be done so that the devices are what the documents say. Returns 0 or a negative errno. */
int apply_plan(struct manager *m, const struct documents *documents,
               const struct plan_options *options, struct plan **ret);

/* The plan has been carried out as far as it goes; it says what became of each action. plan is NULL when the
 * manager stopped in the middle. */
typedef void (*apply_done)(void *userdata, const struct plan *plan);

/* Begins to carry out a plan, one action after the other, and takes it over on success. One at a time.
 * Returns 0, -EBUSY or another negative errno. */
int apply_start(struct manager *m, struct plan *plan, bool force, apply_done done, void *userdata);

/* Gives up on the Apply that is being carried out (after its devices are gone). NULL is fine; returns NULL. */
struct apply *apply_free(struct apply *a);
