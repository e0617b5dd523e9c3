// A small harness for tests that run as Linux programs: on the host's kernel, which proves the test, and on the
// bundled kernel, which the test proves. Each test names the rows of the kernel's specification that it stands for.
//
//   ROWS(fork_returns_twice, "F1") { CHECK(fork() >= 0); }
//
// A test runs in a process of its own and fails by a CHECK, a signal or a nonzero exit.
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

// <linux/futex.h> is not among musl's headers.
#ifndef FUTEX_WAIT
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#endif

struct row_test {
    const char* rows;
    const char* name;
    void (*run)(void);
    bool guest_only;  // what no other kernel promises, such as exact counts
    struct row_test* next;
};

void row_test_add(struct row_test* test);
// True on the bundled kernel.
bool on_guest(void);
// True there, and on a host whose Linux is at least that: for what older ones did otherwise.
bool as_of(int major, int minor);
_Noreturn void row_test_fail(const char* file, int line, const char* what);

#define ROWS_IF(test_name, row_list, only_guest)                                        \
    static void test_name(void);                                                        \
    static struct row_test test_name##_row = {row_list, #test_name, test_name, only_guest, NULL}; \
    __attribute__((constructor)) static void test_name##_add(void) { row_test_add(&test_name##_row); } \
    static void test_name(void)
#define ROWS(test_name, row_list) ROWS_IF(test_name, row_list, false)
#define GUEST_ROWS(test_name, row_list) ROWS_IF(test_name, row_list, true)

#define CHECK(condition)                                                \
    do {                                                                \
        if (!(condition)) row_test_fail(__FILE__, __LINE__, #condition); \
    } while (0)
// The call fails with that error.
#define CHECK_ERROR(call, wanted)                                             \
    do {                                                                      \
        errno = 0;                                                            \
        CHECK((call) == -1 && errno == (wanted));                             \
    } while (0)

// Forks; the child runs `body` and exits with 0 when it gets through. The child's pid.
#define IN_CHILD(...)                        \
    ({                                       \
        const pid_t in_child_ = checked_fork(); \
        if (in_child_ == 0) {                \
            __VA_ARGS__;                     \
            _exit(0);                        \
        }                                    \
        in_child_;                           \
    })

// fork, which is not to fail.
pid_t checked_fork(void);
// Whether the kernel was booted with fork=shared-tables.
bool fork_shares_tables(void);
// A pointer that the compiler does not see through, to make what it would not allow.
void* opaque(uintptr_t address);
// The wait status of that child.
int wait_status(pid_t pid);
// The child exited with that code.
void wait_exit(pid_t pid, int code);

// Anonymous memory, private or shared, of that many pages.
char* map_pages(int pages, int flags);
#define PAGE 4096
// The system call: moves the break if it can; where it is then. (A C library may keep brk to itself.)
char* set_break(char* end);

// Calls body(argument) with handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP: the signal that ended it, with its
// address and si_code, or 0.
int fault_of(void (*body)(void* argument), void* argument);
extern void* fault_address;
extern int fault_code;

// Faults of this thread so far that needed no disk.
long minor_faults(void);
// A new directory that every user may enter; what is in it goes when the test is over.
const char* scratch_directory(void);
// Bytes of RAM that nobody uses.
uint64_t free_ram(void);
// Everything of the bundled kernel that is counted, free frames and the objects of each cache: takes the counts, and
// fails, with both, if they are others now.
void count_kernel(void);
void expect_counts(const char* what);
