# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The root disk of the virtual machine: the same Debian release as the host, so that programs built on the host run in it.
#
# Two steps with a cache each. The packages take most of a minute and change seldom; what we put on top takes seconds and
# changes whenever somebody works on the agent. mmdebstrap, tar and mke2fs -d need no loop device and no mount.
#
# Variables of the other parts: packages_guest, vm_cache.
# shellcheck shell=bash disable=SC2154

guest_dir=$(dirname "${BASH_SOURCE[0]}")/guest

# Room that a script in the machine has on the root disk, beyond what is there.
image_free_mib=1024

# Units that do nothing for a machine that lives for a minute, has no network and no user at a tty.
image_masked=(
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
        man-db.timer logrotate.timer systemd-tmpfiles-clean.timer
        getty@.service serial-getty@.service console-getty.service
        systemd-remount-fs.service systemd-journal-flush.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
        dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount
        modprobe@dm_mod.service modprobe@drm.service modprobe@fuse.service modprobe@loop.service
        networking.service systemd-networkd.service systemd-timesyncd.service systemd-pstore.service
        systemd-rfkill.socket systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
        systemd-hwdb-update.service systemd-journal-catalog-update.service ldconfig.service systemd-machine-id-commit.service
        keyboard-setup.service console-setup.service systemd-firstboot.service
)

# Generators look for things that this machine has not; each costs the start of a program, at boot and at daemon-reload.
image_masked_generators=(
        systemd-bless-boot-generator systemd-cryptsetup-generator systemd-getty-generator systemd-gpt-auto-generator
        systemd-hibernate-resume-generator systemd-integritysetup-generator systemd-rc-local-generator
        systemd-system-update-generator systemd-sysv-generator systemd-veritysetup-generator
)

# What udev looks at when the machine starts: all the rest (64 ttys, PCI, input …) takes an emulated processor many seconds,
# and loads drivers that nobody wants. Devices that appear later are handled as ever, whatever they are.
image_coldplug=(block misc virtio-ports net)

# Run a command with the rights to make files of any owner: as root as it is, as a user in a user namespace.
image_as_root() {
        if ((EUID == 0)); then
                "$@"
        else
                unshare --user --map-root-user --map-auto -- "$@"
        fi
}

image_base_name() {
        local key
        key=$({ apt_codename; apt_debian_sources; printf '%s\n' "${packages_guest[@]}"; declare -f image_make_base; } | hash_of)
        printf 'base-%s.tar\n' "$key"
}

image_name() {
        local key
        key=$({ image_base_name; printf '%s\n' "$image_free_mib" "${image_masked[@]}" \
                "${image_masked_generators[@]}" "${image_coldplug[@]}"
                declare -f image_make image_customise; } | hash_of "$guest_dir"/vm-*)
        printf 'root-%s.ext4\n' "$key"
}

# image_make_base FILE
image_make_base() {
        local codename sources include
        codename=$(apt_codename)
        sources=$(apt_source_lines)
        [[ -n $sources ]] || die "apt on this machine has no Debian source for the suite '$codename' to build the image from"
        include=$(IFS=,; printf '%s' "${packages_guest[*]}")
        say "root image: installing ${#packages_guest[@]} packages of $codename (about a minute, once)"
        # force-unsafe-io: a half-written tree is thrown away in any case.
        log_to "$vm_cache/base.log" mmdebstrap --variant=minbase --format=tar \
                --aptopt='APT::Install-Recommends "false"' \
                --dpkgopt=force-unsafe-io \
                --dpkgopt='path-exclude=/usr/share/doc/*' \
                --dpkgopt='path-exclude=/usr/share/man/*' \
                --dpkgopt='path-exclude=/usr/share/info/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' \
                --include="$include" "$codename" "$1" - <<<"$sources"
}

