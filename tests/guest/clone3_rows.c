// clone3(), descriptors of processes, and clone()'s stopped start.
#include "rows.h"

#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

// Not all of these are among musl's headers.
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define CLONE_CLEAR_SIGHAND_ 0x100000000ULL
#define CLONE_INTO_CGROUP_ 0x200000000ULL
#define PIDFD_THREAD_ O_EXCL
#define P_PIDFD_ 3

struct args3 {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    uint64_t later[2];
};

static long clone3(struct args3* args, size_t bytes) { return syscall(SYS_clone3, args, bytes); }
static int pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
static int pidfd_signal(int fd, int sig, siginfo_t* info, unsigned flags) {
    return (int)syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}
static int pidfd_getfd(int fd, int target, unsigned flags) {
    return (int)syscall(SYS_pidfd_getfd, fd, target, flags);
}

ROWS(clone3_forks, "C17") {
    struct args3 args = {.exit_signal = SIGCHLD};
    const size_t sizes[] = {64, 80, 88, sizeof(args)};
    for (unsigned i = 0; i < 4; ++i) {
        const long pid = clone3(&args, sizes[i]);
        if (pid == 0) _exit(6);
        CHECK(pid > 0);
        wait_exit((pid_t)pid, 6);
    }
}

ROWS(clone3_arguments_are_checked, "C17") {
    struct args3 args = {.exit_signal = SIGCHLD};
    CHECK_ERROR(clone3(&args, 63), EINVAL);
    CHECK_ERROR(clone3(&args, 4097), E2BIG);
    CHECK_ERROR(clone3(opaque(8), 64), EFAULT);
    args.later[1] = 1;
    CHECK_ERROR(clone3(&args, sizeof(args)), E2BIG);
    const struct args3 wrong[] = {
        {.flags = SIGCHLD},
        {.flags = 1ULL << 40},
        {.flags = 0x00400000},  // CLONE_DETACHED
        {.exit_signal = 65},
        {.exit_signal = 1ULL << 32 | SIGCHLD},
        {.stack = 4096},
        {.stack_size = 4096},
        {.stack = 1ULL << 63, .stack_size = 4096},
        {.set_tid_size = 1},
        {.set_tid = (uintptr_t)&args},
        {.set_tid = (uintptr_t)&args, .set_tid_size = 33},
        {.flags = CLONE_SIGHAND},
        {.flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND_},
        {.flags = CLONE_PARENT, .exit_signal = SIGCHLD},
        {.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD},
        {.flags = CLONE_FS | CLONE_NEWNS},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        args = wrong[i];
        errno = 0;
        const long outcome = clone3(&args, 88);
        if (outcome != -1 || errno != EINVAL) printf("  case %u gives %ld\n", i, outcome);
        CHECK(outcome == -1 && errno == EINVAL);
    }
    args = (struct args3){.flags = CLONE_INTO_CGROUP_, .cgroup = 1};
    CHECK_ERROR(clone3(&args, 80), EINVAL);
    CHECK_ERROR(clone3(&args, 88), EBADF);
}

ROWS(clone3_stores_tids, "C13,C17") {
    volatile pid_t tids[2] = {0, 0};
    struct args3 args = {.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                         .parent_tid = (uintptr_t)&tids[0],
                         .child_tid = (uintptr_t)&tids[1],
                         .exit_signal = SIGCHLD};
    const long pid = clone3(&args, 64);
    if (pid == 0) _exit(tids[1] == getpid() ? 3 : 1);
    CHECK(pid > 0 && tids[0] == pid && tids[1] == 0);
    wait_exit((pid_t)pid, 3);
}

ROWS(clone3_takes_the_whole_stack, "C17") {
    enum { kStack = 64 * 1024 };
    char* stack = map_pages(kStack / PAGE, MAP_PRIVATE);
    struct args3 args = {.flags = CLONE_VM | CLONE_VFORK,
                         .stack = (uintptr_t)stack,
                         .stack_size = kStack,
                         .exit_signal = SIGCHLD};
    uintptr_t seen = 0;
    long pid = SYS_clone3;
    // The child has another stack, and so no way back into this function.
    __asm__ volatile(
        "syscall\n"
        "test %%eax, %%eax\n"
        "jnz 1f\n"
        "mov %%rsp, (%%rdx)\n"
        "mov $60, %%eax\n"
        "mov $9, %%edi\n"
        "syscall\n"
        "1:\n"
        : "+a"(pid)
        : "D"(&args), "S"(64L), "d"(&seen)
        : "rcx", "r11", "memory");
    CHECK(pid > 0 && seen == (uintptr_t)stack + kStack);
    wait_exit((pid_t)pid, 9);
}

