/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ublk-partitions: makes the partition nodes of one disk, once, and ends
 *
 * A disk that an unprivileged worker serves is not scanned by the kernel, and that is as well: what is on it may come from
 * anybody, and parsing it in the kernel, or in the manager, would be a risk to everything else. This program has two
 * halves. One has no right but to read the disk, and reads the table. The other has the right to make partitions, never
 * reads the disk, and believes the first one nothing that it can't check. It is a program of its own and no part of the
 * manager because making and removing partitions waits for whoever has the disk open, which the manager never may.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "partitions/blkpg.h"
#include "partitions/confine.h"
#include "partitions/inner.h"
#include "partitions/probe.h"

#define READ_TIMEOUT (10 * USEC_PER_SEC)

static void print_help(const char *program) {
        printf("%s [OPTION...] ublkbN[:DISKSEQ[:remove]]\n\n"
               "Makes the partitions of a ublk disk known to the kernel; ublkmgr(8) runs it.\n\n"
               "  -h --help            Show this help\n"
               "     --version         Show the version\n\n"
               "With a sequence number other than 0, only if the disk has that one. With\n"
               "'remove', makes the kernel forget them.\n",
               program);
}

struct task {
        const char *name;
        uint64_t diskseq; /* 0: any */
        bool remove;
};

/* One word, because it is also the instance of a unit. Cuts text into pieces. Returns 0 or -EINVAL. */
static int parse_task(char *text, struct task *ret) {
        static const char prefix[] = "ublkb";
        const char *name = strsep(&text, ":"), *seq = strsep(&text, ":");
        uint64_t id;

        *ret = (struct task){ .name = name, .remove = text != NULL };
        if (strncmp(name, prefix, strlen(prefix)) != 0 || parse_u64(name + strlen(prefix), &id) < 0)
                return -EINVAL;
        if (seq && parse_u64(seq, &ret->diskseq) < 0)
                return -EINVAL;
        return text && !streq(text, "remove") ? -EINVAL : 0;
}

/* Whether the node that was opened is this disk, and not something else that has its name in /dev. */
static int check_identity(int fd, const char *name, uint64_t diskseq) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char number[32];
        uint64_t seq;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode))
                return -ENOTBLK;
        (void)snprintf(number, sizeof(number), "%u:%u\n", major(st.st_rdev), minor(st.st_rdev));
        if (asprintf(&path, "/sys/class/block/%s/dev", name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        if (read_file(path, 4096, &text, NULL) < 0 || !streq(text, number))
                return -ENXIO;
        if (diskseq == 0)
                return 0;
        if (ioctl(fd, BLKGETDISKSEQ, &seq) < 0)
                return -errno;
        return seq == diskseq ? 0 : -ESTALE;
}

static int open_disk(const char *name, uint64_t diskseq, struct disk *ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r, block_size;
        uint64_t bytes;

        if (asprintf(&path, "/dev/%s", name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        r = check_identity(fd, name, diskseq);
        if (r < 0)
                return r;
        if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || ioctl(fd, BLKSSZGET, &block_size) < 0)
                return -errno;
        *ret = (struct disk){
                .fd = TAKE_FD(fd),
                .name = name,
                .sectors = bytes / 512,
                .block_sectors = MAX((unsigned)block_size, 512U) / 512,
        };
        return 0;
}

/* The half that reads. */
static int read_disk(int pipe, void *userdata) {
        const struct disk *disk = userdata;
        const struct confined confined = { .device = disk->fd, .pipe = pipe };
        struct record failed = { .kind = RECORD_FAILED };
        const char *what = NULL;
        int r;

        r = confine(&confined, &what);
        if (r >= 0)
                return probe_table(disk->fd, disk->block_sectors, pipe);
        log_error("the process that reads the partition table of %s can't be confined: %s",
                  disk->name, what);
        failed.number = (uint32_t)-r;
        _unused_ ssize_t n = write(pipe, &failed, sizeof(failed));
        return r;
}

static int read_table(struct disk *disk, struct table *ret) {
        int r = inner_run(read_disk, disk, CLONE_NEWPID, READ_TIMEOUT, ret);

        if (r >= 0)
                return 0;
        if (r == -ETIMEDOUT)
                log_error("the partition table of %s could not be read in %i s: does its worker "
                          "answer?",
                          disk->name, (int)(READ_TIMEOUT / USEC_PER_SEC));
        else if (r == -EBADMSG || r == -ECHILD)
                log_error("the partition table of %s could not be read: it makes the program "
                          "that reads it %s; don't trust this disk",
                          disk->name, r == -ECHILD ? "crash" : "talk nonsense");
        else
                (void)log_errno(LOG_ERR, r, "the partition table of %s could not be read",
                                disk->name);
        return r;
}

/* There is nothing to be read from, also where a terminal has started this. */
static int close_stdin(void) {
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return null < 0 || dup2(null, STDIN_FILENO) < 0 ? -errno : 0;
}

static int run(const struct task *task) {
        static struct table table;
        struct disk disk;
        int r, k;

        r = open_disk(task->name, task->diskseq, &disk);
        if (r < 0)
                return log_errno(LOG_ERR, r, "%s is not the disk that was meant", task->name);
        r = task->remove ? 0 : read_table(&disk, &table);
        if (r >= 0)
                r = blkpg_sync(&disk, &table);
        /* Also after a failure: some may have come or gone. */
        k = blkpg_announce(&disk);
        if (k < 0)
                (void)log_errno(LOG_WARNING, k, "udev can't be told about the partitions of %s",
                                task->name);
        if (r >= 0 && task->remove)
                log_info("%s: has no partitions any more", task->name);
        else if (r >= 0)
                log_info("%s: its table has %zu partitions", task->name, table.count);
        safe_close(disk.fd);
        return r;
}

int main(int argc, char **argv) {
        enum { OPTION_VERSION = 256 };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { 0 },
        };
        struct task task;
        int c;

        log_setup("ublk-partitions", LOG_INFO);
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help(argv[0]);
                        return EXIT_SUCCESS;
                case OPTION_VERSION:
                        printf("ublk-partitions %s\n", PROJECT_VERSION);
                        return EXIT_SUCCESS;
                default:
                        return 2;
                }
        if (optind + 1 != argc || parse_task(argv[optind], &task) < 0) {
                log_error("expected one disk, such as 'ublkb0' (%s --help)", argv[0]);
                return 2;
        }
        if (close_stdin() < 0)
                return EXIT_FAILURE;
        return run(&task) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
