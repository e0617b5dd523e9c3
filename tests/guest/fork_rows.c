// fork(): what the child has from its parent, and what it has not.
#include "rows.h"

#include <pthread.h>
#include <sys/stat.h>

ROWS(returns_twice, "F1") {
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        const pid_t me = getpid();
        CHECK(write(pipe_ends[1], &me, sizeof(me)) == sizeof(me));
        _exit(0);
    }
    pid_t told = 0;
    CHECK(read(pipe_ends[0], &told, sizeof(told)) == sizeof(told));
    CHECK(told == pid);
    wait_exit(pid, 0);
}

// The registers that a system call keeps, and what x87 and SSE hold, are the same on both sides.
ROWS(keeps_registers, "F1") {
    const uint64_t in[2] = {0x0123456789abcdef, 0xfedcba9876543210};
    const uint32_t mxcsr = 0x1f80 | 0x6000;  // round towards zero
    struct {
        uint64_t general[6];
        uint64_t xmm[2];
        uint32_t mxcsr;
    } seen;
    memset(&seen, 0, sizeof(seen));
    long pid = SYS_fork;
    __asm__ volatile(
        "ldmxcsr %[mxcsr]\n"
        "movdqu %[in], %%xmm5\n"
        "movq $0x12, %%r12; movq $0x13, %%r13; movq $0x14, %%r14; movq $0x15, %%r15\n"
        "movq $0x8, %%r8; movq $0x9, %%r9\n"
        "syscall\n"
        "movq %%r12, 0(%[seen]); movq %%r13, 8(%[seen]); movq %%r14, 16(%[seen]); movq %%r15, 24(%[seen])\n"
        "movq %%r8, 32(%[seen]); movq %%r9, 40(%[seen])\n"
        "movdqu %%xmm5, 48(%[seen])\n"
        "stmxcsr 64(%[seen])\n"
        : "+a"(pid)
        : [in] "m"(in), [mxcsr] "m"(mxcsr), [seen] "b"(&seen)
        : "rcx", "r8", "r9", "r11", "r12", "r13", "r14", "r15", "memory", "xmm5");
    CHECK(pid >= 0);
    const uint64_t wanted[6] = {0x12, 0x13, 0x14, 0x15, 8, 9};
    CHECK(memcmp(seen.general, wanted, sizeof(wanted)) == 0);
    CHECK(memcmp(seen.xmm, in, sizeof(in)) == 0 && seen.mxcsr == mxcsr);
    if (pid == 0) _exit(0);
    wait_exit((pid_t)pid, 0);
}

ROWS(memory_is_separate, "F1,F2") {
    char* pages = map_pages(4, MAP_PRIVATE);
    char* heap = set_break(NULL);
    CHECK(set_break(heap + 2 * PAGE) == heap + 2 * PAGE);
    memset(pages, 'p', 4 * PAGE);
    heap[0] = 'h';
    const pid_t pid = IN_CHILD({
        CHECK(pages[0] == 'p' && pages[3 * PAGE] == 'p' && heap[0] == 'h');
        pages[0] = 'c';
        heap[0] = 'c';
        CHECK(munmap(pages + PAGE, PAGE) == 0);
        CHECK(mprotect(pages + 2 * PAGE, PAGE, PROT_NONE) == 0);
        CHECK(set_break(heap) == heap);
        CHECK(mmap(pages + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
              pages + 3 * PAGE);
        CHECK(pages[3 * PAGE] == 0);
    });
    wait_exit(pid, 0);
    CHECK(pages[0] == 'p' && pages[PAGE] == 'p' && pages[2 * PAGE] == 'p' && pages[3 * PAGE] == 'p');
    pages[2 * PAGE] = 'w';
    CHECK(heap[0] == 'h' && set_break(NULL) == heap + 2 * PAGE);
    heap[PAGE] = 'x';
}

ROWS(has_ids_of_its_own, "F3") {
    const pid_t parent = getpid();
    const pid_t group = getpgrp();
    const pid_t session = getsid(0);
    const pid_t pid = IN_CHILD({
        CHECK(getpid() != parent && getppid() == parent);
        CHECK(syscall(SYS_gettid) == getpid());
        CHECK(getpid() != group && getpid() != session);
        CHECK(getpgrp() == group && getsid(0) == session);
    });
    CHECK(pid != group && pid != session);
    wait_exit(pid, 0);
}

static volatile sig_atomic_t caught;
static void note_signal(int sig) { caught = sig; }

ROWS(pending_signals_stay_with_the_parent, "F5") {
    sigset_t set, pending, mask;
    CHECK(signal(SIGUSR2, note_signal) != SIG_ERR);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && kill(getpid(), SIGUSR2) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(sigpending(&pending) == 0);
        CHECK(!sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
        CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
        CHECK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGUSR2));
        struct sigaction action;
        CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == note_signal);
        CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
        CHECK(caught == 0);
    });
    wait_exit(pid, 0);
    CHECK(sigpending(&pending) == 0);
    CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2));
}

