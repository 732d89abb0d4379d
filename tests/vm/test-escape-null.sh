#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same as test-escape-memory.sh for the memory worker that has no memory (null): its filter is another one, and all else is
# the same.

folder=$PWD
source "$(dirname "$0")/lib.sh"
source "$folder/escape.sh"

escape try null
escape calls null
