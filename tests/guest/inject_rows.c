// Failure injection: each step of copy_process and each allocation fails in turn, and what was done so far is undone.
// Guest only: no other kernel has /proc/self/fail-step, and few have fail-nth switched on.
#include "rows.h"

#include <sys/prctl.h>

static void write_file(const char* path, const char* text) {
    const int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
static long read_number(const char* path) {
    char text[64] = "";
    const int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
    close(fd);
    return strtol(text, NULL, 10);
}

// The first, for the first 300 numbers are given out only once.
GUEST_ROWS(pids_may_be_used_up, "P11") {
    const long most = read_number("/proc/sys/kernel/pid_max");
    write_file("/proc/sys/kernel/pid_max", "301");
    enum { kMost = 310 };
    static pid_t children[kMost];
    int made = 0, error = 0;
    while (made < kMost) {
        const pid_t pid = vfork();
        if (pid == 0) _exit(0);  // its zombie keeps the pid
        if (pid < 0) {
            error = errno;
            break;
        }
        CHECK(pid < 301);
        children[made++] = pid;
    }
    char text[32];
    snprintf(text, sizeof(text), "%ld", most);
    write_file("/proc/sys/kernel/pid_max", text);
    for (int i = 0; i < made; ++i) wait_exit(children[i], 0);
    CHECK(made > 250 && made < 301 && error == EAGAIN);
    wait_exit(IN_CHILD({}), 0);
}

static const char* const kSteps[] = {"dup_task_struct", "copy_creds", "sched_fork", "copy_semundo", "copy_files",
                                     "copy_fs", "copy_sighand", "copy_signal", "copy_mm", "copy_namespaces",
                                     "copy_io", "copy_thread", "alloc_pid"};
enum { kStepCount = sizeof(kSteps) / sizeof(*kSteps) };

// The ways to make a child: each gives its pid, or -1; the child, if there is one, ends and is waited for.
static int by_fork(void) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid > 0) wait_exit(pid, 0);
    return pid;
}
static int by_vfork(void) {
    const pid_t pid = vfork();
    if (pid == 0) _exit(0);
    if (pid > 0) wait_exit(pid, 0);
    return pid;
}
static int nothing(void* unused) {
    (void)unused;
    return 0;
}
static char stack[32768] __attribute__((aligned(16)));
static int by_clone(void) {
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_IO;
    const int pid = clone(nothing, stack + sizeof(stack), flags | SIGCHLD, NULL);
    if (pid > 0) wait_exit(pid, 0);
    return pid;
}
static int by_thread(void) {
    static volatile int alive;
    alive = 1;
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                      CLONE_CHILD_CLEARTID;
    const int tid = clone(nothing, stack + sizeof(stack), flags, NULL, NULL, NULL, &alive);
    while (tid > 0 && alive != 0) sched_yield();
    // The thread wakes us a little before all of it is gone.
    for (int i = 0; tid > 0 && i < 20; ++i) sched_yield();
    return tid;
}
static int (*const kWays[])(void) = {by_fork, by_vfork, by_clone, by_thread};
enum { kWayCount = sizeof(kWays) / sizeof(*kWays) };

static char* busy_memory(void) {
    char* pages = map_pages(64, MAP_PRIVATE);
    for (int i = 0; i < 64; ++i) pages[i * PAGE] = (char)i;
    return pages;
}

GUEST_ROWS(each_step_fails_and_is_undone, "P6,P10,P11,P17,W10") {
    char* pages = busy_memory();
    for (int way = 0; way < kWayCount; ++way) {
        CHECK(kWays[way]() > 0);
        count_kernel();
        for (int step = 0; step < kStepCount; ++step) {
            write_file("/proc/self/fail-step", kSteps[step]);
            errno = 0;
            CHECK(kWays[way]() == -1 && errno == ENOMEM);
            expect_counts(kSteps[step]);
            CHECK(kWays[way]() > 0);
            expect_counts("a fork after it");
        }
    }
    for (int i = 0; i < 64; ++i) CHECK(pages[i * PAGE] == (char)i);
}