# image_customise TREE: everything here is a file or a link, except for the two accounts.
image_customise() {
        local tree=$1 unit
        install -d "$tree"/{payload,scratch} "$tree"/usr/{lib/modules,local/lib/vm} \
                "$tree"/etc/{modules-load.d,sysctl.d,systemd/journald.conf.d,systemd/system/multi-user.target.wants}
        install -m 755 "$guest_dir/vm-run" "$tree/usr/local/lib/vm/"
        for unit in vm-run.service vm-shell.service; do
                install -m 644 "$guest_dir/$unit" "$tree/etc/systemd/system/"
                ln -sf "/etc/systemd/system/$unit" "$tree/etc/systemd/system/multi-user.target.wants/"
        done
        ln -sf /lib/systemd/system/polkit.service "$tree/etc/systemd/system/multi-user.target.wants/"
        for unit in "${image_masked[@]}"; do
                ln -sf /dev/null "$tree/etc/systemd/system/$unit"
        done
        install -d "$tree"/etc/systemd/system-generators "$tree"/etc/systemd/system/systemd-udev-trigger.service.d
        for unit in "${image_masked_generators[@]}"; do
                ln -sf /dev/null "$tree/etc/systemd/system-generators/$unit"
        done
        printf '[Service]\nExecStart=\nExecStart=udevadm trigger --type=devices --action=add%s\n' \
                "$(printf ' --subsystem-match=%s' "${image_coldplug[@]}")" \
                >"$tree/etc/systemd/system/systemd-udev-trigger.service.d/vm.conf"

        echo ublk_drv >"$tree/etc/modules-load.d/ublk.conf"
        # The address sanitizer of this compiler cannot place its shadow memory when more bits of addresses are random.
        echo 'vm.mmap_rnd_bits = 28' >"$tree/etc/sysctl.d/50-sanitizers.conf"
        printf '[Journal]\nStorage=volatile\n' >"$tree/etc/systemd/journald.conf.d/vm.conf"
        : >"$tree/etc/fstab"
        echo ublk-vm >"$tree/etc/hostname"
        printf '127.0.0.1 localhost ublk-vm\n::1 localhost\n' >"$tree/etc/hosts"
        # A fixed identity and "everything is up to date": otherwise each boot is a first boot.
        echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
        touch "$tree/etc/.updated" "$tree/var/.updated"

        chroot "$tree" passwd -q -d root
        chroot "$tree" useradd -u 1000 -m -s /bin/bash alice
        chroot "$tree" passwd -q -d alice
}

# image_make BASE-TAR FILE (run through image_as_root)
image_make() {
        local base=$1 file=$2 tree size
        tree=$(mktemp -d "$vm_cache/tree.XXXXXX")
        chmod 755 "$tree"
        tar -x -f "$base" -C "$tree" --numeric-owner --exclude='./dev/*'
        image_customise "$tree"
        size=$(du -s -m --apparent-size "$tree" | cut -f 1)
        mke2fs -q -t ext4 -O ^has_journal -m 0 -N 65536 -L root -d "$tree" "$file" "$((size * 5 / 4 + image_free_mib))M" >/dev/null
        rm -rf -- "$tree"
}

# image_build: makes what is missing; the name is image_name.
image_build() {
        local base image
        base=$vm_cache/$(image_base_name)
        image=$vm_cache/$(image_name)
        if [[ ! -e $image ]]; then
                if [[ ! -e $base ]]; then
                        image_make_base "$base.new" || die "the root image could not be made"
                        mv -- "$base.new" "$base"
                fi
                export vm_cache guest_dir image_free_mib
                log_to "$vm_cache/image.log" image_as_root bash -euo pipefail -c \
                        "$(declare -p image_masked image_masked_generators image_coldplug); $(declare -f image_customise image_make); image_make \"\$@\"" \
                        image_make "$base" "$image.new" || die "the root disk could not be made"
                mv -- "$image.new" "$image"
        fi
        touch -- "$image" "$base"
}
