/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Logging to stderr
 *
 * The service manager connects stderr with the journal; there a line's priority is its `<N>` prefix.
 * On a terminal the line is plain. Only programs log (manager, worker, command line), libraries return
 * errors. May be called from any thread: a line is one write().
 */

#include <stdbool.h>
#include <syslog.h>

#include "lib/base/macro.h"

/* name: put before each line where no journal adds it; a static string. max_level: LOG_ERR … LOG_DEBUG. */
void log_setup(const char *name, int max_level);

/* Lines don't begin with their level, for a process from which the journal shall not take any. */
void log_without_levels(void);

void log_line(int level, const char *format, ...) _printf_(2, 3);

/* Logs "MESSAGE: strerror(error)" and returns -|error|, for `return log_errno(LOG_ERR, r, …)`. */
int log_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)