GUEST_ROWS(a_failed_step_leaves_the_memory_writable, "P17,W1") {
    char* pages = busy_memory();
    write_file("/proc/self/fail-step", "copy_thread");  // after copy_mm
    CHECK_ERROR(fork(), ENOMEM);
    for (int i = 0; i < 64; ++i) pages[i * PAGE] = 'x';
    for (int i = 0; i < 64; ++i) CHECK(pages[i * PAGE] == 'x');
}

GUEST_ROWS(names_of_steps_are_checked, "P17") {
    const int fd = open("/proc/self/fail-step", O_WRONLY);
    CHECK(fd >= 0);
    CHECK_ERROR(write(fd, "copy_nothing", 12), EINVAL);
    CHECK(write(fd, "copy_mm\n", 8) == 8);
    char text[64] = "";
    const int back = open("/proc/self/fail-step", O_RDONLY);
    CHECK(read(back, text, sizeof(text)) == 8 && strcmp(text, "copy_mm\n") == 0);
    CHECK(write(fd, "\n", 1) == 1);  // none
    CHECK(fork() != -1 || errno != ENOMEM);
}

// Calls `call` in a child while its Nth allocation fails. The child ends with 50 if the call was refused, 51 if it
// failed otherwise; a fault of its own that gets no memory kills it. Its wait status.
static int fail_one(int (*call)(void), int nth) {
    const pid_t pid = IN_CHILD({
        char text[32];
        snprintf(text, sizeof(text), "%d", nth);
        write_file("/proc/self/fail-nth", text);
        const int result = call();
        _exit(result > 0 ? 0 : errno == ENOMEM ? 50 : 51);
    });
    const int status = wait_status(pid);
    if (WIFSIGNALED(status)) CHECK(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
    else CHECK(WEXITSTATUS(status) != 51);
    // A child of the child that was killed may still be on its way to us.
    while (wait(NULL) > 0) {
    }
    return status;
}

// For N = 1, 2 ... until the call makes no more. All must be back each time. How often it was refused. The first round
// is for what we ourselves touch.
static int fail_each(int (*call)(void), const char* what) {
    int refused = 0;
    for (int round = 0; round < 2; ++round) {
        refused = 0;
        count_kernel();
        for (int nth = 1, last_refused = 0; nth < last_refused + 40; ++nth) {
            const int status = fail_one(call, nth);
            if (status == 50 << 8) {
                ++refused;
                last_refused = nth;
            }
            char when[96];
            snprintf(when, sizeof(when), "%s with allocation %d failing (status %#x)", what, nth, status);
            if (round == 1) expect_counts(when);
        }
    }
    return refused;
}

GUEST_ROWS(each_allocation_of_a_fork_fails_and_is_undone, "P6,P8,P10,P11,P17,W10") {
    char* pages = busy_memory();
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(fail_each(by_fork, "fork") > 10);
    CHECK(fail_each(by_vfork, "vfork") > 5);
    CHECK(fail_each(by_clone, "clone") > 2);
    CHECK(fail_each(by_thread, "a thread") > 2);
    for (int i = 0; i < 64; ++i) CHECK(pages[i * PAGE] == (char)i);
}

// It may fail after the point of no return: then it kills.
static int by_exec(void) {
    execl("/bin/busybox", "busybox", "true", (char*)NULL);
    return -1;
}
GUEST_ROWS(each_allocation_of_execve_fails_and_is_undone, "P17,W10") { CHECK(fail_each(by_exec, "execve") > 5); }

GUEST_ROWS(no_more_than_so_many_threads, "P8") {
    const long most = read_number("/proc/sys/kernel/threads-max");
    write_file("/proc/sys/kernel/threads-max", "20");
    pid_t children[64];
    int made = 0;
    while (made < 64 && (children[made] = fork()) > 0) ++made;
    const int error = errno;
    if (made < 64 && children[made] == 0) {
        for (;;) pause();
    }
    char text[32];
    snprintf(text, sizeof(text), "%ld", most);
    write_file("/proc/sys/kernel/threads-max", text);
    for (int i = 0; i < made; ++i) {
        CHECK(kill(children[i], SIGKILL) == 0);
        wait_status(children[i]);
    }
    CHECK(made < 20 && error == EAGAIN);
    wait_exit(IN_CHILD({}), 0);
}
