/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reaching for files: of the machine, of other processes, of the kernel, and making the file system look different. */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>

#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

static const struct open_how how = { .flags = O_RDONLY };
static char buffer[4096];
static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
/* A struct file_handle: the size of what follows, the type, and that. */
static unsigned handle_bytes[34] = { 128 };
static int mount_id;

static const struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

/* Q_QUOTAOFF of the users. */
#define QUOTA_OFF INT64_C(0x80000300)

#define OPEN(path, flags)                \
        SYS_openat, {                    \
                AT_FDCWD, P(path), flags \
        }

/* From a folder outside that is still open the way leads to all others, whatever the root is. */
static long open_above_fds(const struct attempt_context *c) {
        long r = -ENOENT;

        (void)c;
        for (int fd = 0; fd < 64 && r < 0; fd++)
                r = syscall(SYS_openat, fd, "../etc/passwd", O_RDONLY);
        return r < 0 ? -errno : r;
}

static const struct attempt attempts[] = {
        { "open-passwd", BY_FILTER, 0, SYS_open, { P("/etc/passwd"), O_RDONLY } },
        { "openat-passwd", BY_FILTER, 0, OPEN("/etc/passwd", O_RDONLY) },
        { "openat-shadow", BY_FILTER, 0, OPEN("/etc/shadow", O_RDONLY) },
        { "openat2-passwd",
          BY_FILTER,
          0,
          SYS_openat2,
          { AT_FDCWD, P("/etc/passwd"), P(&how), sizeof(how) } },
        { "openat-above-fds", BY_FILTER, 0, .run = open_above_fds },
        { "openat-up", BY_FILTER, 0, OPEN("../../../../../etc/passwd", O_RDONLY) },
        { "openat-root", BY_FILTER, FILTER_ONLY, OPEN("/", O_RDONLY | O_DIRECTORY) },
        { "openat-tmpfile", BY_FILTER, 0, OPEN("/tmp", O_TMPFILE | O_RDWR) },
        { "openat-proc-self-exe", BY_FILTER, 0, OPEN("/proc/self/exe", O_RDONLY) },
        { "openat-proc-self-fd", BY_FILTER, 0, OPEN("/proc/self/fd/2", O_RDWR) },
        { "openat-proc-self-mem", BY_FILTER, 0, OPEN("/proc/self/mem", O_RDWR) },
        { "openat-proc-1-mem", BY_FILTER, 0, OPEN("/proc/1/mem", O_RDWR) },
        { "openat-proc-1-environ", BY_FILTER, 0, OPEN("/proc/1/environ", O_RDONLY) },
        { "openat-proc-1-root", BY_FILTER, 0, OPEN("/proc/1/root/etc/passwd", O_RDONLY) },
        { "openat-proc-sysrq", BY_FILTER, 0, OPEN("/proc/sysrq-trigger", O_WRONLY) },
        { "openat-core-pattern", BY_FILTER, 0, OPEN("/proc/sys/kernel/core_pattern", O_WRONLY) },
        { "openat-sys", BY_FILTER, 0, OPEN("/sys/class/ublk-char", O_RDONLY | O_DIRECTORY) },
        { "openat-ublk-control", BY_FILTER, 0, OPEN("/dev/ublk-control", O_RDWR) },
        { "openat-dev-mem", BY_FILTER, NO_CONTROL, OPEN("/dev/mem", O_RDWR) },
        { "openat-dev-kmsg", BY_FILTER, 0, OPEN("/dev/kmsg", O_RDWR) },
        { "openat-disk", BY_FILTER, 0, OPEN("/dev/disk/by-id/virtio-scratch", O_RDWR) },
        { "openat-cgroup", BY_FILTER, 0, OPEN("/sys/fs/cgroup/cgroup.procs", O_WRONLY) },
        { "creat", BY_FILTER, 0, SYS_creat, { P(PLAYGROUND "/created"), 0600 } },
        { "stat", BY_FILTER, 0, SYS_newfstatat, { AT_FDCWD, P("/etc/passwd"), P(buffer), 0 } },
        { "statx",
          BY_FILTER,
          0,
          SYS_statx,
          { AT_FDCWD, P("/etc/passwd"), 0, STATX_ALL, P(buffer) } },
        { "statfs", BY_FILTER, 0, SYS_statfs, { P("/etc"), P(buffer) } },
        { "faccessat", BY_FILTER, 0, SYS_faccessat, { AT_FDCWD, P("/etc/passwd"), R_OK } },
        { "readlink",
          BY_FILTER,
          0,
          SYS_readlinkat,
          { AT_FDCWD, P("/proc/self/exe"), P(buffer), sizeof(buffer) } },
        { "getcwd", BY_FILTER, FILTER_ONLY, SYS_getcwd, { P(buffer), sizeof(buffer) } },
        { "chdir", BY_FILTER, 0, SYS_chdir, { P("/etc") } },
        { "mkdir", BY_FILTER, 0, SYS_mkdirat, { AT_FDCWD, P(PLAYGROUND "/made"), 0700 } },
        { "mknod",
          BY_FILTER,
          0,
          SYS_mknodat,
          { AT_FDCWD, P(PLAYGROUND "/disk"), S_IFBLK | 0600, 0xfe00 } },
        { "mknod-root",
          BY_FILTER,
          0,
          SYS_mknodat,
          { AT_FDCWD, P("/ublk-escape-node"), S_IFCHR | 0600, 0x0103 } },
        { "link",
          BY_FILTER,
          0,
          SYS_linkat,
          { AT_FDCWD, P(PLAYGROUND "/file"), AT_FDCWD, P(PLAYGROUND "/link"), 0 } },
        { "symlink", BY_FILTER, 0, SYS_symlinkat, { P("x"), AT_FDCWD, P(PLAYGROUND "/sym") } },
        { "rename",
          BY_FILTER,
          0,
          SYS_renameat2,
          { AT_FDCWD, P(PLAYGROUND "/file"), AT_FDCWD, P(PLAYGROUND "/file"), 0 } },
        { "unlink", BY_FILTER, 0, SYS_unlinkat, { AT_FDCWD, P(PLAYGROUND "/unlink"), 0 } },
        { "chmod", BY_FILTER, 0, SYS_fchmodat, { AT_FDCWD, P(PLAYGROUND "/file"), 04755 } },
        { "chmod-root", BY_FILTER, 0, SYS_fchmodat, { AT_FDCWD, P("/"), 0755 } },
        { "chown", BY_FILTER, 0, SYS_fchownat, { AT_FDCWD, P(PLAYGROUND "/file"), 1, 1, 0 } },
        { "truncate", BY_FILTER, 0, SYS_truncate, { P(PLAYGROUND "/file"), 1 } },
        { "utimensat",
          BY_FILTER,
          0,
          SYS_utimensat,
          { AT_FDCWD, P(PLAYGROUND "/file"), P(now), 0 } },
        { "setxattr",
          BY_FILTER,
          NO_CONTROL,
          SYS_setxattr,
          { P(PLAYGROUND "/file"), P("user.x"), P("x"), 1, 0 } },
        { "chroot", BY_FILTER, 0, SYS_chroot, { P("/") } },
        { "pivot-root", BY_FILTER, NO_CONTROL, SYS_pivot_root, { P("."), P(".") } },
        { "mount-tmpfs", BY_FILTER, 0, SYS_mount, { P("none"), P("/proc"), P("tmpfs"), 0, 0 } },
        { "mount-proc", BY_FILTER, 0, SYS_mount, { P("proc"), P("/"), P("proc"), 0, 0 } },
        { "mount-writable",
          BY_FILTER,
          0,
          SYS_mount,
          { P("none"), P("/"), 0, MS_REMOUNT | MS_BIND, 0 } },
        { "umount", BY_FILTER, NO_CONTROL, SYS_umount2, { P("/"), MNT_DETACH } },
        { "fsopen", BY_FILTER, 0, SYS_fsopen, { P("tmpfs"), 0 } },
        { "open-tree", BY_FILTER, 0, SYS_open_tree, { AT_FDCWD, P("/etc"), 0 } },
        { "open-tree-clone", BY_FILTER, 0, SYS_open_tree, { AT_FDCWD, P("/"), OPEN_TREE_CLONE } },
        { "move-mount",
          BY_FILTER,
          NO_CONTROL,
          SYS_move_mount,
          { AT_FDCWD, P("/"), AT_FDCWD, P("/"), 0 } },
        { "mount-setattr",
          BY_FILTER,
          0,
          SYS_mount_setattr,
          { AT_FDCWD, P("/"), 0, P(&attributes), sizeof(attributes) } },
        { "name-to-handle",
          BY_FILTER,
          0,
          SYS_name_to_handle_at,
          { AT_FDCWD, P("/etc/passwd"), P(handle_bytes), P(&mount_id), 0 } },
        { "open-by-handle",
          BY_FILTER,
          NO_CONTROL,
          SYS_open_by_handle_at,
          { AT_FDCWD, P(handle_bytes), O_RDONLY } },
        { "inotify", BY_FILTER, FILTER_ONLY, SYS_inotify_init1, { 0 } },
        { "fanotify",
          BY_FILTER,
          0,
          SYS_fanotify_init,
          { FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE, O_RDONLY } },
        { "swapon", BY_FILTER, NO_CONTROL, SYS_swapon, { P(PLAYGROUND "/file"), 0 } },
        { "acct", BY_FILTER, 0, SYS_acct, { 0 } },
        { "quotactl", BY_FILTER, NO_CONTROL, SYS_quotactl, { QUOTA_OFF, P("/dev/vda"), 0, 0 } },
        { "sync", BY_FILTER, FILTER_ONLY | NO_CONTROL, SYS_sync, { 0 } },
};

const struct attempt_group group_files = { "files", attempts, ELEMENTSOF(attempts) };
