// Small calls: kcmp, membarrier, the clocks that wake machines, odd arguments of flock, ioprio_set
// and CLONE_SETTLS.
#include "rows.h"

#include <sys/file.h>
#include <sys/timerfd.h>
#include <time.h>

#define SYS_MEMBARRIER 324
enum { kFile, kVm, kFiles, kFs, kSighand, kIo, kSysvsem };

static long kcmp(pid_t a, pid_t b, int type, long first, long second) {
    return syscall(SYS_kcmp, a, b, type, first, second);
}

// A base of FS that the kernel would not load makes no child.
ROWS(tls_is_of_user_space, "C12,C17") {
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } args = {.flags = CLONE_SETTLS, .exit_signal = SIGCHLD};
    const unsigned long wrong[] = {0x7ffffffff000UL, 1UL << 47, 1UL << 48, -4096UL};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        CHECK_ERROR(syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, wrong[i]), EPERM);
        args.tls = wrong[i];
        CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EPERM);
    }
    CHECK_ERROR(waitpid(-1, NULL, __WALL), ECHILD);
}

static char stack[65536];
static int wait_for_kill(void* unused) {
    (void)unused;
    for (;;) pause();
    return 0;
}
ROWS(what_is_shared, "C2,C3,C4,C5") {
    const pid_t me = getpid();
    CHECK(kcmp(me, me, kVm, 0, 0) == 0);
    const int fd = dup(1), other = open("/dev/null", O_RDONLY);
    CHECK(kcmp(me, me, kFile, 1, fd) == 0);
    const long order = kcmp(me, me, kFile, 1, other);
    CHECK((order == 1 || order == 2) && kcmp(me, me, kFile, other, 1) == 3 - order);
    const pid_t twin = clone(wait_for_kill, stack + sizeof(stack),
                             CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | SIGCHLD, NULL);
    const pid_t child = IN_CHILD({
        for (;;) pause();
    });
    for (int type = kVm; type <= kSighand; ++type) {
        CHECK(kcmp(me, twin, type, 0, 0) == 0);
        CHECK(kcmp(me, child, type, 0, 0) > 0);
    }
    CHECK(kcmp(me, child, kFile, fd, fd) == 0);
    CHECK_ERROR(kcmp(me, child, kFile, fd, 99), EBADF);
    CHECK_ERROR(kcmp(me, child, 99, 0, 0), EINVAL);
    CHECK(kill(child, SIGKILL) == 0 && kill(twin, SIGKILL) == 0);
    wait_status(child);
    wait_status(twin);
    CHECK_ERROR(kcmp(me, child, kVm, 0, 0), ESRCH);
    const pid_t parent = getppid();
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERROR(kcmp(me, parent, kVm, 0, 0), EPERM);
}

static long membarrier(int command, unsigned flags) { return syscall(SYS_MEMBARRIER, command, flags, 0); }
ROWS(barriers, "C2") {
    enum { kGlobal = 1, kPrivate = 8, kRegisterPrivate = 16, kUnknown = 1 << 20 };
    const long all = membarrier(0, 0);
    CHECK((all & kGlobal) != 0 && (all & kPrivate) != 0 && (all & kRegisterPrivate) != 0);
    CHECK(membarrier(kGlobal, 0) == 0);
    CHECK_ERROR(membarrier(kPrivate, 0), EPERM);
    CHECK(membarrier(kRegisterPrivate, 0) == 0 && membarrier(kPrivate, 0) == 0);
    CHECK_ERROR(membarrier(kUnknown, 0), EINVAL);
    CHECK_ERROR(membarrier(kGlobal, 2), EINVAL);
    CHECK_ERROR(membarrier(0, 2), EINVAL);
    wait_exit(IN_CHILD({ CHECK(membarrier(kPrivate, 0) == 0); }), 0);
}

