/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two lists. The first is in force before the manager says what is to be served: with it memory, threads and rings can be
 * made, and everything that is there already be used, but no file, socket or program be reached. The second is what serving
 * needs. Of that each line says who needs it, and a test takes out one after the other: something must break. What the
 * code of a sanitizer does behind the scenes is allowed in builds that have one and nowhere else.
 */

#include "worker/calls.h"

#include <errno.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"

enum which_fd { FD_ANY, FD_LOG, FD_REPORTS, FD_SOCKET, FD_BACKING };

struct allowed {
        unsigned number;
        enum which_fd fd;
};

/* glibc makes threads with clone() where there is no clone3(), whose flags a filter can't see. */
static const struct sandbox_call setup[] = {
        SANDBOX_ALLOW(SYS_io_uring_enter),
        SANDBOX_ALLOW(SYS_io_uring_setup),
        SANDBOX_ALLOW(SYS_io_uring_register),
        SANDBOX_ALLOW_IF(SYS_mmap, SANDBOX_LACKS, 2, PROT_EXEC),
        SANDBOX_ALLOW_IF(SYS_mprotect, SANDBOX_LACKS, 2, PROT_EXEC),
        SANDBOX_ALLOW(SYS_munmap),
        SANDBOX_ALLOW(SYS_munlock), /* what people store; not made with a sanitizer */
        SANDBOX_ALLOW(SYS_mremap),
        SANDBOX_ALLOW(SYS_madvise),
        SANDBOX_ALLOW(SYS_brk),
        SANDBOX_ALLOW_IF(SYS_clone, SANDBOX_HAS, 0, CLONE_THREAD),
        SANDBOX_REFUSE(SYS_clone3, ENOSYS),
        SANDBOX_ALLOW(SYS_set_robust_list),
        SANDBOX_ALLOW(SYS_rseq),
        SANDBOX_ALLOW(SYS_futex),
        SANDBOX_ALLOW_IF(SYS_prctl, SANDBOX_IS, 0, PR_SET_NAME),
        SANDBOX_ALLOW_IF(SYS_prlimit64, SANDBOX_IS, 0, 0), /* of this process */
        SANDBOX_ALLOW(SYS_rt_sigaction),
        SANDBOX_ALLOW(SYS_rt_sigprocmask),
        SANDBOX_ALLOW(SYS_rt_sigreturn),
        SANDBOX_ALLOW(SYS_sched_getaffinity),
        SANDBOX_ALLOW(SYS_getpid),
        SANDBOX_ALLOW(SYS_gettid),
        SANDBOX_ALLOW(SYS_getrandom),
        SANDBOX_ALLOW(SYS_clock_gettime),
        SANDBOX_ALLOW(SYS_pipe2),
        SANDBOX_ALLOW(SYS_read),
        SANDBOX_ALLOW(SYS_write),
        SANDBOX_ALLOW(SYS_pread64),
        SANDBOX_ALLOW(SYS_pwrite64),
        SANDBOX_ALLOW(SYS_lseek),
        SANDBOX_ALLOW(SYS_fallocate),
        SANDBOX_ALLOW(SYS_fstat),
        SANDBOX_ALLOW(SYS_fcntl),
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKSSZGET),
        SANDBOX_REFUSE(SYS_ioctl, ENOTTY),
        SANDBOX_ALLOW(SYS_close),
        SANDBOX_ALLOW(SYS_ppoll),
#ifdef SYS_poll
        SANDBOX_ALLOW(SYS_poll),
#endif
#ifdef SYS_newfstatat
        SANDBOX_ALLOW(SYS_newfstatat), /* fstat() of glibc; there is no path to anything */
#endif
        SANDBOX_ALLOW(SYS_restart_syscall),
        SANDBOX_ALLOW(SYS_seccomp), /* the second list */
        SANDBOX_ALLOW(SYS_exit),
        SANDBOX_ALLOW(SYS_exit_group),
};

