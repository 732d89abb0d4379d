# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The initrd: a static busybox, the modules that reach the root disk, and guest/init. It is not compressed, because an
# emulated processor would spend longer on unpacking than the disk of the host on reading.
#
# What differs from one run to the next (the command to run) is a second archive, appended to this one.
#
# Variables of the other parts: vm_cache, guest_dir.
# shellcheck shell=bash disable=SC2154

initrd_applets=(sh mount cat insmod cp chroot reboot switch_root)

initrd_pack() {
        (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --quiet)
}

# initrd_file KERNEL-FOLDER: another machine may be starting from an older one, so each has a name of its own.
initrd_file() {
        local key busybox
        busybox=$(command -v busybox)
        key=$({ printf '%s\n' "${1##*/}" "${initrd_applets[@]}"; declare -f initrd_build initrd_pack; } |
                hash_of "$guest_dir/init" "$busybox")
        printf '%s\n' "$vm_cache/initrd-$key.cpio"
}

# initrd_build KERNEL-FOLDER
initrd_build() {
        local kernel=$1 file tree applet
        file=$(initrd_file "$kernel")
        if [[ -e $file ]]; then
                touch -- "$file"
                return 0
        fi
        tree=$(mktemp -d "$vm_cache/initrd.XXXXXX")
        mkdir -p "$tree"/{bin,dev,proc,sys,root}
        cp -- "$(command -v busybox)" "$tree/bin/busybox"
        for applet in "${initrd_applets[@]}"; do
                ln -s busybox "$tree/bin/$applet"
        done
        install -m 755 "$guest_dir/init" "$tree/init"
        cp -r -- "$kernel/initrd-modules" "$tree/modules"
        initrd_pack "$tree" >"$file.new"
        mv -- "$file.new" "$file"
        rm -rf -- "$tree"
}
