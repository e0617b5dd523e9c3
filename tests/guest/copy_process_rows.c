// The steps of copy_process that show from outside: what a child begins with, where it stands in the family, and when
// others see it.
#include "rows.h"

#include <sys/prctl.h>
#include <sys/times.h>

// clone as the kernel has it, on the caller's stack: without CLONE_VM that is a copy.
static long raw_clone(unsigned long flags, int* parent_tid, int* child_tid) {
    fflush(stdout);
    return syscall(SYS_clone, flags, 0, parent_tid, child_tid, 0);
}

static void wait_for(int fd) {
    char byte = 0;
    CHECK(read(fd, &byte, 1) == 1);
}
static void tell(int fd) { CHECK(write(fd, "t", 1) == 1); }

// A field of /proc/PID/stat, numbered as in man 5 proc. Comm is cut off first: it may hold anything.
static long long stat_field(pid_t pid, int number) {
    char path[64], text[2048];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    const int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    CHECK(length > 0);
    close(fd);
    text[length] = '\0';
    char* at = strrchr(text, ')');
    CHECK(at != NULL);
    for (int field = 2; field < number; ++field) at = strchr(at + 1, ' ');
    return strtoll(at, NULL, 10);
}

// The first process of a pid namespace has nobody above it who could reap a sibling.
ROWS(init_has_no_siblings, "P4") {
    const long init = raw_clone(CLONE_NEWPID | SIGCHLD, NULL, NULL);
    if (init == 0) {
        CHECK(getpid() == 1);
        CHECK_ERROR(raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL), EINVAL);
        // Not for its children: theirs is init.
        const pid_t child = IN_CHILD({
            const long grandchild = raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL);
            if (grandchild == 0) _exit(5);
            CHECK(grandchild > 0);
        });
        int codes = 0;
        for (int i = 0; i < 2; ++i) {
            int status = 0;
            CHECK(wait(&status) > 0 && WIFEXITED(status));
            codes += WEXITSTATUS(status);
        }
        CHECK(child > 0 && codes == 5);
        _exit(0);
    }
    CHECK(init > 0);
    wait_exit((pid_t)init, 0);
}

ROWS(statistics_begin_at_zero, "P9,F7") {
    // Some time of its own, and of a child.
    wait_exit(IN_CHILD({
                  for (volatile int i = 0; i < 3000000; ++i) {
                  }
              }),
              0);
    struct tms before;
    do {
        times(&before);
    } while (before.tms_utime + before.tms_stime < 3);
    wait_exit(IN_CHILD({
                  struct tms now;
                  times(&now);
                  CHECK(now.tms_utime <= 1 && now.tms_stime <= 1 && now.tms_cutime == 0 && now.tms_cstime == 0);
                  struct rusage children;
                  CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
                  CHECK(children.ru_minflt == 0 && children.ru_utime.tv_sec == 0 && children.ru_utime.tv_usec == 0);
              }),
              0);
}

// PF_FORKNOEXEC: until it executes something, its parent may move it to another process group.
ROWS(has_not_executed_yet, "P9") {
    int go[2], done[2];
    CHECK(pipe(go) == 0 && pipe2(done, O_CLOEXEC) == 0);
    const pid_t pid = IN_CHILD({
        close(done[0]);
        wait_for(go[0]);
        close(go[1]);
        execl("/bin/busybox", "busybox", "sleep", "1000", (char*)NULL);
        execl("/bin/sleep", "sleep", "1000", (char*)NULL);
    });
    CHECK(setpgid(pid, pid) == 0 && getpgid(pid) == pid);
    tell(go[1]);
    close(done[1]);
    char byte;
    CHECK(read(done[0], &byte, 1) == 0);  // closed by execve
    CHECK_ERROR(setpgid(pid, 0), EACCES);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(WIFSIGNALED(wait_status(pid)));
}

ROWS(timer_slack_is_inherited_and_death_signal_is_not, "P9,P13") {
    CHECK(prctl(PR_SET_TIMERSLACK, 123456) == 0);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
    wait_exit(IN_CHILD({
                  CHECK(prctl(PR_GET_TIMERSLACK) == 123456);
                  int number = -1;
                  CHECK(prctl(PR_GET_PDEATHSIG, &number) == 0 && number == 0);
              }),
              0);
}

ROWS(start_time_is_its_own, "P13") {
    usleep(30000);
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({ wait_for(go[0]); });
    CHECK(stat_field(pid, 22) > stat_field(getpid(), 22));
    tell(go[1]);
    wait_exit(pid, 0);
}

// A process is its own leader; a thread has its maker's.
static int thread_ids[2];
static char thread_stack[65536] __attribute__((aligned(16)));
static int thread_main(void* unused) {
    (void)unused;
    thread_ids[0] = getpid();
    thread_ids[1] = (int)syscall(SYS_gettid);
    return 0;
}
ROWS(leaders_and_groups, "P13,P14,C9") {
    wait_exit(IN_CHILD({ CHECK(getpid() == (pid_t)syscall(SYS_gettid)); }), 0);
    static volatile int cleared = 1;
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                      CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
    const int tid = clone(thread_main, thread_stack + sizeof(thread_stack), flags, NULL, NULL, NULL, &cleared);
    CHECK(tid > 0);
    while (cleared != 0) sched_yield();
    CHECK(thread_ids[0] == getpid() && thread_ids[1] == tid && tid != getpid());
    // No exit signal and nothing to wait for.
    CHECK_ERROR(waitpid(tid, NULL, __WALL), ECHILD);
}

