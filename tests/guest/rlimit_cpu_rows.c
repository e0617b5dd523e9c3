// RLIMIT_CPU and RLIMIT_RTTIME: a signal at the soft limit, and each second after it; the end at the hard limit.
#include "rows.h"

#include <time.h>

static volatile sig_atomic_t signals;
static void on_xcpu(int number) {
    (void)number;
    ++signals;
}

static void limit(int which, rlim_t soft, rlim_t hard) {
    const struct rlimit to = {soft, hard};
    CHECK(setrlimit(which, &to) == 0);
}

static uint64_t cpu_ms(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void burn_until(int wanted_signals) {
    while (signals < wanted_signals) continue;
}

ROWS(a_signal_each_second_then_the_end, "F7,F12") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const int status = wait_status(IN_CHILD({
        CHECK(signal(SIGXCPU, on_xcpu) != SIG_ERR);
        limit(RLIMIT_CPU, 1, 3);
        burn_until(1);
        // The limit goes by ticks, which a busy machine makes to count for more than the time that passed.
        const uint64_t first = cpu_ms();
        CHECK(first >= 400);
        struct rlimit now;
        CHECK(getrlimit(RLIMIT_CPU, &now) == 0 && now.rlim_cur == 2 && now.rlim_max == 3);
        burn_until(2);
        CHECK(cpu_ms() >= first + 400);
        CHECK(write(ends[1], "2", 1) == 1);
        burn_until(99);
    }));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    char byte;
    CHECK(read(ends[0], &byte, 1) == 1 && byte == '2');
}

ROWS(the_default_ends_it, "F12") {
    const int status = wait_status(IN_CHILD({
        limit(RLIMIT_CPU, 1, RLIM_INFINITY);
        burn_until(1);
    }));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
}

static void become_real_time(void) {
    const struct sched_param param = {.sched_priority = 1};
    CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param) == 0);
}

ROWS(real_time_without_sleep, "F12") {
    const int status = wait_status(IN_CHILD({
        CHECK(signal(SIGXCPU, on_xcpu) != SIG_ERR);
        limit(RLIMIT_RTTIME, 200000, 400000);
        become_real_time();
        // Who sleeps begins anew.
        for (int i = 0; i < 4; ++i) {
            const uint64_t start = cpu_ms();
            while (cpu_ms() < start + 100) continue;
            usleep(20000);
        }
        CHECK(signals == 0);
        burn_until(1);
        struct rlimit now;
        CHECK(getrlimit(RLIMIT_RTTIME, &now) == 0 && now.rlim_cur == 1200000);
        burn_until(99);
    }));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    // Of no concern to others.
    limit(RLIMIT_RTTIME, 10000, RLIM_INFINITY);
    CHECK(signal(SIGXCPU, on_xcpu) != SIG_ERR);
    const uint64_t start = cpu_ms();
    while (cpu_ms() < start + 100) continue;
    CHECK(signals == 0);
}
