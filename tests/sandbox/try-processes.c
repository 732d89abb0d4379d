/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reaching for other processes (all of the machine, and another worker above all), making new ones, and becoming
 * somebody else.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

/* Without this on its stack a new thread could do nothing at all. */
static _Alignas(16) char stack[16384];

static siginfo_t signal_info = { .si_code = SI_QUEUE };
static const struct clone_args clone_arguments = { .exit_signal = SIGCHLD };
static struct __user_cap_header_struct cap_header = { .version = _LINUX_CAPABILITY_VERSION_3 };
static const struct __user_cap_data_struct all_caps[2] = {
        { .effective = 1 << CAP_SYS_ADMIN, .permitted = 1 << CAP_SYS_ADMIN },
};
/* More than a worker has. */
static const struct rlimit limit = { 8192, 8192 };
static const struct sched_param realtime = { .sched_priority = 1 };
static const unsigned long processor = 1;
static const gid_t root_group;
static void *pages[1];
static int page_status[1];

static struct sock_filter allow_all = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
static const struct sock_fprog program = { 1, &allow_all };

/* What would be left of the attempt's process reports for it. */
#define COMMAND(name) \
        { "/bin/sh", "-c", "echo ESCAPED $0: 0 >&2", name, NULL }
static const char *const command_execve[] = COMMAND("execve");
static const char *const command_execveat[] = COMMAND("execveat");
static const char *const environment[] = { NULL };

/* The address space is shared until the child ends, the stack as well: so no function may return in it. */
static long try_vfork(const struct attempt_context *c) {
        (void)c;
#ifdef __x86_64__
        long r = SYS_vfork;

        __asm__ volatile("syscall\n"
                         "test %%rax, %%rax\n"
                         "jnz 1f\n"
                         "mov %1, %%eax\n"
                         "xor %%edi, %%edi\n"
                         "syscall\n"
                         "1:"
                         : "+a"(r)
                         : "i"(SYS_exit)
                         : "rcx", "rdx", "rdi", "r11", "memory");
        return r;
#else
        return -ENOSYS;
#endif
}

static int thread_main(void *argument) {
        (void)argument;
        (void)syscall(SYS_exit, 0);
        return 0;
}

static long try_thread(const struct attempt_context *c) {
        int r = clone(thread_main, stack + sizeof(stack),
                      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                              CLONE_SYSVSEM,
                      (void *)c);

        return r < 0 ? -errno : r;
}

static long try_memory_read(const struct attempt_context *c) {
        char here[16];
        const struct iovec local = { here, sizeof(here) };
        const struct iovec remote = { (void *)(uintptr_t)c->address, sizeof(here) };
        long r = process_vm_readv(c->victim, &local, 1, &remote, 1, 0);

        return r < 0 ? -errno : r;
}

/* To below the end of the stack, where only strings for people are. */
static long try_memory_write(const struct attempt_context *c) {
        char here[1] = "";
        const struct iovec local = { here, sizeof(here) };
        const struct iovec remote = { (void *)(uintptr_t)c->address, sizeof(here) };
        long r = process_vm_writev(c->victim, &local, 1, &remote, 1, 0);

        return r < 0 ? -errno : r;
}

static long with_pidfd(long number, const struct attempt_context *c, long a, long b, long d) {
        long fd = syscall(SYS_pidfd_open, c->victim, 0), r;

        if (fd < 0)
                return -errno;
        r = syscall(number, fd, a, b, d);
        return r < 0 ? -errno : r;
}

static long try_pidfd_getfd(const struct attempt_context *c) {
        return with_pidfd(SYS_pidfd_getfd, c, 2, 0, 0);
}

static long try_pidfd_signal(const struct attempt_context *c) {
        return with_pidfd(SYS_pidfd_send_signal, c, 0, 0, 0);
}

static long try_setns_pidfd(const struct attempt_context *c) {
        return with_pidfd(SYS_setns, c, CLONE_NEWNET, 0, 0);
}

/* The calls after the first have their own rows. */
static long try_setns(const struct attempt_context *c) {
        int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);

        (void)c;
        if (fd < 0)
                return -errno;
        return setns(fd, 0) < 0 ? -errno : 0;
}

static long try_exec_memfd(const struct attempt_context *c) {
        static const char script[] = "#!/bin/sh\necho ESCAPED execveat-memfd: 0 >&2\n";
        int fd = memfd_create("x", 0);

        (void)c;
        if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0)
                return -errno;
        (void)syscall(SYS_execveat, fd, "", command_execve, environment, AT_EMPTY_PATH);
        return -errno;
}

