// What the tests of tracing share.
#pragma once

#include "rows.h"

#include <sys/ptrace.h>
#include <sys/user.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)

#define TRACE(request, pid, address, data) \
    ptrace(request, (pid_t)(pid), (void*)(uintptr_t)(address), (void*)(uintptr_t)(data))

// The next thing that tracee `pid` (or any, -1) reports; it is a stop.
pid_t wait_stop(pid_t pid, int* status);
// The stop is for that signal, and of no event.
void expect_signal(pid_t pid, int sig);
// The stop is that event; its message.
unsigned long expect_event(pid_t pid, int event);
void expect_exit(pid_t pid, int code);
void expect_killed(pid_t pid, int sig);
// The tracee goes on, with that signal.
void go(pid_t pid, int sig);
void go_to_syscall(pid_t pid);
unsigned long event_message(pid_t pid);
struct user_regs_struct get_regs(pid_t pid);
void set_regs(pid_t pid, const struct user_regs_struct* regs);

// Forks; the child asks to be traced, stops itself (the caller has seen that) and then runs `body`.
#define TRACED_CHILD(...)                          \
    ({                                             \
        const pid_t traced_ = checked_fork();      \
        if (traced_ == 0) {                        \
            CHECK(TRACE(PTRACE_TRACEME, 0, 0, 0) == 0); \
            CHECK(raise(SIGSTOP) == 0);            \
            __VA_ARGS__;                           \
            _exit(0);                              \
        }                                          \
        expect_signal(traced_, SIGSTOP);           \
        traced_;                                   \
    })
