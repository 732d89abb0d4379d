#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The body of test-files-survive-*.sh. `make NODE` makes the file system, `check NODE` finds fault with one.
#
# shellcheck shell=bash disable=SC2154

# Both kinds of backing, 52 MB on each.
slice backing-disk 512
truncate -s 512M "$work/backing-file"
declare -A path=([file]=$work/backing-file [disk]=/dev/mapper/backing-disk) shift=([file]=1 [disk]=101)

# write_files KIND, check_files KIND: three large files and 43 small ones.
write_files() {
        local folder=$work/mnt i
        mkdir "$folder/sub"
        for i in 1 2 3; do
                random_file "$folder/big-$i" 16 $((shift[$1] + 10 * i))
        done
        random_bytes $((shift[$1] + 40)) $((4 << 20)) | split -b 97k - "$folder/sub/small-"
}

check_files() {
        local folder=$work/mnt i
        for i in 1 2 3; do
                equal "$pool" "$folder/big-$i" $((shift[$1] + 10 * i)) 0 $((16 << 20)) "$1: big-$i differs"
                same "$(stat -c %s "$folder/big-$i")" $((16 << 20)) "$1: size of big-$i"
        done
        cmp <(random_bytes $((shift[$1] + 40)) $((4 << 20))) <(cat "$folder"/sub/small-*) || fail "$1: small files differ"
}

for kind in file disk; do
        add "$kind" --type=loop --path="${path[$kind]}"
        make "$node"
        mounted "$node" "$work/mnt"
        write_files "$kind"
        umount "$work/mnt"
        ublkctl remove "$kind"
        [[ ! -e $node ]] || fail "$node is there after remove"
done
drop_caches

for kind in file disk; do
        add "$kind" --type=loop --path="${path[$kind]}"
        mounted "$node" "$work/mnt"
        check_files "$kind"
        umount "$work/mnt"
        check "$node"
        ublkctl remove "$kind"
done