ROWS(cpu_times_start_at_zero, "F7") {
    struct rusage usage;
    do {
        CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    } while (usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 60000);
    const pid_t pid = IN_CHILD({
        struct rusage own;
        CHECK(getrusage(RUSAGE_SELF, &own) == 0);
        CHECK(own.ru_utime.tv_sec == 0 && own.ru_utime.tv_usec < 40000);
        CHECK(getrusage(RUSAGE_CHILDREN, &own) == 0);
        CHECK(own.ru_utime.tv_sec == 0 && own.ru_utime.tv_usec == 0);
    });
    wait_exit(pid, 0);
}

ROWS(descriptions_are_shared, "F10") {
    char name[] = "/tmp/rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "abcdef", 6) == 6 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK(read(fd, &byte, 1) == 1 && byte == 'a');
        CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0);
        CHECK(fcntl(fd, F_SETFD, 0) == 0);
        CHECK(close(fd) == 0);
    });
    wait_exit(pid, 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 1);
    CHECK((fcntl(fd, F_GETFL) & O_APPEND) != 0);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(unlink(name) == 0);
}

ROWS(inherits_its_place_and_limits, "F12") {
    CHECK(chdir("/tmp") == 0);
    umask(027);
    struct rlimit limit = {77, 100};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    const uid_t uid = getuid();
    const pid_t pid = IN_CHILD({
        char where[64];
        CHECK(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/tmp") == 0);
        CHECK(umask(0) == 027);
        struct rlimit own;
        CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_cur == 77 && own.rlim_max == 100);
        CHECK(getuid() == uid && geteuid() == uid);
        CHECK(chdir("/") == 0);
    });
    wait_exit(pid, 0);
    char where[64];
    CHECK(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/tmp") == 0);
    CHECK(umask(0) == 027);
}

static volatile int thread_runs;
static volatile int thread_ticks;
static void* keep_running(void* unused) {
    (void)unused;
    thread_runs = 1;
    for (;;) {
        ++thread_ticks;
        sched_yield();
    }
    return NULL;
}

ROWS(only_the_caller_exists_in_the_child, "F13") {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, keep_running, NULL) == 0);
    while (!thread_runs) sched_yield();
    const pid_t pid = IN_CHILD({
        const int before = thread_ticks;
        for (int i = 0; i < 50; ++i) sched_yield();
        CHECK(thread_ticks == before);
        CHECK(syscall(SYS_gettid) == getpid());
    });
    wait_exit(pid, 0);
}

ROWS(process_limit, "P7") {
    CHECK(getuid() == 0 && setuid(54321) == 0);
    struct rlimit limit = {1, 1};
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    CHECK_ERROR(fork(), EAGAIN);
}

// Many children at once, each with its own memory, reaped in any order.
ROWS(many_children, "F1,F14,W2") {
    enum { kChildren = 100 };
    char* page = map_pages(1, MAP_PRIVATE);
    pid_t pids[kChildren];
    for (int i = 0; i < kChildren; ++i) {
        page[0] = (char)i;
        pids[i] = IN_CHILD({
            CHECK(page[0] == (char)i);
            page[0] = 'x';
            _exit(i);
        });
    }
    for (int i = kChildren - 1; i >= 0; --i) wait_exit(pids[i], i);
    CHECK(page[0] == kChildren - 1);
    CHECK_ERROR(wait(NULL), ECHILD);
}

// A program that computes does not keep others from running.
ROWS(preemption, "F1") {
    volatile int* shared = (volatile int*)map_pages(1, MAP_SHARED);
    pid_t spinners[3];
    for (int i = 0; i < 3; ++i) {
        spinners[i] = IN_CHILD({
            for (;;) ++shared[i];
        });
    }
    while (shared[0] < 1000 || shared[1] < 1000 || shared[2] < 1000) {
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(kill(spinners[i], SIGKILL) == 0);
        const int status = wait_status(spinners[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}
