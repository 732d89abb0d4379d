#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A worker that is stopped by a signal with I/O in flight, which looks the same as one that hangs: its device can be removed by
# force, within a time that nobody takes for a hung machine; who reads it gets an error; another device serves on.

source "$(dirname "$0")/lib.sh"
announce 'I/O error|Buffer I/O'

add other --type=ram --size-bytes=8M
other=$node
truncate -s 16M "$work/image"
add victim --type=loop --path="$work/image"
victim=$node
kill -STOP "$(worker_of victim)"
dd if="$victim" of=/dev/null bs=64K count=1 iflag=direct status=none 2>"$work/dd" &
reader=$!
# It has begun, and nobody answers it.
while [[ $(awk '{ print $9 }' "/sys/class/block/${victim##*/}/stat") == 0 ]]; do :; done

since=$(now)
ublkctl remove --force victim &
remover=$!
random_bytes 7 1048576 >"$work/data"
dd if="$work/data" of="$other" bs=1M oflag=direct status=none
dd if="$other" of="$work/read" bs=1M count=1 iflag=direct status=none
cmp "$work/data" "$work/read" || fail "another device has other contents"
same "$(state_of other)" live "state of another device"
wait $remover || fail "it could not be removed"
within "$since" 30000 "removing a device whose worker is stopped"
if wait $reader; then
        fail "a reader of the removed device heard nothing"
fi
same "$(state_of other)" live "state of another device afterwards"
ublkctl remove other
nothing_left "the stopped worker"
