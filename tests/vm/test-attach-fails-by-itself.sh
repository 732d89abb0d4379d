#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What goes wrong in real life: a backing that is not there, is something else or in use; an id that is taken; a worker that can't be
# started, dies, or stops dead while the device is attached. Each is one line that says what to do, and leaves nothing.

source "$(dirname "$0")/lib.sh"

mkdir "$work/folder"
mkfifo "$work/fifo"
truncate -s 4M "$work/backing"
slice disk 8
mkfs.ext4 -q -O ^has_journal /dev/mapper/disk
# What should have been refused must not keep the disk.
defer 'ublkctl remove --force broken 2>/dev/null'

# Both ways to name a backing: ublkctl opens it and hands over the fd; over D-Bus and from files the manager opens the path.
by_path() {
        busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 AddDevice 'sa{sv}a{sh}a{sv}' \
                broken 2 type s loop path s "$1" 0 0
}
by_fd() {
        ublkctl add broken --type=loop --path="$1"
}

for way in by_path by_fd; do
        refused $way "$work/missing"
        one_line
        contains "$said" "No such file or directory" "$way: a missing path"
        refused $way "$work/folder"
        one_line
        contains "$said" "$work/folder" "$way: a folder"
        refused $way "$work/fifo"
        one_line
        contains "$said" "regular file" "$way: a FIFO"
        refused $way /dev/null
        one_line
done
mounted /dev/mapper/disk "$work/mnt"
for way in by_path by_fd; do
        refused $way /dev/mapper/disk
        one_line
        contains "$said" "in use" "$way: a mounted disk"
done
umount "$work/mnt"
add one --type=loop --path="$work/backing" --id=7
for way in by_path by_fd; do
        refused $way "$work/backing"
        contains "$said" "device one" "$way: a backing that another device has"
done
refused ublkctl add broken --type=ram --size-bytes=1M --id=7
one_line
contains "$said" "id 7 is taken" "an id that is taken"
refused ublkctl add one --type=ram --size-bytes=1M
one_line
contains "$said" "already" "a name that is taken"
ublkctl remove one
nothing_left "refused backings"

# Workers of all kinds, in place of the real one: what they do is in the name of the device.
installed=/usr/libexec/ublkmgr/ublk-worker
mv $installed $installed.real
defer "mv $installed.real $installed"
refused ublkctl add nothing --type=ram --size-bytes=1M
one_line
contains "$said" "$installed" "a worker that is not installed"
cat >$installed <<'WORKER'
#!/bin/bash
case ${@: -1} in
exit*) exit 3 ;;
# As the first process of its pid namespace it can't be killed from within, but for what it uses up.
kill*) ulimit -t 1; while :; do :; done ;;
stop*) read -r _ < <(exec sleep infinity) ;;
esac
WORKER
chmod +x $installed
refused ublkctl add exits --type=ram --size-bytes=1M
one_line
contains "$said" "exited with code 3" "a worker that exits"
refused ublkctl add kills --type=ram --size-bytes=1M
one_line
contains "$said" "killed by signal 9" "a worker that is killed"
since=$(now)
refused ublkctl add stops --type=ram --size-bytes=1M
one_line
contains "$said" "step configure-worker" "a worker that stops dead"
within "$since" 45000 "a stopped worker is given up"
nothing_left "workers that fail"
