#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Partitions come only when they are asked for, and then those that sfdisk sees, with links by name, before the command returns; the
# key changes while the device is in use, both ways, but a partition that somebody uses doesn't go. A table that was made to do harm
# does none, and the process that reads it can't do anything but that.

source "$(dirname "$0")/lib.sh"
announce 'EXT4-fs|I/O error|lost .*page write|JBD2'

d=$work/devices.d
mkdir "$d"
defer 'ublkctl remove --force disk 2>/dev/null'

# partitions true|false [WHAT-ELSE]: as a file would have it.
partitions() {
        echo "{\"type\": \"loop\", \"path\": \"$work/image\", \"partitions\": $1${2:-}}" >"$d/disk.json"
        ublkctl apply -q "$d"
}

# What the kernel has, and what sfdisk reads: NUMBER START SIZE, in order. An extended partition is two sectors in the kernel.
kernel_has() {
        local path
        for path in "/sys/class/block/${node##*/}/${node##*/}p"*; do
                [[ ! -e $path ]] || echo "$(<"$path/partition") $(<"$path/start") $(<"$path/size")"
        done | sort -n
}

table_has() {
        sfdisk -J "$node" | jq -r '.partitiontable.partitions[] |
                "\(.node | capture("p(?<n>[0-9]+)$").n) \(.start) \(if .type == "5" or .type == "f" then 2 else .size end)"' | sort -n
}