// Without a clock that runs on while a machine sleeps.
ROWS(alarm_clocks, "F7") {
    for (int clock = 8; clock <= 9; ++clock) {
        struct timespec time = {0, 1000};
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_NONE};
        if (syscall(SYS_clock_gettime, clock, &time) == 0) {
            printf("  this machine can be woken\n");
            return;
        }
        CHECK(errno == EINVAL);
        CHECK_ERROR(syscall(SYS_clock_getres, clock, &time), EINVAL);
        CHECK_ERROR(syscall(SYS_timer_create, clock, &event, &timer), EOPNOTSUPP);
        CHECK_ERROR(syscall(SYS_clock_nanosleep, clock, 0, &time, NULL), EOPNOTSUPP);
        const int fd = timerfd_create(clock, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    struct timespec time = {0, 1000};
    CHECK(syscall(SYS_clock_gettime, CLOCK_TAI, &time) == 0);
    CHECK_ERROR(timerfd_create(CLOCK_TAI, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, (~getpid() << 3) | 6, 0, &time, NULL), EINVAL);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERROR(timerfd_create(8, 0), EPERM);
}

// A process that only sleeps spends no CPU time: just a signal ends the sleep.
static void nothing(int sig) { (void)sig; }
ROWS(sleep_on_cpu_time, "F7") {
    struct sigaction action = {.sa_handler = nothing};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    const pid_t pid = getpid();
    const pid_t child = IN_CHILD({
        usleep(200000);
        kill(pid, SIGALRM);
    });
    struct timespec request = {0, 1000};
    struct timespec left = {9, 9};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &request, &left), EINTR);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec > 100000000);
    CHECK(left.tv_sec == 0 && left.tv_nsec <= 1000);
    wait_exit(child, 0);
}

ROWS(odd_locks, "F6") {
    const int fd = open("/proc/self/exe", O_RDONLY);
    CHECK_ERROR(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERROR(flock(fd, 0), EINVAL);
    CHECK_ERROR(flock(fd, LOCK_NB), EINVAL);
    CHECK_ERROR(flock(-1, LOCK_SH), EBADF);
}

ROWS(io_priorities, "C15") {
    enum { kProcess = 1, kShift = 13, kHint = 1 << 3 };
    const long set[] = {0,           1 << kShift,     1 << kShift | 7,        2 << kShift | 7,
                        3 << kShift, 3 << kShift | 7, 2 << kShift | 4 | kHint};
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); ++i) {
        CHECK(syscall(SYS_ioprio_set, kProcess, 0, set[i]) == 0);
        if (set[i] != 0) CHECK(syscall(SYS_ioprio_get, kProcess, 0) == set[i]);
    }
    const long refused[] = {7, 4 << kShift, 5 << kShift, 7 << kShift};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); ++i)
        CHECK_ERROR(syscall(SYS_ioprio_set, kProcess, 0, refused[i]), EINVAL);
    CHECK_ERROR(syscall(SYS_ioprio_set, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_ioprio_get, 4, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_ioprio_set, kProcess, 0x7ffffff0, 0), ESRCH);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERROR(syscall(SYS_ioprio_set, kProcess, 0, 1 << kShift), EPERM);
    CHECK(syscall(SYS_ioprio_set, kProcess, 0, 3 << kShift) == 0);
    CHECK_ERROR(syscall(SYS_ioprio_set, kProcess, 1, 3 << kShift), EPERM);
}

static long call_of_rax(uint64_t rax) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(rax) : "rcx", "r11", "memory");
    return result;
}
ROWS(a_call_is_told_by_eax, "-") {
    CHECK(call_of_rax((1ULL << 32) | SYS_getpid) == getpid());
    CHECK(call_of_rax(0xffffffff00000000 | SYS_getppid) == getppid());
    CHECK(call_of_rax(0xffffffff) == -ENOSYS && call_of_rax(1ULL << 31) == -ENOSYS);
}

// ENOSYS, and one line in the log for each call that is not there, by its name.
GUEST_ROWS(missing_calls_are_named_once, "-") {
    enum { kReadAll = 3, kLookupDcookie = 212, kUnused = 400 };
    static char log[1 << 18];
    for (int i = 0; i < 3; ++i) {
        CHECK_ERROR(syscall(kLookupDcookie, 0, 0, 0), ENOSYS);
        CHECK_ERROR(syscall(kUnused, 0, 0, 0), ENOSYS);
        CHECK_ERROR(syscall(5000, 0, 0, 0), ENOSYS);
    }
    const long bytes = syscall(SYS_syslog, kReadAll, log, sizeof(log) - 1);
    CHECK(bytes > 0);
    const char* line = strstr(log, "system call lookup_dcookie (212) is not implemented");
    CHECK(line != NULL && strstr(line + 30, "lookup_dcookie") == NULL);
    line = strstr(log, "system call 400 is not implemented");
    CHECK(line != NULL && strstr(line + 15, "system call 400") == NULL && strstr(log, "5000") == NULL);
}
