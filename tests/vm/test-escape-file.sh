#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Code that has taken over a file worker (loop) gets nothing but its own device, with or without the filter of system calls;
# the filter allows what was written down, and none of that could be left out.

folder=$PWD
source "$(dirname "$0")/lib.sh"
source "$folder/escape.sh"

escape_target loop
escape without loop
