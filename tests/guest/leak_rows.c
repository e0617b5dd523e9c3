// Many processes and threads, and processes killed at any moment: afterwards all that the kernel counts is back at the
// numbers from before. Guest only, for no other kernel shows exact ones.
#include "rows.h"

#include <pthread.h>
#include <sys/prctl.h>

static void reap_all(void) {
    while (wait(NULL) > 0) {
    }
}

static void fork_some(int count) {
    for (int i = 0; i < count; ++i) {
        const pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) _exit(i & 127);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == (i & 127));
    }
}

GUEST_ROWS(ten_thousand_forks, "W10,P17") {
    char* pages = map_pages(16, MAP_PRIVATE);
    memset(pages, 1, 16 * PAGE);
    fork_some(10);
    count_kernel();
    fork_some(10000);
    expect_counts("10,000 forks");
}

static void* nothing(void* argument) { return argument; }
static void thread_some(int count) {
    for (int i = 0; i < count; ++i) {
        pthread_t thread;
        void* result = NULL;
        CHECK(pthread_create(&thread, NULL, nothing, &result) == 0);
        CHECK(pthread_join(thread, &result) == 0 && result == &result);
    }
}
// The last thread wakes its joiner a little before all of it is gone. Asleep, not yielding: one whose turn is over has to
// wait for all that want to run.
static void settle(void) {
    for (int i = 0; i < 10; ++i) usleep(10000);
}

GUEST_ROWS(ten_thousand_threads, "W10,C14") {
    thread_some(10);
    settle();
    count_kernel();
    thread_some(10000);
    settle();
    expect_counts("10,000 threads");
}

// A tree that makes processes and threads as fast as it can.
static char stack[4][16384] __attribute__((aligned(16)));
static int spin(void* unused) {
    (void)unused;
    for (;;) sched_yield();
    return 0;
}
__attribute__((noinline)) static void vfork_and_execute(void) {
    if (vfork() != 0) return;
    execl("/bin/busybox", "busybox", "true", (char*)NULL);
    _exit(1);
}
_Noreturn static void storm(uint32_t seed) {
    char* pages = map_pages(32, MAP_PRIVATE);
    for (uint32_t i = seed;; i = i * 1664525u + 1013904223u) {
        pages[(i >> 16) % 32 * PAGE] = (char)i;
        switch ((i >> 24) % 8) {
            case 0:
                if (fork() == 0) ++i;  // and goes another way from here
                break;
            case 1:
                vfork_and_execute();
                break;
            case 2:
                clone(spin, stack[i % 4] + sizeof(stack[0]), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
                break;
            case 3:
                mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                break;
            case 4: {
                int ends[2];
                if (pipe(ends) == 0) (void)!write(ends[1], pages, 100);
                break;
            }
            default:
                while (waitpid(-1, NULL, WNOHANG) > 0) {
                }
        }
    }
}

static void one_storm(uint32_t seed) {
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0);
        const struct rlimit limit = {16, 16};
        CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
        CHECK(setuid(1000) == 0);  // the limit is not for root
        storm(seed);
    }
    (void)setpgid(pid, pid);  // whoever comes first
    usleep(3000 + seed * 7919 % 17000);
    // Nobody of the group may escape, however often it forks.
    CHECK(kill(-pid, SIGKILL) == 0);
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    reap_all();
    CHECK_ERROR(kill(-pid, 0), ESRCH);
}

GUEST_ROWS(kill_at_any_moment_of_a_fork_storm, "W10,P15,P17") {
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    for (uint32_t round = 0; round < 3; ++round) one_storm(round);
    settle();
    count_kernel();
    for (uint32_t round = 0; round < 25; ++round) one_storm(round + 100);
    settle();
    expect_counts("25 fork storms");
}
