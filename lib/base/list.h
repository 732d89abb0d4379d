/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An intrusive, doubly linked list with a head that is a node itself: adding and removing need no
 * special case for the ends, and an element that is in no list is linked with itself.
 */

#include <stdbool.h>

#include "lib/base/macro.h"

struct list {
        struct list *next, *previous;
};

#define LIST_INIT(name) \
        { &(name), &(name) }

static inline void list_init(struct list *l) {
        l->next = l->previous = l;
}

static inline bool list_empty(const struct list *l) {
        return l->next == l;
}

static inline void list_append(struct list *head, struct list *item) {
        item->previous = head->previous;
        item->next = head;
        head->previous->next = item;
        head->previous = item;
}

/* Removing an item that is in no list does nothing. */
static inline void list_remove(struct list *item) {
        item->previous->next = item->next;
        item->next->previous = item->previous;
        list_init(item);
}

/* The body may remove `item` itself, and nothing else. */
#define LIST_FOREACH(item, head)                                                          \
        for (struct list *item = (head)->next, *item##_next = item->next; item != (head); \
             item = item##_next, item##_next = item->next)
