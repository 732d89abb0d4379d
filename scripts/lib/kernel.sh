# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The kernels of the virtual machine: Debian's own cloud kernels, which have ublk_drv.
#
#   lts   the newest in bookworm-backports
#   new   the newest in trixie-backports
#
# The archive keeps only the newest version of a backport, so a version that is written down here would be gone next month:
# it is looked up, at most once a day, with an apt configuration of our own (this machine's apt knows nothing of it). What
# has been fetched stays and is used when there is no network.
#
# In the cache: kernel-NAME.current is a link to the folder kernel-NAME-VERSION, which holds vmlinux, modules.ext4 (a disk
# for /usr/lib/modules, unpacked, because unpacking xz in an emulated machine is slow) and release (what uname -r says).
#
# Variables of the other parts: vm_cache, apt_keyring.
# shellcheck shell=bash disable=SC2154

kernel_meta=linux-image-cloud-amd64

kernel_suite() {
        case $1 in
        lts) echo bookworm-backports ;;
        new) echo trixie-backports ;;
        *) die 2 "no kernel named '$1' (there are: lts, new)" ;;
        esac
}

# kernel_apt NAME PROGRAM ARG...: apt-get or apt-cache with a world of its own.
kernel_apt() {
        local dir=$vm_cache/apt-$1 program=$2
        shift 2
        "$program" -q -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
                -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
                -o Dir::State="$dir" -o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" \
                -o Dir::Cache="$dir/cache" -o APT::Sandbox::User= -o APT::Architecture=amd64 \
                -o Acquire::Languages=none "$@"
}

kernel_update() {
        local name=$1 dir=$vm_cache/apt-$1 mirror suite
        mirror=$(apt_main_mirror)
        [[ -n $mirror ]] || die "apt on this machine has no Debian source to take a kernel from"
        suite=$(kernel_suite "$name")
        mkdir -p "$dir"/{lists/partial,cache/archives/partial}
        : >"$dir/status"
        printf 'deb [signed-by=%s] %s %s main\n' "$apt_keyring" "$mirror" "$suite" >"$dir/sources.list"
        kernel_apt "$name" apt-get -o APT::Update::Error-Mode=any update
}

# The packages that make up the kernel: up to 6.12 linux-image-V alone, later linux-binary-V, -modules-V and -base-V, too.
# They are found by following the dependencies, so a further split does no harm.
kernel_packages() {
        kernel_apt "$1" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
                --no-replaces --no-enhances "$kernel_meta" |
                grep -E '^linux-[a-z-]+-[0-9][^ ]*$' | sort -u
}

# kernel_decompress BZIMAGE FILE: the kernel itself out of the file that unpacks itself. QEMU starts it directly (PVH), which
# saves two seconds of emulated unpacking; the price is that the kernel is not at a random address.
kernel_decompress() {
        local image=$1 file=$2 sectors offset length start
        # Offsets: the x86 boot protocol (setup_sects, payload_offset, payload_length).
        sectors=$(od -A n -t u1 -j $((0x1f1)) -N 1 "$image")
        offset=$(od -A n -t u4 -j $((0x248)) -N 4 "$image")
        length=$(od -A n -t u4 -j $((0x24c)) -N 4 "$image")
        start=$(((sectors + 1) * 512 + offset))
        # The last four bytes are the unpacked size, not part of the stream.
        tail -c +$((start + 1)) "$image" | head -c $((length - 4)) >"$file.packed" || true
        case $(od -A n -t x1 -N 4 "$file.packed" | tr -d ' ') in
        28b52ffd) zstd -q -d -c <"$file.packed" >"$file" ;;
        fd377a58) xz -d -c --single-stream <"$file.packed" >"$file" ;;
        *) false ;;
        esac || return 1
        # Without the PVH note QEMU cannot start it.
        readelf -n "$file" 2>/dev/null | grep -q 'Unknown note type: (0x00000012)'
}

