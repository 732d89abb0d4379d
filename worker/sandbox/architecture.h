/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel calls the machine that a program is built for, for a filter of system calls: a number means another call on
 * another one. */

#include <linux/audit.h>

#if defined(__x86_64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_S390X
#else
#error "which architecture does the kernel report for this machine?"
#endif
