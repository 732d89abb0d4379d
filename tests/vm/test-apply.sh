#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A folder of files is what the machine shall have: apply creates what is missing, does nothing the second time, recreates what
# differs, removes only with --prune, changes nothing with --dry-run, and a broken file stops neither the others nor hides in the exit
# code. The links that people go by (by-name, by-uuid) come and go with the device.

source "$(dirname "$0")/lib.sh"

d=$work/devices.d
mkdir "$d"
defer 'ublkctl remove --force ram file late 2>/dev/null'
truncate -s 16M "$work/image"
mkfs.ext4 -q -U 11111111-2222-3333-4444-555555555555 -L testlabel "$work/image"
echo '{"type": "ram", "sizeBytes": "8M"}' >"$d/ram.json"
echo "{\"type\": \"loop\", \"path\": \"$work/image\", \"description\": \"first\"}" >"$d/file.json"
uuid=/dev/disk/by-uuid/11111111-2222-3333-4444-555555555555

# What was done, without the reasons: "created file, unchanged ram".
verbs() {
        local line list=''
        ublkctl apply --no-legend "$@" "$d" >"$work/out"
        while read -r line; do
                line=${line%%: *}
                list+=${list:+, }${line%% (*}
        done <"$work/out"
        echo "$list"
}

same "$(verbs --dry-run)" "would create file, would create ram" "plan of a dry run"
nothing_left "a dry run"
same "$(verbs)" "created file, created ram" "first apply"
for link in /dev/ublk/by-name/{ram,file} /dev/disk/by-id/ublk-file $uuid /dev/disk/by-label/testlabel; do
        [[ -b $link ]] || fail "no link $link"
done
same "$(readlink -f $uuid)" "$(readlink -f /dev/ublk/by-name/file)" "the file system's link"
seq=$(property ram DiskSeq)
same "$(verbs)" "unchanged file, unchanged ram" "second apply"
same "$(property ram DiskSeq)" "$seq" "the disk after a second apply"

# A change that lives, and one that needs a new device.
sed -i 's/first/second/' "$d/file.json"
echo '{"type": "ram", "sizeBytes": "12M"}' >"$d/ram.json"
same "$(verbs --dry-run)" "would update file, would recreate ram" "plan of changes"
same "$(property ram DiskSeq)" "$seq" "the disk after a dry run"
seq_file=$(property file DiskSeq)
same "$(verbs)" "updated file, recreated ram" "apply of changes"
same "$(property file DiskSeq)" "$seq_file" "a disk with a live change"
same "$(blockdev --getsize64 /dev/ublk/by-name/ram)" $((12 << 20)) "size after recreate"

# In use: not without force.
mounted /dev/ublk/by-name/file "$work/mnt"
sed -i 's/"description"/"queueDepth": 8, "description"/' "$d/file.json"
ublkctl apply "$d" >"$work/out" 2>&1 && fail "apply of a blocked change succeeds"
contains "$(cat "$work/out")" "$work/mnt" "a blocked change"
umount "$work/mnt"
sed -i 's/"queueDepth": 8, //' "$d/file.json"

# A broken file, one that can't be attached, and one that works.
echo '{"type": "rum"}' >"$d/broken.json"
echo '{"type": "loop", "path": "/nonexistent/image"}' >"$d/missing.json"
echo '{"type": "null", "sizeBytes": "1M"}' >"$d/late.json"
code=0
ublkctl apply "$d" >"$work/out" 2>&1 || code=$?
same "$code" 1 "exit code with a broken file: $(cat "$work/out")"
contains "$(cat "$work/out")" "broken.json:1:" "place of the error"
contains "$(cat "$work/out")" "/nonexistent/image" "what could not be attached"
[[ -b /dev/ublk/by-name/late ]] || fail "a broken file has stopped the others"
rm "$d/broken.json" "$d/missing.json"

# What was made by other means stays, with the same name as a file or without.
rm "$d/ram.json"
ublkctl add other --type=null --size-bytes=1M >/dev/null
defer 'ublkctl remove other 2>/dev/null'
same "$(verbs)" "unchanged file, unchanged late" "apply without --prune"
[[ -b /dev/ublk/by-name/ram ]] || fail "removed without --prune"
same "$(verbs --prune)" "removed ram, unchanged file, unchanged late" "apply --prune"
[[ ! -e /dev/ublk/by-name/ram ]] || fail "not removed by --prune"
[[ -b /dev/ublk/by-name/other ]] || fail "--prune has removed what it didn't make"
ublkctl remove other
rm "$d"/*
ublkctl apply -q --prune "$d"
udevadm settle
for link in /dev/ublk/by-name/file $uuid /dev/disk/by-label/testlabel; do
        [[ ! -L $link ]] || fail "link $link has stayed"
done
nothing_left "apply --prune of nothing"
code=0
ublkctl apply "$work/nowhere" >/dev/null 2>&1 || code=$?
[[ $code != 0 ]] || fail "apply of a folder that isn't there succeeds"