# kernel_unpack NAME FOLDER
kernel_unpack() {
        local name=$1 dir=$2 debs=$2/debs tree=$2/tree deb module release size
        local -a packages image
        mapfile -t packages < <(kernel_packages "$name")
        mkdir -p "$debs" "$tree"
        (cd "$debs" && kernel_apt "$name" apt-get download "${packages[@]}")
        for deb in "$debs"/*.deb; do
                dpkg -x "$deb" "$tree"
        done

        # Debian is moving modules from /lib to /usr/lib and the kernel from /boot into the folder of its modules.
        if [[ -d $tree/lib ]]; then
                mkdir -p "$tree/usr/lib"
                cp -a -l "$tree/lib/." "$tree/usr/lib/"
                rm -rf -- "${tree:?}/lib"
        fi
        # depmod and modprobe of this machine may know either folder.
        ln -s usr/lib "$tree/lib"
        release=$(ls "$tree/usr/lib/modules")
        mapfile -t image < <(find "$tree" -name 'vmlinuz*' -type f)
        ((${#image[@]} == 1)) || die "the kernel packages hold ${#image[@]} kernel images: ${packages[*]}"
        kernel_decompress "${image[0]}" "$dir/vmlinux" ||
                cp -- "${image[0]}" "$dir/vmlinux"
        rm -f -- "$dir/vmlinux.packed"

        module=$tree/usr/lib/modules
        find "$module" -name '*.ko.xz' -print0 | xargs -0 -r -P 2 -n 64 xz -d -q
        find "$module" -name '*.ko.zst' -print0 | xargs -0 -r -P 2 -n 64 zstd -d -q --rm
        depmod -b "$tree" "$release"

        size=$(du -s -m "$module" | cut -f 1)
        mke2fs -q -t ext4 -O ^has_journal -m 0 -L modules -E root_owner=0:0 -d "$module" "$dir/modules.ext4" \
                "$((size * 5 / 4 + 16))M" >/dev/null

        # The initrd is made from this part of the tree; the rest has served.
        modprobe -d "$tree" -S "$release" --show-depends virtio_blk | awk '$1 == "insmod" { print $2 }' |
                while read -r module; do
                        install -D -m 644 "$module" "$dir/initrd-modules/${module##*/}"
                        printf '%s\n' "${module##*/}" >>"$dir/initrd-modules/order"
                done
        printf '%s\n' "$release" >"$dir/release"
        rm -rf -- "$debs" "$tree"
}

# How a kernel is unpacked is part of its name, so that a change here takes effect at once and not when the day is over.
kernel_recipe() {
        declare -f kernel_unpack kernel_decompress | hash_of
}

# kernel_usable NAME: what the link points at is complete, and made the way we make it now.
kernel_usable() {
        local current=$vm_cache/kernel-$1.current
        [[ -e $current/release && $(readlink "$current") == *-"$(kernel_recipe)" ]]
}

kernel_fetch() {
        local name=$1 version dir
        log_to "$vm_cache/kernel-$name.log" kernel_update "$name" || return 1
        version=$(kernel_apt "$name" apt-cache policy "$kernel_meta" | awk '$1 == "Candidate:" { print $2 }')
        [[ -n $version && $version != '(none)' ]] || return 1
        version=${version//[^A-Za-z0-9.+-]/_}
        dir=kernel-$name-$version-$(kernel_recipe)
        if [[ ! -d $vm_cache/$dir ]]; then
                say "kernel $name: fetching $version"
                rm -rf -- "$vm_cache/$dir.new"
                export -f kernel_unpack kernel_decompress kernel_packages kernel_apt die say
                log_to "$vm_cache/kernel-$name.log" env vm_cache="$vm_cache" kernel_meta="$kernel_meta" \
                        bash -euo pipefail -c 'kernel_unpack "$@"' kernel_unpack "$name" "$vm_cache/$dir.new" || return 1
                mv -- "$vm_cache/$dir.new" "$vm_cache/$dir"
        fi
        ln -sfn "$dir" "$vm_cache/kernel-$name.new"
        mv -T -- "$vm_cache/kernel-$name.new" "$vm_cache/kernel-$name.current"
}

# kernel_build NAME: afterwards $vm_cache/kernel-NAME.current is there.
kernel_build() {
        local name=$1 current=$vm_cache/kernel-$1.current stamp=$vm_cache/kernel-$1.checked
        if kernel_usable "$name" && [[ -n $(find "$stamp" -mtime -1 2>/dev/null) ]]; then
                return 0
        fi
        if kernel_fetch "$name"; then
                touch -- "$stamp"
        elif kernel_usable "$name"; then
                say "kernel $name: could not look for a newer one, using $(cat "$current/release")"
                touch -- "$stamp"
        else
                die "kernel $name: could not be fetched (see $vm_cache/kernel-$name.log); the first build needs a network"
        fi
        touch -- "$current/"
}
