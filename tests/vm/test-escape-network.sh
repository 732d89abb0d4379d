#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same as test-escape-file.sh for the filter of the network workers. There is no target of that class yet, so the worker
# here has that of null under another class; that each call is needed can't be shown.

folder=$PWD
source "$(dirname "$0")/lib.sh"
source "$folder/escape.sh"

escape_target network
