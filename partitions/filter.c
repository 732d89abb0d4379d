/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system calls of the reader, as a table
 *
 * What libblkid tries although it can do without (it looks at /sys, asks for a CD-ROM) is refused with an errno; whatever
 * is neither in that list nor allowed ends the process, because a reader that tries it is not the reader any more.
 * libseccomp would be one more library in a program that runs one; the filter is thirty instructions.
 */

#include "partitions/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "lib/base/macro.h"
#include "worker/sandbox/architecture.h"

enum verdict {
        ALLOW,
        DEVICE_ONLY, /* the first argument is this fd */
        PIPE_ONLY,
        REFUSE,        /* with EPERM */
        NO_EXECUTABLE, /* allowed without PROT_EXEC */
        SIZES_ONLY,    /* ioctl: allowed for what asks for sizes, otherwise refused */
};

static const struct {
        uint32_t number;
        enum verdict verdict;
} calls[] = {
        { SYS_read, DEVICE_ONLY },
        { SYS_pread64, DEVICE_ONLY },
        { SYS_lseek, DEVICE_ONLY },
        { SYS_write, PIPE_ONLY },
        { SYS_fstat, ALLOW },
        { SYS_fadvise64, ALLOW },
        { SYS_ioctl, SIZES_ONLY },
        { SYS_mmap, NO_EXECUTABLE },
        { SYS_mprotect, NO_EXECUTABLE },
        { SYS_munmap, ALLOW },
        { SYS_mremap, ALLOW },
        { SYS_madvise, ALLOW },
        { SYS_brk, ALLOW },
        { SYS_futex, ALLOW },
        { SYS_getrandom, ALLOW },
        { SYS_clock_gettime, ALLOW },
        { SYS_gettid, ALLOW },
        { SYS_getpid, ALLOW },
        { SYS_rt_sigaction, ALLOW },
        { SYS_rt_sigprocmask, ALLOW },
        { SYS_rt_sigreturn, ALLOW },
        { SYS_close, ALLOW },
#ifdef __SANITIZE_ADDRESS__ /* its own reports, and its end */
        { SYS_write, ALLOW },
        { SYS_sigaltstack, ALLOW },
        { SYS_getrlimit, ALLOW },
        { SYS_prlimit64, ALLOW },
        { SYS_sched_yield, ALLOW },
#endif
        { SYS_exit, ALLOW },
        { SYS_exit_group, ALLOW },

        { SYS_openat, REFUSE },
        { SYS_readlinkat, REFUSE },
        { SYS_faccessat, REFUSE },
#ifdef SYS_faccessat2
        { SYS_faccessat2, REFUSE },
#endif
#ifdef SYS_newfstatat
        /* fstat() of glibc is this with AT_EMPTY_PATH; there is no path that could lead anywhere. */
        { SYS_newfstatat, ALLOW },
#endif
#ifdef SYS_open
        { SYS_open, REFUSE },
        { SYS_stat, REFUSE },
        { SYS_lstat, REFUSE },
        { SYS_access, REFUSE },
        { SYS_readlink, REFUSE },
#endif
        { SYS_statx, REFUSE },
        { SYS_geteuid, REFUSE },
        { SYS_getuid, REFUSE },
};

static const uint32_t sizes[] = { BLKGETSIZE64, BLKGETSIZE, BLKSSZGET, BLKPBSZGET, BLKIOMIN };

enum { PROGRAM_MAX = 8 + 8 * (ELEMENTSOF(calls) + ELEMENTSOF(sizes)) };

struct program {
        struct sock_filter code[PROGRAM_MAX];
        unsigned short length;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
        p->code[p->length++] = (struct sock_filter){ .code = code, .k = k, .jt = jt, .jf = jf };
}

static void load(struct program *p, size_t offset) {
        add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action) {
        add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The low half of an argument; what is looked at here fits into it. */
static size_t argument(int n) {
        size_t offset = offsetof(struct seccomp_data, args) + (size_t)n * sizeof(uint64_t);

        return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? offset : offset + sizeof(uint32_t);
}

static void add_fd(struct program *p, int fd) {
        load(p, argument(0));
        add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 1);
        answer(p, SECCOMP_RET_ALLOW);
        /* The same call may be listed again. */
        load(p, offsetof(struct seccomp_data, nr));
}

static void add_call(struct program *p, uint32_t number, enum verdict verdict, int device,
                     int pipe) {
        /* The length of what follows, to jump over it. */
        const uint8_t skip[] = {
                [ALLOW] = 1,  [DEVICE_ONLY] = 4,   [PIPE_ONLY] = 4,
                [REFUSE] = 1, [NO_EXECUTABLE] = 4, [SIZES_ONLY] = 2 + 2 * ELEMENTSOF(sizes),
        };

        add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, skip[verdict]);
        switch (verdict) {
        case ALLOW:
                answer(p, SECCOMP_RET_ALLOW);
                break;
        case DEVICE_ONLY:
                add_fd(p, device);
                break;
        case PIPE_ONLY:
                add_fd(p, pipe);
                break;
        case REFUSE:
                answer(p, SECCOMP_RET_ERRNO | EPERM);
                break;
        case NO_EXECUTABLE:
                load(p, argument(2));
                add(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
                answer(p, SECCOMP_RET_KILL_PROCESS);
                answer(p, SECCOMP_RET_ALLOW);
                break;
        case SIZES_ONLY:
                load(p, argument(1));
                for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                        add(p, BPF_JMP | BPF_JEQ | BPF_K, sizes[i], 0, 1);
                        answer(p, SECCOMP_RET_ALLOW);
                }
                answer(p, SECCOMP_RET_ERRNO | ENOTTY);
                break;
        }
}

int filter_system_calls(int device, int pipe) {
        struct program p = { .length = 0 };

        load(&p, offsetof(struct seccomp_data, arch));
        add(&p, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCHITECTURE, 1, 0);
        answer(&p, SECCOMP_RET_KILL_PROCESS);
        /* The numbers of x32 are none of these. */
        load(&p, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                add_call(&p, calls[i].number, calls[i].verdict, device, pipe);
        answer(&p, SECCOMP_RET_KILL_PROCESS);

        const struct sock_fprog program = { .len = p.length, .filter = p.code };
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return -errno;
        return 0;
}
