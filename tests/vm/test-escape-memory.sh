#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same as test-escape-file.sh for a memory worker (ram).

folder=$PWD
source "$(dirname "$0")/lib.sh"
source "$folder/escape.sh"

escape_target ram
escape without ram
