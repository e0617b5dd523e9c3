// What the tests of timers and clocks have in common: a handler that counts, nanoseconds, and the calls themselves.
#pragma once

#include "rows.h"

#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

static volatile sig_atomic_t count;
static siginfo_t last_info;
static inline void note(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    ++count;
    last_info = *info;
}
static inline void catch(int sig) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(sig, &action, NULL) == 0);
}
static inline void block(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}
static inline void unblock(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static inline int64_t now_ns(clockid_t clock) {
    struct timespec time;
    CHECK(clock_gettime(clock, &time) == 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static inline int64_t ns_of(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }
static inline int64_t us_of(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }
static inline void burn_ms(int ms) {
    const int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000LL;
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end) {
    }
}
// Until the handler has run that often; gives up after ten seconds.
static inline void wait_count(int wanted) {
    const int64_t end = now_ns(CLOCK_MONOTONIC) + 10000000000LL;
    while (count < wanted && now_ns(CLOCK_MONOTONIC) < end) usleep(2000);
    CHECK(count >= wanted);
}

// musl's timer_create has ideas of its own about ids and threads: the calls themselves.
static inline int create(clockid_t clock, struct sigevent* event, int* id) { return (int)syscall(SYS_timer_create, clock, event, id); }
static inline int settime(int id, int flags, int64_t value_ns, int64_t interval_ns, struct itimerspec* old) {
    struct itimerspec wanted = {{interval_ns / 1000000000, interval_ns % 1000000000},
                                {value_ns / 1000000000, value_ns % 1000000000}};
    return (int)syscall(SYS_timer_settime, id, flags, &wanted, old);
}
static inline int overrun(int id) { return (int)syscall(SYS_timer_getoverrun, id); }
