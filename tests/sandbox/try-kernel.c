/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reaching for the kernel: interfaces that belong to administrators, and those that have been a way in before. */

#include <errno.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

/* Not in the headers of an older libc. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static const union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_ARRAY,
        .key_size = 4,
        .value_size = 4,
        .max_entries = 1,
};
static const struct perf_event_attr event = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(event),
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .exclude_kernel = 1,
};
static char buffer[256];
static const uint64_t ruleset[2] = { 1 };
static struct timex clock_state;
static unsigned long context;
static timer_t timer;
static const uint64_t no_signals;

/* To what it is already. */
static long try_clock_settime(const struct attempt_context *c) {
        struct timespec now;

        (void)c;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        return syscall(SYS_clock_settime, CLOCK_REALTIME, &now) < 0 ? -errno : 0;
}

static long try_settimeofday(const struct attempt_context *c) {
        struct timespec now;
        long value[2];

        (void)c;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        value[0] = now.tv_sec;
        value[1] = now.tv_nsec / 1000;
        return syscall(SYS_settimeofday, value, 0) < 0 ? -errno : 0;
}

#ifdef __x86_64__
/* The filter sees the numbers of another architecture. */
static long call_32(long number) {
        long r = number;

        __asm__ volatile("int $0x80"
                         : "+a"(r)
                         : "b"((long)STDERR_FILENO), "c"(0L), "d"(0L)
                         : "memory", "r8", "r9", "r10", "r11");
        return (int)r;
}

static long try_32bit_getpid(const struct attempt_context *c) {
        (void)c;
        return call_32(20);
}

/* 4 is write() there, which the filter allows under another number; 1 is exit(), and write() of the others. */
static long try_32bit_write(const struct attempt_context *c) {
        (void)c;
        return call_32(4);
}

static long try_32bit_umask(const struct attempt_context *c) {
        (void)c;
        return call_32(60);
}
#endif

#define X32 0x40000000

