#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the demonstration shows, as a transcript: each command is printed, then run, and what it must have done is checked. It
# runs as root in the virtual machine of scripts/demo, or (--host) on the machine itself; both have ublkctl in PATH, a bus
# with a manager, and the four folders of the arguments.
#
# Usage: demo-guest.sh FILES IMAGES DEVICES MOUNTS
#
#   FILES    the images as they were made, and the checksums of what is in them (is only read)
#   IMAGES   where the device files say that the images are
#   DEVICES  the device files
#   MOUNTS   where to mount

set -euo pipefail

(($# == 4)) || { printf 'Usage: demo-guest.sh FILES IMAGES DEVICES MOUNTS\n' >&2; exit 2; }
files=$1 images=$2 devices=$3 mounts=$4
by_name=/dev/ublk/by-name
commands=0 checks=0

# tell TEXT: one line about what comes.
tell() {
        printf '\n--- %s\n' "$*"
}

fail() {
        printf '\nFAILED: %s\n' "$*"
        exit 1
}

# run COMMAND: a line of shell. Its output stays in $output, because what is shown is also what is checked.
output=''
run() {
        local code=0
        printf '# %s\n' "$1"
        output=$(eval "$1" 2>&1) || code=$?
        [[ -z $output ]] || printf '%s\n' "$output"
        ((code == 0)) || fail "the command exited with $code"
        commands=$((commands + 1))
}

# run_refused COMMAND: the same, for one that must not succeed.
run_refused() {
        printf '# %s\n' "$1"
        if output=$(eval "$1" 2>&1); then
                fail 'the command should have been refused'
        fi
        printf '%s\n' "$output"
        commands=$((commands + 1))
}

# check WHAT COMMAND...
check() {
        local what=$1
        shift
        "$@" || fail "$what"
        checks=$((checks + 1))
}

says() { [[ $output == *"$1"* ]]; }
same() { [[ $1 == "$2" ]]; }
is_absent() { [[ ! -e $1 && ! -L $1 ]]; }

# Everything of ublk in this machine: nothing more may be left at the end than there was at the beginning.
inventory() {
        find /dev -maxdepth 1 -name 'ublk[bc]*' | sort
        pgrep -x ublk-worker || true
}

mkdir -p "$images" "$mounts"/{docs,archive,scratch}
inventory_before=$(inventory)

tell 'Two images, made a moment ago from files of the machine that runs this demonstration.'
run "cp --sparse=always $files/docs.img $files/archive.img $images/"
run "ls -l -s -h $images"

tell 'A device is a JSON file. Its name is that of the device.'
run "cat $devices/docs.json"

tell 'The files can be checked before anything happens; this needs neither root nor a manager.'
run "ublkctl verify $devices"

tell 'Make the devices what the files say. The manager is started by its first call.'
run "ublkctl apply $devices"
run 'ublkctl list'
for name in archive docs scratch; do
        check "$by_name/$name is not there" test -b "$by_name/$name"
done

tell 'They are disks like others: udev has named them and knows what is on them.'
run "lsblk -o NAME,SIZE,RO,FSTYPE,LABEL $by_name/archive $by_name/docs $by_name/scratch"
check 'lsblk does not know the ext4 file system' says ext4
check 'lsblk does not know the xfs file system' says xfs

tell 'Mount the images. The device of one is read-only.'
run "mount $by_name/docs $mounts/docs"
run "mount -o ro $by_name/archive $mounts/archive"
run_refused "mount -o remount,rw $mounts/archive"

tell 'Every file is what it was before the images were made.'
for name in docs archive; do
        number=$(wc -l <"$files/$name.sha256")
        run "cd $mounts/$name && sha256sum --check --quiet $files/$name.sha256 && echo $number files are equal; cd /"
        check "not all files of $name are equal" says "$number files are equal"
        check "$name does not hold $number files" \
                same "$(find "$mounts/$name" -type f | wc -l)" "$number"
done

tell 'A file system in memory.'
run "mkfs.ext4 -q $by_name/scratch"
run "mount $by_name/scratch $mounts/scratch"
run "cp -r $mounts/docs/. $mounts/scratch/ && df -h $mounts/scratch"

tell 'What is in use is not taken away.'
run_refused 'ublkctl remove docs'

tell 'A write outlives its device: write, unmount, remove, apply, mount.'
run "date | tee $mounts/docs/written && sha256sum $mounts/docs/written"
written=$output
run "umount $mounts/docs"
run 'ublkctl remove docs'
check "$by_name/docs is still there" is_absent "$by_name/docs"
run "ublkctl apply $devices"
run "mount $by_name/docs $mounts/docs"
run "cat $mounts/docs/written && sha256sum $mounts/docs/written"
check 'what was written is not what is read' same "$output" "$written"

tell 'Applying the same files again does nothing.'
run "ublkctl apply $devices"
check 'the second apply was not empty' says '4 devices: 4 unchanged.'

tell 'After a change: first what would be done, then doing it.'
run "umount $mounts/scratch"
run "sed -i s/64M/96M/ $devices/scratch.json"
run "ublkctl apply --dry-run $devices"
check 'the plan does not name what changed' says 'sizeBytes: 64M → 96M'
run "ublkctl apply $devices"
check 'the size of the device is not that of its file' \
        same "$(blockdev --getsize64 "$by_name/scratch")" $((96 * 1024 * 1024))

tell 'The same over D-Bus, without ublkctl.'
manager='org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1'
run "busctl call $manager AddDevice 'sa{sv}a{sh}a{sv}' by-hand 2 type s ram sizeBytes t 67108864 0 0"
check "$by_name/by-hand is not there" test -b "$by_name/by-hand"
run 'busctl tree org.ublk.Manager1'
check 'busctl tree does not show the device' says /org/ublk/Manager1/device/by_2dhand
run 'ublkctl list'
run 'ublkctl status docs'
run "busctl call $manager RemoveDevice 'sa{sv}' by-hand 0"

tell 'Remove everything. The ext4 image is sound.'
run "umount $mounts/docs $mounts/archive"
run 'ublkctl remove archive docs measure scratch'
run 'ublkctl list'
check 'there still are devices' says '0 devices listed.'
run "e2fsck -f -n $images/docs.img"
check 'something is left of the devices' same "$(inventory)" "$inventory_before"

printf '\n%d commands, %d checks: all is as it should be.\n' "$commands" "$checks"
