# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Starts QEMU: which way of emulation, which command line, which disks.
#
# -cpu max,-cx16: the emulation of cmpxchg16b in QEMU 7.2 corrupts guest kernels (3 of 12 boots), so the guest must not
# know that instruction. -nodefaults: no network, no video, no surprise.
#
# Variables of the other parts: vm_cache.
# shellcheck shell=bash disable=SC2154,SC2034

# Enough for a kernel to reach its init under KVM. Where KVM does not work it either refuses at once or hangs.
qemu_probe_seconds=15

qemu_cmdline=(
        console=ttyS0 panic=-1 loglevel=6
        sysctl.kernel.hung_task_timeout_secs=20 sysctl.kernel.hung_task_panic=1
        kfence.sample_interval=100
        systemd.show_status=0 fsck.mode=skip
)

# qemu_kvm_works KERNEL-FOLDER INITRD: the node /dev/kvm says nothing, so a kernel is booted once per boot of the host.
qemu_kvm_works() {
        local kernel=$1 initrd=$2 answer
        [[ -r /dev/kvm && -w /dev/kvm ]] || return 1
        answer=$vm_cache/kvm-$(cat /proc/sys/kernel/random/boot_id)
        if [[ ! -e $answer ]]; then
                rm -f -- "$vm_cache"/kvm-*
                # stdin from nowhere: QEMU must not touch the terminal.
                if timeout -k 1 "$qemu_probe_seconds" qemu-system-x86_64 -M q35 -accel kvm -cpu max -smp 2 -m 512 \
                        -nodefaults -display none -no-reboot -serial stdio -kernel "$kernel/vmlinux" -initrd "$initrd" \
                        -append 'console=ttyS0 panic=-1 vm.mode=probe' </dev/null 2>&1 | grep -q -a vm-probe-works; then
                        echo yes >"$answer.new"
                else
                        say "/dev/kvm does not run a kernel here: using emulation"
                        echo no >"$answer.new"
                fi
                mv -- "$answer.new" "$answer"
        fi
        [[ $(cat "$answer") == yes ]]
}

# qemu_accel KERNEL-FOLDER INITRD ICOUNT: the arguments for the processor, one a line.
qemu_accel() {
        if [[ $3 == yes ]]; then
                printf '%s\n' -accel tcg,thread=single -smp 1 -icount shift=0,sleep=off -cpu max,-cx16
        elif qemu_kvm_works "$1" "$2"; then
                printf '%s\n' -accel kvm -smp 2 -cpu max
        else
                printf '%s\n' -accel tcg,thread=multi -smp 2 -cpu max,-cx16
        fi
}

# qemu_disk FILE SERIAL OPTIONS: the arguments for a disk that the guest knows by its serial number.
qemu_disk() {
        printf '%s\n' -drive "if=none,id=$2,format=raw,file=${1//,/,,},$3" -device "virtio-blk-pci,drive=$2,serial=$2"
}
