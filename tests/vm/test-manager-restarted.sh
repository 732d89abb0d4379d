#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# No I/O notices that the manager is restarted or killed: workers serve on, and a file system in use stays whole. The next
# manager takes the devices over as they are: the same worker, the same disk, nothing to apply; it refuses what would harm them,
# hears of the death of a worker that is no child of its own, and removes them like any other.

source "$(dirname "$0")/lib.sh"
announce 'I/O error|EXT4-fs|Buffer I/O|lost .*page write'

mkdir "$work/devices.d"
truncate -s 64M "$work/image"
echo "{\"type\": \"loop\", \"path\": \"$work/image\"}" >"$work/devices.d/disk.json"
echo '{"type": "ram", "sizeBytes": "4M"}' >"$work/devices.d/victim.json"
defer 'ublkctl remove --force disk victim 2>/dev/null'
ublkctl apply -q "$work/devices.d"
node=$(readlink -f /dev/ublk/by-name/disk)
victim=$(readlink -f /dev/ublk/by-name/victim)
worker=$(worker_of disk)
victim_worker=$(worker_of victim)
seq=$(property disk DiskSeq)
mkfs.ext4 -q "$node"
mounted "$node" "$work/mnt"
random_file "$work/mnt/file" 4 3

# Under load: fio says by the FIFO that it begins, and must still be at it when the managers have come and gone.
mkfifo "$work/started"
fio --name=load --directory="$work/mnt" --ioengine=libaio --direct=1 --iodepth=8 --rw=randwrite --bs=16k --size=8M \
        --time_based --runtime=20 --verify=crc32c --verify_fatal=1 --verify_state_save=0 --output="$work/fio.out" \
        --exec_prerun="sh -c 'echo begun >$work/started'" &
load=$!
read -r _ <"$work/started"
first=$(manager_pid)
systemctl restart ublkmgr
second=$(manager_pid)
kill -KILL "$second"
wait_gone "$second" 5
same "$(state_of disk)" live "state after a restart and a crash"
kill -0 "$load" 2>/dev/null || fail "the load has ended too early to show anything"
third=$(manager_pid)
[[ $first != "$second" && $second != "$third" ]] || fail "the manager was not restarted: $first $second $third"
wait "$load" || fail "fio: $(tail -n 20 "$work/fio.out")"

[[ -d /proc/$worker ]] || fail "the worker has ended with the manager"
same "$(readlink -f /dev/ublk/by-name/disk)" "$node" "the node"
same "$(property disk DiskSeq)" "$seq" "the disk"
drop_caches
cmp <(random_bytes 3 $((4 << 20))) "$work/mnt/file" || fail "the file differs"
ublkctl apply --no-legend "$work/devices.d" >"$work/out"
same "$(<"$work/out")" $'unchanged disk\nunchanged victim' "apply after a restart"
refused ublkctl remove disk
contains "$said" "$work/mnt" "remove of a mounted device after a restart"
refused ublkctl add other --type=loop --path="$work/image"
contains "$said" "device disk" "a second device on the same backing after a restart"
umount "$work/mnt"
e2fsck -fn "$node" >/dev/null 2>&1 || fail "e2fsck finds errors"

# Not a child of this manager any more, and dead.
kill -KILL "$victim_worker"
wait_removed "$victim" 10
same "$(state_of victim)" failed "state of a device whose worker has ended"
ublkctl apply -q "$work/devices.d"
same "$(state_of victim)" live "state after apply"

ublkctl remove disk victim
[[ ! -e $node ]] || fail "$node is there after remove"
nothing_left "remove after a restart"
