// Sleeps end when they are to, not at the next tick. Of many the shortest counts, so that a busy machine does no harm.
#include "rows.h"

#include <poll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

static const long kMillisecond = 1000000;  // ns

static long now(void) {
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

// The shortest of many waits, none of which may be too short.
static void check_waits(void (*wait_ms)(void)) {
    long shortest = 1000 * kMillisecond;
    for (int i = 0; i < 30; ++i) {
        const long start = now();
        wait_ms();
        const long passed = now() - start;
        CHECK(passed >= kMillisecond);
        if (passed < shortest) shortest = passed;
    }
    CHECK(shortest < 3 * kMillisecond);
}

static void by_nanosleep(void) {
    const struct timespec time = {.tv_nsec = kMillisecond};
    CHECK(nanosleep(&time, NULL) == 0);
}
static void by_poll(void) { CHECK(poll(NULL, 0, 1) == 0); }
static void by_futex(void) {
    static int word;
    const struct timespec time = {.tv_nsec = kMillisecond};
    CHECK_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0), ETIMEDOUT);
}
static void by_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const struct itimerval time = {.it_value = {.tv_usec = 1000}};
    CHECK(setitimer(ITIMER_REAL, &time, NULL) == 0 && sigwaitinfo(&set, NULL) == SIGALRM);
}

ROWS(waits_end_in_time, "-") {
    check_waits(by_nanosleep);
    check_waits(by_poll);
    check_waits(by_futex);
    check_waits(by_signal);
}

// Timers that are due all the time leave time for programs, and others still get their tick.
ROWS(a_storm_of_timers, "-") {
    int fds[64];
    for (int i = 0; i < 64; ++i) {
        CHECK((fds[i] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
        const struct itimerspec often = {.it_interval = {.tv_nsec = 1}, .it_value = {.tv_nsec = 1}};
        CHECK(timerfd_settime(fds[i], 0, &often, NULL) == 0);
    }
    const pid_t other = IN_CHILD({
        for (;;) {
        }
    });
    const long start = now();
    long rounds = 0;
    for (; now() < start + 50 * kMillisecond; ++rounds) {
        const struct itimerspec soon = {.it_value = {.tv_nsec = 1000}};
        CHECK(timerfd_settime(fds[rounds % 64], 0, &soon, NULL) == 0);
    }
    CHECK(rounds > 10);
    CHECK(kill(other, SIGKILL) == 0);
    wait_status(other);
    struct rusage usage;
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
}
