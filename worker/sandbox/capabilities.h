/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gives up every capability of this thread, and the way to get any back by exec. Call it before other
 * threads are started; they inherit the result. Returns 0 or a negative errno. */
int drop_capabilities(void);
