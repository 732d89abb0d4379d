/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The field table as JSON Schema (draft 2020-12), for editors and for whoever writes device files by
 * program. Accepts what the parser accepts, as far as a schema can say it.
 */

/* Returns 0 or -ENOMEM; the text is indented and ends with a newline. */
int spec_schema(char **ret);