static const struct allowed common[] = {
        { SYS_io_uring_enter, FD_ANY }, /* all I/O of all targets */
        { SYS_write, FD_REPORTS },      /* a queue has ended */
        { SYS_write, FD_LOG },
        { SYS_read, FD_ANY }, /* reports */
#ifdef SYS_poll
        { SYS_poll, FD_ANY }, /* the main thread waits */
#else
        { SYS_ppoll, FD_ANY }, /* the main thread waits */
#endif
        { SYS_recvmsg, FD_SOCKET },      /* the manager has gone, or broke the protocol */
        { SYS_sendmsg, FD_SOCKET },      /* READY, FAILED */
        { SYS_close, FD_ANY },           /* the socket of a manager that has gone */
        { SYS_restart_syscall, FD_ANY }, /* poll() after SIGSTOP and SIGCONT */
        { SYS_exit_group, FD_ANY },
};

static const struct allowed memory[] = {
        { SYS_pwrite64, FD_BACKING },  /* the first write to a page */
        { SYS_fallocate, FD_BACKING }, /* holes, and zeroes that keep their memory */
};

static const struct allowed network[] = {
        { SYS_getrandom, FD_ANY }, /* nonces of TLS */
};

static const struct {
        const struct allowed *calls;
        size_t n;
} classes[] = {
        [TARGET_CLASS_MEMORY] = { memory, ELEMENTSOF(memory) },
        [TARGET_CLASS_FILE] = { NULL, 0 },
        [TARGET_CLASS_NETWORK] = { network, ELEMENTSOF(network) },
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
static const struct allowed sanitizers[] = {
        { SYS_write, FD_ANY },        { SYS_mmap, FD_ANY },         { SYS_munmap, FD_ANY },
        { SYS_mprotect, FD_ANY },     { SYS_madvise, FD_ANY },      { SYS_futex, FD_ANY },
        { SYS_sched_yield, FD_ANY },  { SYS_getpid, FD_ANY },       { SYS_gettid, FD_ANY },
        { SYS_sigaltstack, FD_ANY },  { SYS_openat, FD_ANY },       { SYS_readlink, FD_ANY },
        { SYS_newfstatat, FD_ANY },   { SYS_fstat, FD_ANY },        { SYS_rt_sigprocmask, FD_ANY },
        { SYS_rt_sigaction, FD_ANY }, { SYS_rt_sigreturn, FD_ANY }, { SYS_getrlimit, FD_ANY },
        { SYS_prlimit64, FD_ANY },
};
enum { N_SANITIZERS = ELEMENTSOF(sanitizers) };
#else
static const struct allowed *const sanitizers = NULL;
enum { N_SANITIZERS = 0 };
#endif

/* What an entry is for this process; false: it needs an fd that there isn't. */
static bool make_call(const struct allowed *a, const struct worker_fds *fds,
                      struct sandbox_call *ret) {
        const int known[] = {
                [FD_ANY] = -EBADF,         [FD_LOG] = STDERR_FILENO,    [FD_REPORTS] = fds->reports,
                [FD_SOCKET] = fds->socket, [FD_BACKING] = fds->backing,
        };

        *ret = (struct sandbox_call){ .number = a->number };
        if (a->fd == FD_ANY)
                return true;
        ret->test = SANDBOX_IS;
        ret->value = (uint32_t)known[a->fd];
        return known[a->fd] >= 0;
}

size_t worker_calls(enum target_class class, const struct worker_fds *fds,
                    struct sandbox_call ret[SANDBOX_CALLS_MAX]) {
        const struct {
                const struct allowed *calls;
                size_t n;
        } lists[] = {
                { common, ELEMENTSOF(common) },
                { classes[class].calls, classes[class].n },
                { sanitizers, N_SANITIZERS },
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (size_t k = 0; k < lists[i].n && n < SANDBOX_CALLS_MAX; k++)
                        if (make_call(&lists[i].calls[k], fds, &ret[n]))
                                n++;
        return n;
}

size_t worker_setup_calls(int socket, struct sandbox_call ret[SANDBOX_CALLS_MAX]) {
        /* Not the log, which may be a socket as well: fds could be sent there. */
        static const unsigned messages[] = { SYS_recvmsg, SYS_sendmsg };
        const size_t n_sanitizers = N_SANITIZERS;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(messages); i++)
                ret[n++] =
                        (struct sandbox_call)SANDBOX_ALLOW_IF(messages[i], SANDBOX_IS, 0, socket);
        for (size_t i = 0; i < ELEMENTSOF(setup); i++)
                ret[n++] = setup[i];
        for (size_t i = 0; i < n_sanitizers; i++)
                ret[n++] = (struct sandbox_call){ .number = sanitizers[i].number };
        return n;
}