static void handler(int sig) { (void)sig; }

ROWS(clear_sighand, "C17") {
    CHECK(signal(SIGUSR1, handler) != SIG_ERR && signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    struct args3 args = {.flags = CLONE_CLEAR_SIGHAND_, .exit_signal = SIGCHLD};
    const long pid = clone3(&args, 64);
    if (pid == 0) {
        struct sigaction one, two;
        sigaction(SIGUSR1, NULL, &one);
        sigaction(SIGUSR2, NULL, &two);
        _exit(one.sa_handler == SIG_DFL && two.sa_handler == SIG_IGN ? 3 : 1);
    }
    wait_exit((pid_t)pid, 3);
    struct sigaction own;
    CHECK(sigaction(SIGUSR1, NULL, &own) == 0 && own.sa_handler == handler);
}

ROWS(wanted_tids, "C17,P11") {
    if (getuid() != 0) return;
    const pid_t gone = IN_CHILD({ _exit(0); });
    wait_exit(gone, 0);
    pid_t wanted[32] = {400 + (gone + 1000) % 30000, 1};
    while (kill(wanted[0], 0) == 0) ++wanted[0];
    struct args3 args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)wanted, .set_tid_size = 1};
    const long pid = clone3(&args, 80);
    if (pid == 0) _exit(getpid() == wanted[0] ? 4 : 1);
    CHECK(pid == wanted[0]);
    CHECK_ERROR(clone3(&args, 80), EEXIST);
    wait_exit((pid_t)pid, 4);
    wanted[0] = 0;
    CHECK_ERROR(clone3(&args, 80), EINVAL);
    args.set_tid_size = 32;  // more than there are namespaces
    CHECK_ERROR(clone3(&args, 80), EINVAL);
    const pid_t other = IN_CHILD({
        CHECK(setuid(1000) == 0);
        wanted[0] = 399;
        args.set_tid_size = 1;
        CHECK_ERROR(clone3(&args, 80), EPERM);
    });
    wait_exit(other, 0);
}

static bool is_readable(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, 0) >= 0);
    return (entry.revents & POLLIN) != 0;
}

ROWS(clone3_pidfd, "C17") {
    int data[2];
    CHECK(pipe(data) == 0);
    int fd = -1;
    struct args3 args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD};
    const long pid = clone3(&args, 64);
    if (pid == 0) {
        char byte;
        CHECK(read(data[0], &byte, 1) == 1);
        _exit(fd == -1 ? 8 : 1);  // the child has neither number nor descriptor
    }
    CHECK(pid > 0 && fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && !is_readable(fd));
    siginfo_t info = {0};
    CHECK(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(write(data[1], "g", 1) == 1);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, -1) == 1 && entry.revents == POLLIN);
    CHECK(pidfd_signal(fd, 0, NULL, 0) == 0);  // a zombie is there still
    CHECK(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED) == 0 && info.si_pid == pid && info.si_status == 8);
    CHECK_ERROR(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), ECHILD);
    CHECK_ERROR(pidfd_signal(fd, 0, NULL, 0), ESRCH);
    CHECK_ERROR(waitid(P_PIDFD_, (id_t)data[0], &info, WEXITED), EBADF);
    CHECK_ERROR(waitid(P_PIDFD_, (id_t)-1, &info, WEXITED), EINVAL);
}

ROWS(clone_pidfd, "C17") {
    int fd = -1;
    const long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0);
    if (pid == 0) _exit(2);
    CHECK(pid > 0 && fd >= 0);
    wait_exit((pid_t)pid, 2);
    CHECK_ERROR(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clone, CLONE_PIDFD | 0x00400000 | SIGCHLD, NULL, &fd, NULL, 0), EINVAL);
    // No descriptor is lost with a child that is not made.
    const int before = dup(0);
    CHECK_ERROR(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, opaque(8), NULL, 0), EFAULT);
    CHECK(close(before) == 0 && dup(0) == before);
}

