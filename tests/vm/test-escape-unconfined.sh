#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The attempts of test-escape-*.sh are real ones: made by root without any confinement, each that is said to be possible at all
# succeeds. Otherwise those tests could not fail.

folder=$PWD
source "$(dirname "$0")/lib.sh"
source "$folder/escape.sh"

escape control loop
