#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The commands by which people will meet this, to the letter: those of the README and of section 1 of the design. (Attaching at
# boot is not there yet.)

source "$(dirname "$0")/lib.sh"
cd "$work"
defer 'ublkctl remove --force scratch disk one 2>/dev/null'

same "$(busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 AddDevice 'sa{sv}a{sh}a{sv}' scratch 2 type s ram sizeBytes t 67108864 0 0)" \
        'os "/org/ublk/Manager1/device/scratch" "/dev/ublkb0"' "answer of AddDevice"
same "$(blockdev --getsize64 /dev/ublk/by-name/scratch)" 67108864 "size"

mkdir devices.d
truncate -s 8M disk.img one.img
echo '{"type": "loop", "path": "'"$work"'/one.img", "x-note": "mine"}' >devices.d/one.json
ublkctl apply devices.d/
[[ -b /dev/ublk/by-name/one ]] || fail "apply has made no device"

# A path that is relative to where the caller is.
ublkctl add disk --type=loop --path=disk.img
[[ -b /dev/ublk/by-name/disk ]] || fail "add has made no device"

ublkctl list
ublkctl status disk >/dev/null
contains "$(busctl tree --list org.ublk.Manager1)" /org/ublk/Manager1/device/disk "busctl tree"
contains "$(lsblk -n -o NAME,SIZE "$(readlink -f /dev/ublk/by-name/disk)")" 8M lsblk
busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 RemoveDevice 'sa{sv}' scratch 0
ublkctl remove disk one
nothing_left "all removed"