// With CLONE_PARENT the exit signal is the leader's, whatever flags say.
static volatile sig_atomic_t usr1_seen, chld_seen;
static void on_usr1(int number) {
    (void)number;
    usr1_seen = 1;
}
static void on_chld(int number) {
    (void)number;
    chld_seen = 1;
}
ROWS(a_sibling_has_the_parents_exit_signal, "P13,P14,C8,C1") {
    signal(SIGUSR1, on_usr1);
    signal(SIGCHLD, on_chld);
    int ids[2];
    CHECK(pipe(ids) == 0);
    const long child = raw_clone(SIGUSR1, NULL, NULL);
    if (child == 0) {
        const long sibling = raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL);
        if (sibling == 0) {
            const pid_t parent = getppid();
            CHECK(write(ids[1], &parent, sizeof(parent)) == sizeof(parent));
            _exit(7);
        }
        _exit(sibling > 0 ? 0 : 1);
    }
    pid_t told = 0;
    while (read(ids[0], &told, sizeof(told)) != sizeof(told)) CHECK(errno == EINTR);
    CHECK(told == getpid());
    int exits = 0;
    for (int i = 0; i < 2; ++i) {
        int status = 0;
        pid_t pid;
        while ((pid = waitpid(-1, &status, __WALL)) < 0) CHECK(errno == EINTR);
        CHECK(WIFEXITED(status));
        exits += WEXITSTATUS(status);
    }
    CHECK(exits == 7);
    CHECK(usr1_seen && !chld_seen);
}

ROWS(visible_once_fork_returns, "P16,F3") {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({ wait_for(go[0]); });
    CHECK(kill(pid, 0) == 0);
    CHECK(getpgid(pid) == getpgrp() && getsid(pid) == getsid(0));
    CHECK(getpriority(PRIO_PROCESS, (id_t)pid) == getpriority(PRIO_PROCESS, 0));
    CHECK(stat_field(pid, 4) == getpid());
    int status;
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    tell(go[1]);
    wait_exit(pid, 0);
    CHECK_ERROR(kill(pid, 0), ESRCH);
}

// total_forks, as /proc/stat tells it.
static unsigned long long forks_so_far(void) {
    FILE* stat = fopen("/proc/stat", "r");
    CHECK(stat != NULL);
    char line[8192];
    unsigned long long forks = 0;
    while (fgets(line, sizeof(line), stat) != NULL) sscanf(line, "processes %llu", &forks);
    fclose(stat);
    CHECK(forks > 0);
    return forks;
}
ROWS(forks_are_counted, "P16") {
    const unsigned long long before = forks_so_far();
    for (int i = 0; i < 5; ++i) wait_exit(IN_CHILD({}), 0);
    // Others may fork, too, on the host.
    const unsigned long long more = forks_so_far() - before;
    CHECK(on_guest() ? more == 5 : more >= 5);
}

ROWS(a_signal_to_the_group_finds_every_child, "P16") {
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    // Each round one of them may just be on its way: it gets the signal, or is not made.
    for (int round = 0; round < 20; ++round) {
        const pid_t leader = IN_CHILD({
            CHECK(setpgid(0, 0) == 0);
            for (;;) {
                if (fork() == 0) {
                    for (;;) pause();
                }
                usleep(1000);
            }
        });
        usleep(4000 + 700 * (useconds_t)round);
        while (kill(-leader, SIGKILL) != 0) sched_yield();
        // The leader's children come to us; all of the group end by the signal.
        int status = 0;
        while (wait(&status) > 0) CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK_ERROR(kill(-leader, 0), ESRCH);
    }
}

ROWS(the_parent_is_told_the_tid, "P18,C13") {
    int tid = 0;
    const long pid = raw_clone(CLONE_PARENT_SETTID | SIGCHLD, &tid, NULL);
    if (pid == 0) _exit(0);
    CHECK(pid > 0 && tid == pid);
    wait_exit((pid_t)pid, 0);
    // An address that cannot be written is no reason to fail.
    const long other = raw_clone(CLONE_PARENT_SETTID | SIGCHLD, opaque(8), NULL);
    if (other == 0) _exit(0);
    CHECK(other > 0);
    wait_exit((pid_t)other, 0);
}

// CLONE_VFORK alone: memory is copied, and still the caller waits.
ROWS(clone_vfork_waits, "C7,P18,V2") {
    int* shared = (int*)map_pages(1, MAP_SHARED);
    volatile int mine = 1;
    const long pid = raw_clone(CLONE_VFORK | SIGCHLD, NULL, NULL);
    if (pid == 0) {
        mine = 2;
        usleep(20000);
        *shared = 5;
        _exit(0);
    }
    CHECK(pid > 0 && *shared == 5 && mine == 1);
    wait_exit((pid_t)pid, 0);
}
ROWS(clone_vfork_ends_with_execve, "C7") {
    const long pid = raw_clone(CLONE_VFORK | SIGCHLD, NULL, NULL);
    if (pid == 0) {
        execl("/bin/busybox", "busybox", "sleep", "1000", (char*)NULL);
        execl("/bin/sleep", "sleep", "1000", (char*)NULL);
        _exit(1);
    }
    int status;
    CHECK(pid > 0 && waitpid((pid_t)pid, &status, WNOHANG) == 0);
    CHECK(kill((pid_t)pid, SIGKILL) == 0);
    CHECK(WIFSIGNALED(wait_status((pid_t)pid)));
}

// clone takes any number in the low byte; what is no signal is not sent, and does no harm.
ROWS(an_exit_signal_that_is_none, "C1") {
    static const int kNumbers[] = {65, 127, 128, 255};
    for (size_t i = 0; i < sizeof(kNumbers) / sizeof(*kNumbers); ++i) {
        const long pid = raw_clone((unsigned long)kNumbers[i], NULL, NULL);
        if (pid == 0) _exit(3);
        int status = 0;
        CHECK(pid > 0 && waitpid((pid_t)pid, &status, __WALL) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
}
