# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every Debian package that the scripts install, in one place: the groups for the machine you work on (deps.sh installs
# them) and the list for the inside of the virtual machine (image.sh).
#
# shellcheck shell=bash disable=SC2034

# To compile.
packages_build=(
        gcc libc6-dev linux-libc-dev meson ninja-build pkgconf
        libsystemd-dev libcjson-dev liburing-dev libblkid-dev
)

# To compile with the other compiler, and to run the tests that need no kernel driver.
packages_test=(
        clang clang-format shellcheck binutils libcmocka-dev
        dbus dbus-daemon systemd util-linux e2fsprogs
        python3 python3-pytest python3-dbus python3-gi python3-jsonschema
)

# To build and boot the virtual machine.
packages_vm=(
        qemu-system-x86 mmdebstrap busybox-static debian-archive-keyring
        e2fsprogs kmod cpio binutils xz-utils zstd tar util-linux
)

# To measure.
packages_bench=(
        fio jq
)

# Inside the machine. The sanitizer runtimes are there because binaries that gcc built with -fsanitize link them
# dynamically (clang links its own statically).
packages_guest=(
        systemd-sysv udev dbus polkitd kmod util-linux procps sudo
        e2fsprogs xfsprogs fdisk dmsetup fio strace jq python3-minimal
        libsystemd0 libcjson1 liburing2 libblkid1 zlib1g libzstd1 libcmocka0
        libasan8 libubsan1 liblsan0
)