# For each partition a node with two links, and no other ones. (One readlink for all: there may be 128.)
links_right() {
        local number rest links=() nodes=()
        while read -r number rest; do
                links+=("/dev/ublk/by-name/disk-part$number" "/dev/disk/by-id/ublk-disk-part$number")
                nodes+=("${node}p$number" "${node}p$number")
        done < <(kernel_has)
        same "$(compgen -G '/dev/ublk/by-name/disk-part*' | wc -l)" "$((${#links[@]} / 2))" "number of links"
        ((${#links[@]} == 0)) || same "$(readlink -f "${links[@]}")" "$(printf '%s\n' "${nodes[@]}")" "where ${links[*]} lead"
}

# as_table WHAT: after a change to true.
as_table() {
        same "$(kernel_has)" "$(table_has)" "$1: partitions of the kernel"
        links_right
}

none() {
        same "$(kernel_has)" "" "$1: partitions of the kernel"
        links_right
}

# ---------------------------------------------------------------- what tables say

truncate -s 160M "$work/image"
table=$'label: dos\nsize=8M\nsize=9M, type=83\nsize=40M, type=5\nsize=4M\nsize=5M\nsize=6M, type=82\n'
sfdisk -q "$work/image" <<<"$table"
partitions false
node=$(readlink -f /dev/ublk/by-name/disk)
none "by default"
seq=$(property disk DiskSeq)

partitions true
same "$(kernel_has | wc -l)" 6 "partitions of a DOS table"
as_table "DOS table with logical partitions"
mkfs.ext4 -q "${node}p5"
mounted /dev/ublk/by-name/disk-part5 "$work/mnt"
echo works >"$work/mnt/file"

# In use: no change that would take it away, and who uses it is named. What doesn't, goes through.
before=$(kernel_has)
refused partitions false
contains "$said" "$work/mnt" "partitions false with one mounted"
same "$(kernel_has)" "$before" "partitions after a refusal"
refused ublkctl remove disk
one_line
contains "$said" "$work/mnt" "remove with a partition mounted"
same "$(state_of disk)" live "state after a refusal"
partitions true ', "description": "changed meanwhile"'
same "$(cat "$work/mnt/file")" works "a file on the partition"
umount "$work/mnt"
dmsetup create top --table "0 8192 linear ${node}p1 0"
defer 'dmsetup remove --retry top 2>/dev/null'
refused ublkctl remove disk
contains "$said" "dm-" "remove with a partition held"
dmsetup remove --retry top

# The next manager takes them over as they are.
systemctl restart ublkmgr
as_table "after a restart of the manager"

# Another table, of which one partition is as it was.
partitions false
none "after a change to false"
sfdisk -q --no-reread --no-tell-kernel "$node" <<<$'label: gpt\nstart=2048, size=8M\nsize=1M, name=second\n'
partitions true
as_table "GPT"
partitions false

# As many as there is room for.
{ echo 'label: gpt'; for ((i = 0; i < 128; i++)); do echo 'size=512K'; done; } | sfdisk -q --no-reread --no-tell-kernel "$node"
partitions true
same "$(kernel_has | wc -l)" 128 "partitions of a full GPT"
as_table "full GPT"
partitions false
none "after 128"
same "$(property disk DiskSeq)" "$seq" "the disk after all that"

# ---------------------------------------------------------------- tables that were made to do harm

# hostile PROGRAM: writes with Python to the disk f; then it must do no harm. What the kernel has then is in $found.
manager=$(manager_pid)
hostile() {
        python3 - "$node" <<<"
import struct, sys, binascii
f = open(sys.argv[1], 'r+b')
f.write(bytes(1 << 20))
f.seek(-1 << 20, 2)
f.write(bytes(1 << 20))
def dos(sector, *entries):
    f.seek(sector * 512 + 446)
    for kind, start, size in entries:
        f.write(bytes(4) + bytes([kind]) + bytes(3) + struct.pack('<II', start, size))
    f.seek(sector * 512 + 510)
    f.write(b'\x55\xaa')
$1"
        partitions true || true
        found=$(kernel_has)
        links_right
        same "$(manager_pid)" "$manager" "the manager"
        same "$(state_of disk)" live "state"
        partitions false
        none "$1"
}

hostile "f.seek(0); f.write(open('$pool', 'rb').read(1 << 20)); f.seek(510); f.write(b'\x55\xaa')"
hostile "dos(0, (0x83, 2048, 4096), (0x83, 320000, 100000), (0x83, 0xffffffff, 0xffffffff), (0x83, 8192, 0))"
same "$found" "1 2048 4096" "partitions, one of them beyond the end"
hostile "dos(0, (0x83, 2048, 4096), (0x83, 4096, 4096))"
same "$found" "1 2048 4096" "partitions, two of them in each other"
hostile "dos(0, (5, 2048, 65536)); dos(2048, (0x83, 1, 8), (5, 0, 65536))"
contains "$found" "1 2048 2" "an extended partition that leads to itself"
hostile "
header = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, 1, 327679, 34, 327646, bytes(16), 2, 0xffffff, 128, 0)
header = header[:16] + struct.pack('<I', binascii.crc32(header)) + header[20:]
dos(0, (0xee, 1, 327679)); f.seek(512); f.write(header)"
same "$found" "" "partitions of a table of two gigabytes"

# ---------------------------------------------------------------- who reads them

# status_is PID FIELD VALUE
status_is() {
        same "$(sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' ')" "$3" "$2 of the process that reads"
}

# A worker that doesn't answer keeps the reader waiting, so that it can be looked at.
sfdisk -q --no-reread --no-tell-kernel "$node" <<<"$table"
sync "$node"
udevadm settle
drop_caches
kill -STOP "$(worker_of disk)"
defer 'pkill -CONT -x ublk-worker'
partitions true &
applying=$!
end=$((SECONDS + 30))
until reader=$(pgrep -u 65520 -x ublk-partitions) && grep -q '^Seccomp:.*2' "/proc/$reader/status"; do
        ((SECONDS < end)) || fail "nobody reads the table"
done
status_is "$reader" Uid "65520 65520 65520 65520"
status_is "$reader" Groups ""
status_is "$reader" NoNewPrivs 1
status_is "$reader" CapEff 0000000000000000
status_is "$reader" CapBnd 0000000000000000
status_is "$reader" NSpid "$reader 1"
same "$(ls -A "/proc/$reader/root/")" "" "what the reader sees of the files"
for ns in user mnt net ipc uts cgroup pid; do
        [[ $(readlink "/proc/$reader/ns/$ns") != $(readlink "/proc/self/ns/$ns") ]] || fail "the reader shares the $ns namespace"
done
same "$(find "/proc/$reader/fd" -lname '/dev/ublkb*' | wc -l)" 1 "disks that the reader has open"
[[ $(grep flags "/proc/$reader/fdinfo/3") == *0 ]] || fail "the reader could write to the disk"
kill -CONT "$(worker_of disk)"
wait "$applying" || fail "apply after the worker has gone on"
as_table "after a worker that didn't answer"

# ---------------------------------------------------------------- the end

ublkctl remove disk
nothing_left "remove with partitions"
partitions true
as_table "partitions from the beginning"
mounted /dev/ublk/by-name/disk-part5 "$work/mnt"
ublkctl remove --force disk
umount "$work/mnt"
nothing_left "remove --force with a partition mounted"
