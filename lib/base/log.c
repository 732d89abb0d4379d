/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One line, one write(): lines of several threads and processes that share a pipe never mix, and no
 * lock is held that a dying thread could keep. A line longer than the buffer is cut.
 */

#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_LENGTH_MAX = 1024 };

static const char *log_name = "";
static int log_max_level = LOG_INFO;
static bool log_to_journal;
static bool log_levels = true;

/* The variable names the stream that was the journal's when it was set. Whoever redirected stderr since then,
 * a shell for example, has left the variable as it was. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char ours[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void)snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        return streq(stream, ours);
}

void log_setup(const char *name, int max_level) {
        log_name = name;
        log_max_level = max_level;
        log_to_journal = stderr_is_journal();
}

void log_without_levels(void) {
        log_levels = false;
}

static void log_write(int level, const char *suffix, const char *format, va_list ap) {
        char line[LINE_LENGTH_MAX];
        size_t n;

        if (level > log_max_level)
                return;

        if (log_to_journal && !log_levels)
                n = 0;
        else if (log_to_journal)
                n = (size_t)snprintf(line, sizeof(line), "<%d>", level);
        else
                n = (size_t)snprintf(line, sizeof(line), "%s: ", log_name);

        int k = vsnprintf(line + n, sizeof(line) - n, format, ap);
        if (k > 0)
                n = MIN(n + (size_t)k, sizeof(line) - 1);
        if (suffix) {
                k = snprintf(line + n, sizeof(line) - n, ": %s", suffix);
                if (k > 0)
                        n = MIN(n + (size_t)k, sizeof(line) - 1);
        }
        line[n++] = '\n';

        /* There is nobody left to tell when the log itself can't be written. */
        _unused_ ssize_t written = write(STDERR_FILENO, line, n);
}

void log_line(int level, const char *format, ...) {
        int saved = errno;
        va_list ap;

        va_start(ap, format);
        log_write(level, NULL, format, ap);
        va_end(ap);
        errno = saved;
}

int log_errno(int level, int error, const char *format, ...) {
        int saved = errno;
        va_list ap;

        error = abs(error);
        va_start(ap, format);
        log_write(level, strerror(error), format, ap);
        va_end(ap);
        errno = saved;
        return -error;
}
