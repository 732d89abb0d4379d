/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes and names are checked by hand, not by strtoull(): that one skips blanks, accepts a sign and
 * wraps negative numbers around, none of which may pass in a file that decides how large a disk is.
 */

#include "lib/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"

static const char size_suffixes[] = "KMGTPE";

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Reads the digits at the beginning of text; *end is what follows them. */
static int read_digits(const char *text, uint64_t *ret, const char **end) {
        uint64_t n = 0;

        if (!is_digit(*text))
                return -EINVAL;
        for (; is_digit(*text); text++)
                if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
                    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
                        return -ERANGE;
        *ret = n;
        *end = text;
        return 0;
}

int parse_u64(const char *text, uint64_t *ret) {
        const char *end;
        uint64_t n;
        int r;

        r = read_digits(text, &n, &end);
        if (r < 0)
                return r;
        if (*end)
                return -EINVAL;
        *ret = n;
        return 0;
}

int parse_size(const char *text, uint64_t *ret) {
        const char *end, *suffix;
        uint64_t n;
        int r;

        r = read_digits(text, &n, &end);
        if (r < 0)
                return r;

        if (*end) {
                suffix = strchr(size_suffixes, *end);
                if (!suffix)
                        return -EINVAL;
                end++;
                if (*end && !streq(end, "iB"))
                        return -EINVAL;
                for (long i = 0; i <= suffix - size_suffixes; i++)
                        if (__builtin_mul_overflow(n, (uint64_t)1024, &n))
                                return -ERANGE;
        }
        if (n > INT64_MAX)
                return -ERANGE;
        *ret = n;
        return 0;
}

void format_size(uint64_t bytes, char *ret, size_t n) {
        size_t unit = 0;

        while (bytes != 0 && bytes % 1024 == 0 && unit < sizeof(size_suffixes) - 1) {
                bytes /= 1024;
                unit++;
        }
        if (unit == 0)
                (void)snprintf(ret, n, "%llu", (unsigned long long)bytes);
        else
                (void)snprintf(ret, n, "%llu%c", (unsigned long long)bytes,
                               size_suffixes[unit - 1]);
}

bool name_is_valid(const char *name) {
        static const char alphanumeric[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        size_t n = strlen(name);

        if (n == 0 || n > NAME_LENGTH_MAX || !strchr(alphanumeric, name[0]))
                return false;
        for (const char *c = name; *c; c++)
                if (!strchr(alphanumeric, *c) && !strchr("._-", *c))
                        return false;
        return true;
}
