#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A worker that dies takes its device with it and nothing else: readers get EIO at once, mounted or not, the device is listed as failed,
# apply brings it back with what was flushed, and other devices never notice. That the kernel hears of the death depends on
# nobody else holding /dev/ublkcN; so no process does, not even the worker (its rings do).

source "$(dirname "$0")/lib.sh"
announce 'I/O error|EXT4-fs|JBD2|lost .*page write|Buffer I/O'

mkdir "$work/devices.d"
truncate -s 32M "$work/image"
for name in victim mounted; do
        truncate -s 32M "$work/$name.img"
        echo "{\"type\": \"loop\", \"path\": \"$work/$name.img\"}" >"$work/devices.d/$name.json"
done
echo '{"type": "ram", "sizeBytes": "8M"}' >"$work/devices.d/other.json"
defer 'ublkctl remove --force victim mounted other 2>/dev/null'
ublkctl apply -q "$work/devices.d"

same "$(find /proc/[0-9]*/fd /proc/[0-9]*/task/[0-9]*/fd -lname '/dev/ublkc[0-9]*' 2>/dev/null)" "" "holders of /dev/ublkcN"

mkfs.ext4 -q /dev/ublk/by-name/mounted
mounted /dev/ublk/by-name/mounted "$work/mnt"
random_file "$work/mnt/file" 4 5
sync -f "$work/mnt/file"
random_bytes 9 1048576 | dd of=/dev/ublk/by-name/other bs=1M iflag=fullblock oflag=direct status=none

for name in victim mounted; do
        node=$(readlink -f "/dev/ublk/by-name/$name")
        # A reader that is in the middle of it. Its first line says that it has begun.
        coproc reader { while dd if="$node" of=/dev/null bs=64K count=64 iflag=direct status=none; do echo read; done 2>&1; }
        read -r _ <&"${reader[0]}"
        worker=$(worker_of $name)
        since=$(now)
        kill -KILL "$worker"
        while read -r line; do
                [[ $line == read ]] || break
        done <&"${reader[0]}"
        within "$since" 3000 "$name: a reader hears '$line'"
        contains "$line" "dd: " "$name: what the reader hears"
        # Until its last user has closed it the kernel keeps the disk, but not its name.
        wait_removed "$node" 10
        within "$since" 5000 "$name: the node is gone"
        same "$(state_of $name)" failed "$name: state"
        wait "${reader_PID:-}" 2>/dev/null || true
done
refused cat "$work/mnt/file"
umount "$work/mnt"

same "$(state_of other)" live "state of another device"
equal <(random_bytes 9 1048576) /dev/ublk/by-name/other 0 0 1048576 "contents of another device"

ublkctl apply "$work/devices.d" >"$work/out"
contains "$(cat "$work/out")" "recreated victim" "apply after a death"
same "$(state_of victim)$(state_of mounted)" livelive "state after apply"
mounted /dev/ublk/by-name/mounted "$work/mnt"
cmp <(random_bytes 5 $((4 << 20))) "$work/mnt/file" || fail "what was flushed is lost"
umount "$work/mnt"

# And a failed one can simply be removed.
kill -KILL "$(worker_of victim)"
wait_removed "$(readlink -f /dev/ublk/by-name/victim)" 10
ublkctl remove victim