#define UNSHARE(what)  \
        SYS_unshare, { \
                what   \
        }

static const struct attempt attempts[] = {
        { "ptrace-seize", BY_FILTER, 0, SYS_ptrace, { PTRACE_SEIZE, ARG_VICTIM } },
        { "ptrace-attach-1", BY_FILTER, NO_CONTROL, SYS_ptrace, { PTRACE_ATTACH, 1 } },
        { "ptrace-traceme", BY_FILTER, FILTER_ONLY, SYS_ptrace, { PTRACE_TRACEME } },
        { "process-vm-readv", BY_FILTER, .run = try_memory_read },
        { "process-vm-writev", BY_FILTER, .run = try_memory_write },
        { "pidfd-open", BY_FILTER, 0, SYS_pidfd_open, { ARG_VICTIM } },
        { "pidfd-open-1", BY_FILTER, FILTER_ONLY, SYS_pidfd_open, { 1 } },
        { "pidfd-getfd", BY_FILTER, .run = try_pidfd_getfd },
        { "pidfd-getfd-3", BY_FILTER, NO_CONTROL, SYS_pidfd_getfd, { ARG_SOCKET, 3 } },
        { "pidfd-send-signal", BY_FILTER, .run = try_pidfd_signal },
        { "kill-victim", BY_FILTER, 0, SYS_kill, { ARG_VICTIM, 0 } },
        { "kill-1", BY_FILTER, FILTER_ONLY, SYS_kill, { 1, 0 } },
        { "kill-all", BY_FILTER, 0, SYS_kill, { -1, 0 } },
        { "kill-itself", BY_FILTER, FILTER_ONLY, SYS_kill, { 0, 0 } },
        { "tkill", BY_FILTER, 0, SYS_tkill, { ARG_VICTIM, 0 } },
        { "tgkill", BY_FILTER, 0, SYS_tgkill, { ARG_VICTIM, ARG_VICTIM, 0 } },
        { "rt-sigqueueinfo",
          BY_FILTER,
          0,
          SYS_rt_sigqueueinfo,
          { ARG_VICTIM, 0, P(&signal_info) } },
        { "rt-tgsigqueueinfo",
          BY_FILTER,
          0,
          SYS_rt_tgsigqueueinfo,
          { ARG_VICTIM, ARG_VICTIM, 0, P(&signal_info) } },
        { "kcmp", BY_FILTER, 0, SYS_kcmp, { ARG_VICTIM, ARG_VICTIM, KCMP_VM } },
        { "get-robust-list",
          BY_FILTER,
          0,
          SYS_get_robust_list,
          { ARG_VICTIM, P(pages), P(page_status) } },
        { "move-pages",
          BY_FILTER,
          0,
          SYS_move_pages,
          { ARG_VICTIM, 1, P(pages), 0, P(page_status), 0 } },
        { "process-mrelease", BY_FILTER, NO_CONTROL, SYS_process_mrelease, { ARG_SOCKET } },
        { "process-madvise",
          BY_FILTER,
          NO_CONTROL,
          SYS_process_madvise,
          { ARG_SOCKET, 0, 0, MADV_COLD } },
        { "prlimit-victim",
          BY_FILTER,
          0,
          SYS_prlimit64,
          { ARG_VICTIM, RLIMIT_NPROC, 0, P(pages) } },
        { "fork", BY_FILTER, FILTER_ONLY, SYS_fork, { 0 } },
        { "vfork", BY_FILTER, FILTER_ONLY, .run = try_vfork },
        { "clone", BY_FILTER, FILTER_ONLY, SYS_clone, { SIGCHLD } },
        { "clone3",
          BY_FILTER,
          FILTER_ONLY,
          SYS_clone3,
          { P(&clone_arguments), sizeof(clone_arguments) } },
        { "clone-newuser", BY_FILTER, FILTER_ONLY, SYS_clone, { SIGCHLD | CLONE_NEWUSER } },
        { "thread", BY_FILTER, FILTER_ONLY, .run = try_thread },
        { "execve", BY_FILTER, 0, SYS_execve, { P("/bin/sh"), P(command_execve), P(environment) } },
        { "execveat",
          BY_FILTER,
          0,
          SYS_execveat,
          { AT_FDCWD, P("/bin/sh"), P(command_execveat), P(environment), 0 } },
        { "execveat-memfd", BY_FILTER, .run = try_exec_memfd },
        { "unshare-user", BY_FILTER, NO_CONTROL | FILTER_ONLY, UNSHARE(CLONE_NEWUSER) },
        { "unshare-mount", BY_FILTER, 0, UNSHARE(CLONE_NEWNS) },
        { "unshare-net", BY_FILTER, 0, UNSHARE(CLONE_NEWNET) },
        { "unshare-pid", BY_FILTER, 0, UNSHARE(CLONE_NEWPID) },
        { "unshare-ipc", BY_FILTER, 0, UNSHARE(CLONE_NEWIPC) },
        { "unshare-uts", BY_FILTER, 0, UNSHARE(CLONE_NEWUTS) },
        { "unshare-cgroup", BY_FILTER, 0, UNSHARE(CLONE_NEWCGROUP) },
        { "unshare-files", BY_FILTER, FILTER_ONLY, UNSHARE(CLONE_FILES) },
        { "setns", BY_FILTER, .run = try_setns },
        { "setns-pidfd", BY_FILTER, .run = try_setns_pidfd },
        { "setns-socket", BY_FILTER, NO_CONTROL, SYS_setns, { ARG_SOCKET, 0 } },
        { "setuid", BY_FILTER, 0, SYS_setuid, { 0 } },
        { "setresuid", BY_FILTER, 0, SYS_setresuid, { 0, 0, 0 } },
        { "setresgid", BY_FILTER, 0, SYS_setresgid, { 0, 0, 0 } },
        { "setgroups", BY_FILTER, 0, SYS_setgroups, { 1, P(&root_group) } },
        { "capset", BY_FILTER, 0, SYS_capset, { P(&cap_header), P(all_caps) } },
        { "prctl-dumpable", BY_FILTER, FILTER_ONLY, SYS_prctl, { PR_SET_DUMPABLE, 1 } },
        { "prctl-capbset-drop", BY_FILTER, 0, SYS_prctl, { PR_CAPBSET_DROP, CAP_SYS_BOOT } },
        { "prctl-seccomp",
          BY_FILTER,
          FILTER_ONLY,
          SYS_prctl,
          { PR_SET_SECCOMP, SECCOMP_MODE_FILTER, P(&program) } },
        { "prctl-ptracer", BY_FILTER, NO_CONTROL | FILTER_ONLY, SYS_prctl, { PR_SET_PTRACER, -1 } },
        { "seccomp",
          BY_FILTER,
          FILTER_ONLY,
          SYS_seccomp,
          { SECCOMP_SET_MODE_FILTER, 0, P(&program) } },
        { "personality", BY_FILTER, FILTER_ONLY, SYS_personality, { 0x0040000 } },
        { "setpriority", BY_FILTER, 0, SYS_setpriority, { PRIO_PROCESS, 0, -10 } },
        { "setpriority-victim", BY_FILTER, 0, SYS_setpriority, { PRIO_PROCESS, ARG_VICTIM, 0 } },
        { "sched-setscheduler",
          BY_FILTER,
          0,
          SYS_sched_setscheduler,
          { 0, SCHED_FIFO, P(&realtime) } },
        { "sched-setaffinity",
          BY_FILTER,
          FILTER_ONLY,
          SYS_sched_setaffinity,
          { 0, sizeof(processor), P(&processor) } },
        { "ioprio-set", BY_FILTER, 0, SYS_ioprio_set, { 1, 0, 1 << 13 } },
        { "setrlimit", BY_FILTER, 0, SYS_setrlimit, { RLIMIT_NOFILE, P(&limit) } },
        { "prlimit", BY_FILTER, 0, SYS_prlimit64, { 0, RLIMIT_NOFILE, P(&limit), 0 } },
        { "setsid", BY_FILTER, FILTER_ONLY | NO_CONTROL, SYS_setsid, { 0 } },
        { "setpgid", BY_FILTER, NO_CONTROL, SYS_setpgid, { ARG_VICTIM, 0 } },
        { "getpid", BY_FILTER, FILTER_ONLY, SYS_getpid, { 0 } },
        { "rt-sigaction", BY_FILTER, FILTER_ONLY, SYS_rt_sigaction, { SIGUSR1, 0, 0, 8 } },
};

const struct attempt_group group_processes = { "processes", attempts, ELEMENTSOF(attempts) };