static const struct attempt attempts[] = {
        { "keyctl",
          BY_FILTER,
          FILTER_ONLY,
          SYS_keyctl,
          { KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1 } },
        { "keyctl-join", BY_FILTER, FILTER_ONLY, SYS_keyctl, { KEYCTL_JOIN_SESSION_KEYRING, 0 } },
        { "add-key",
          BY_FILTER,
          FILTER_ONLY,
          SYS_add_key,
          { P("user"), P("x"), P("x"), 1, KEY_SPEC_PROCESS_KEYRING } },
        { "request-key", BY_FILTER, NO_CONTROL, SYS_request_key, { P("user"), P("ublk-x"), 0, 0 } },
        { "bpf-map", BY_FILTER, 0, SYS_bpf, { BPF_MAP_CREATE, P(&map), sizeof(map) } },
        { "bpf-load", BY_FILTER, NO_CONTROL, SYS_bpf, { BPF_PROG_LOAD, P(&map), sizeof(map) } },
        { "perf-event-open",
          BY_FILTER,
          NO_CONTROL | FILTER_ONLY,
          SYS_perf_event_open,
          { P(&event), 0, -1, -1, 0 } },
        { "perf-event-victim",
          BY_FILTER,
          0,
          SYS_perf_event_open,
          { P(&event), ARG_VICTIM, -1, -1, 0 } },
        { "userfaultfd", BY_FILTER, 0, SYS_userfaultfd, { 0 } },
        { "userfaultfd-user", BY_FILTER, FILTER_ONLY, SYS_userfaultfd, { 1 } },
        { "io-setup", BY_FILTER, FILTER_ONLY, SYS_io_setup, { 1, P(&context) } },
        { "io-submit", BY_FILTER, NO_CONTROL, SYS_io_submit, { 0, 0, 0 } },
#ifdef SYS_iopl
        { "iopl", BY_FILTER, 0, SYS_iopl, { 3 } },
        { "ioperm", BY_FILTER, 0, SYS_ioperm, { 0x80, 1, 1 } },
        { "modify-ldt", BY_FILTER, FILTER_ONLY, SYS_modify_ldt, { 0, P(buffer), 8 } },
        { "arch-prctl", BY_FILTER, FILTER_ONLY, SYS_arch_prctl, { 0x1003, P(buffer) } },
#endif
        { "kexec-load", BY_FILTER, NO_CONTROL, SYS_kexec_load, { 0, 0, 0, 0 } },
        { "kexec-file-load", BY_FILTER, NO_CONTROL, SYS_kexec_file_load, { -1, -1, 0, 0, 0 } },
        { "init-module",
          BY_FILTER,
          NO_CONTROL,
          SYS_init_module,
          { P(buffer), sizeof(buffer), P("") } },
        { "finit-module", BY_FILTER, NO_CONTROL, SYS_finit_module, { ARG_SOCKET, P(""), 0 } },
        { "delete-module", BY_FILTER, NO_CONTROL, SYS_delete_module, { P("ublk_drv"), 04000 } },
        { "reboot",
          BY_FILTER,
          0,
          SYS_reboot,
          { LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON } },
        { "settimeofday", BY_FILTER, .run = try_settimeofday },
        { "clock-settime", BY_FILTER, .run = try_clock_settime },
        { "adjtimex", BY_FILTER, FILTER_ONLY, SYS_adjtimex, { P(&clock_state) } },
        { "sethostname", BY_FILTER, 0, SYS_sethostname, { P("escaped"), 7 } },
        { "setdomainname", BY_FILTER, 0, SYS_setdomainname, { P("escaped"), 7 } },
        { "syslog-read", BY_FILTER, 0, SYS_syslog, { 3, P(buffer), sizeof(buffer) } },
        { "syslog-clear", BY_FILTER, NO_CONTROL, SYS_syslog, { 5, 0, 0 } },
        { "lookup-dcookie", BY_FILTER, NO_CONTROL, 212, { 0, P(buffer), sizeof(buffer) } },
        { "landlock",
          BY_FILTER,
          FILTER_ONLY | NO_CONTROL,
          SYS_landlock_create_ruleset,
          { P(ruleset), 8, 0 } },
        { "membarrier", BY_FILTER, FILTER_ONLY, SYS_membarrier, { 0 } },
        { "set-mempolicy", BY_FILTER, FILTER_ONLY, SYS_set_mempolicy, { 0, 0, 0 } },
        { "getrandom", BY_FILTER, FILTER_ONLY | NOT_NETWORK, SYS_getrandom, { P(buffer), 1, 0 } },
        { "shmget", BY_FILTER, FILTER_ONLY, SYS_shmget, { IPC_PRIVATE, 4096, 0600 } },
        { "semget", BY_FILTER, FILTER_ONLY, SYS_semget, { IPC_PRIVATE, 1, 0600 } },
        { "msgget", BY_FILTER, FILTER_ONLY, SYS_msgget, { IPC_PRIVATE, 0600 } },
        { "mq-open", BY_FILTER, NO_CONTROL, SYS_mq_open, { P("x"), 0102, 0600, 0 } },
        { "timer-create",
          BY_FILTER,
          FILTER_ONLY,
          SYS_timer_create,
          { CLOCK_REALTIME, 0, P(&timer) } },
        { "timerfd-create", BY_FILTER, FILTER_ONLY, SYS_timerfd_create, { CLOCK_REALTIME, 0 } },
        { "signalfd", BY_FILTER, FILTER_ONLY, SYS_signalfd4, { -1, P(&no_signals), 8, 0 } },
        { "eventfd", BY_FILTER, FILTER_ONLY, SYS_eventfd2, { 0, 0 } },
        { "epoll-create", BY_FILTER, FILTER_ONLY, SYS_epoll_create1, { 0 } },
        { "uname", BY_FILTER, FILTER_ONLY, SYS_uname, { P(buffer) } },
        { "no-such-call", BY_FILTER, NO_CONTROL, 1000, { 0 } },
        { "call-minus-1", BY_FILTER, NO_CONTROL, -1, { 0 } },
#ifdef __x86_64__
        { "x32-read", BY_FILTER, NO_CONTROL, SYS_read | X32, { 0, P(buffer), 1 } },
        { "x32-write", BY_FILTER, NO_CONTROL, SYS_write | X32, { 2, P(buffer), 0 } },
        { "x32-getpid", BY_FILTER, NO_CONTROL, SYS_getpid | X32, { 0 } },
        { "x32-ioctl", BY_FILTER, NO_CONTROL, 514 | X32, { 0, 0, 0 } },
        { "32bit-getpid", BY_FILTER, FILTER_ONLY, .run = try_32bit_getpid },
        { "32bit-write", BY_FILTER, FILTER_ONLY, .run = try_32bit_write },
        { "32bit-umask", BY_FILTER, FILTER_ONLY, .run = try_32bit_umask },
#endif
};

const struct attempt_group group_kernel = { "kernel interfaces", attempts, ELEMENTSOF(attempts) };