ROWS(opened_pidfds, "C17") {
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    CHECK_ERROR(pidfd_open(pid, 1), EINVAL);
    CHECK_ERROR(pidfd_open(0, 0), EINVAL);
    CHECK_ERROR(pidfd_open(-1, 0), EINVAL);
    CHECK_ERROR(pidfd_open(32000, 0), ESRCH);
    const int fd = pidfd_open(pid, O_NONBLOCK);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    siginfo_t info = {0};
    CHECK_ERROR(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), EAGAIN);
    CHECK(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED | WNOHANG) == 0);
    char byte;
    CHECK_ERROR(read(fd, &byte, 1), EINVAL);
    CHECK_ERROR(pidfd_signal(0, SIGTERM, NULL, 0), EBADF);
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d", pid);
    const int directory = open(name, O_RDONLY | O_DIRECTORY);
    CHECK(directory >= 0 && pidfd_signal(directory, 0, NULL, 0) == 0);
    CHECK_ERROR(pidfd_getfd(directory, 0, 0), EBADF);
    CHECK_ERROR(pidfd_signal(fd, SIGTERM, NULL, 8), EINVAL);
    CHECK_ERROR(pidfd_signal(fd, 65, NULL, 0), EINVAL);
    info = (siginfo_t){.si_signo = SIGTERM, .si_code = SI_USER};
    CHECK_ERROR(pidfd_signal(fd, SIGUSR1, &info, 0), EINVAL);
    CHECK_ERROR(pidfd_signal(fd, SIGTERM, &info, 0), EPERM);
    info.si_code = SI_QUEUE;
    CHECK(pidfd_signal(fd, SIGTERM, &info, 0) == 0);
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0);
}

ROWS(descriptors_of_another_process, "C17,F10") {
    int data[2], ready[2];
    CHECK(pipe(data) == 0 && pipe(ready) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(dup2(data[1], 40) == 40 && write(ready[1], "r", 1) == 1);
        for (;;) pause();
    });
    CHECK(close(data[1]) == 0);
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    const int fd = pidfd_open(pid, 0);
    CHECK_ERROR(pidfd_getfd(fd, 40, 1), EINVAL);
    CHECK_ERROR(pidfd_getfd(fd, 41, 0), EBADF);
    CHECK_ERROR(pidfd_getfd(0, 40, 0), EBADF);
    const int copy = pidfd_getfd(fd, 40, 0);
    CHECK(copy >= 0 && (fcntl(copy, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(write(copy, "x", 1) == 1 && read(data[0], &byte, 1) == 1 && byte == 'x');
    CHECK(pidfd_signal(fd, SIGKILL, NULL, 0) == 0);
    wait_status(pid);
    CHECK_ERROR(pidfd_getfd(fd, 40, 0), ESRCH);
}

static int go_pipe[2];
static void* exit_when_told(void* unused) {
    char byte;
    CHECK(read(go_pipe[0], &byte, 1) == 1);
    _exit(7);
    return unused;
}

ROWS(a_pidfd_waits_for_every_thread, "C17,C9") {
    CHECK(pipe(go_pipe) == 0);
    const pid_t pid = IN_CHILD({
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, exit_when_told, NULL) == 0);
        syscall(SYS_exit, 0);  // the leader alone
    });
    const int fd = pidfd_open(pid, 0);
    CHECK(fd >= 0);
    for (int i = 0; i < 50; ++i) sched_yield();
    CHECK(!is_readable(fd));
    siginfo_t info = {0};
    CHECK(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(write(go_pipe[1], "g", 1) == 1);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, -1) == 1);
    wait_exit(pid, 7);
}

// The number means CLONE_NEWCGROUP to today's Linux, and this start to the kernels before 2.6.38.
GUEST_ROWS(stopped_start, "C16") {
    volatile int* ran = (volatile int*)map_pages(1, MAP_SHARED);
    const unsigned long kStopped = 0x02000000;
    long pid = syscall(SYS_clone, kStopped | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) {
        *ran = 1;
        _exit(5);
    }
    for (int i = 0; i < 50; ++i) sched_yield();
    CHECK(pid > 0 && *ran == 0);
    CHECK(kill((pid_t)pid, SIGUSR2) == 0 && *ran == 0);
    for (int i = 0; i < 50; ++i) sched_yield();
    CHECK(*ran == 0 && kill((pid_t)pid, SIGCONT) == 0);
    const int status = wait_status((pid_t)pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2 && *ran == 0);  // it was there first
    pid = syscall(SYS_clone, kStopped | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) {
        *ran = 1;
        _exit(5);
    }
    CHECK(kill((pid_t)pid, SIGCONT) == 0);
    wait_exit((pid_t)pid, 5);
    CHECK(*ran == 1);
    // SIGKILL needs no SIGCONT.
    pid = syscall(SYS_clone, kStopped | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) _exit(5);
    CHECK(kill((pid_t)pid, SIGKILL) == 0);
    CHECK(WTERMSIG(wait_status((pid_t)pid)) == SIGKILL);
    // clone3 takes it for what it is today.
    struct args3 args = {.flags = kStopped, .exit_signal = SIGCHLD};
    CHECK_ERROR(clone3(&args, 64), EINVAL);
}
