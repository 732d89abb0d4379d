#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is written to a file system (ext4) on a device is there after unmount, remove, add and mount: the main promise of a
# disk. On both kinds of backing, 104 MB of random files byte by byte, and the file system's own checker finds nothing.

folder=$PWD
source "$(dirname "$0")/lib.sh"

make() {
        mkfs.ext4 -q "$1"
}

check() {
        e2fsck -fn "$1" >/dev/null 2>&1 || fail "e2fsck finds errors on $1"
}

source "$folder/files-survive.sh"
