/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few macros of this project
 *
 * The idiom is systemd's: negative errno, cleanup attributes, ownership handed over visibly. What is
 * here is all there is (and listed in CONTRIBUTING.md); a newcomer should not have to learn more
 * macros than fit on one screen.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f)                    __attribute__((cleanup(f)))
#define _printf_(fmt, args)             __attribute__((format(printf, fmt, args)))
#define _unused_                        __attribute__((unused))

#define ELEMENTSOF(a)                   (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define FLAGS_SET(value, flags)         (((value) & (flags)) == (flags))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))
#define ROUND_UP(n, multiple)           ((((n) + (multiple)-1) / (multiple)) * (multiple))

/* Hands the value of a variable over and leaves the empty value behind. */
#define TAKE_GENERIC(var, type, empty)     \
        __extension__({                    \
                type *_taken_var = &(var); \
                type _taken = *_taken_var; \
                *_taken_var = (empty);     \
                _taken;                    \
        })
#define TAKE_PTR(ptr) TAKE_GENERIC(ptr, __typeof__(ptr), NULL)
#define TAKE_FD(fd)   TAKE_GENERIC(fd, int, -EBADF)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool is_power_of_two(uint64_t n) {
        return n != 0 && (n & (n - 1)) == 0;
}

/* Releases what a `char *` or any other pointer from malloc() points to, for _cleanup_free_. */
static inline void freep(void *p) {
        free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

/* Defines the cleanup companion NAMEp() of a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, destructor)            \
        static inline void destructor##p(type *p) { \
                if (*p)                             \
                        destructor(*p);             \
        }
