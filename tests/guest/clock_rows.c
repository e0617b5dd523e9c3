// Clocks, sleeping, CPU time.
#include "timer_rows.h"

ROWS(cpu_clocks, "P9") {
    const int64_t process = now_ns(CLOCK_PROCESS_CPUTIME_ID), thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
    burn_ms(30);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 30000000);
    CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - thread >= 29000000);
    // A child's clock starts at zero, and shows to others by its pid.
    const pid_t pid = IN_CHILD({
        CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) < 25000000);
        for (;;) pause();
    });
    const clockid_t of_child = (clockid_t)(~(unsigned)pid << 3 | 2);
    usleep(20000);
    struct timespec time;
    CHECK(clock_gettime(of_child, &time) == 0 && ns_of(time) < 1000000000);
    CHECK(clock_getres(of_child, &time) == 0 && ns_of(time) == 1);
    CHECK(kill(pid, SIGKILL) == 0);
    wait_status(pid);
    CHECK_ERROR(clock_gettime(of_child, &time), EINVAL);
    CHECK_ERROR(clock_gettime((clockid_t)(~0u << 3 | 3), &time), EINVAL);
    CHECK_ERROR(clock_gettime(99, &time), EINVAL);
}

ROWS(clocks, "F7") {
    static const clockid_t kAll[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                     CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
    struct timespec time;
    for (size_t i = 0; i < sizeof(kAll) / sizeof(kAll[0]); ++i) {
        const int64_t before = now_ns(kAll[i]);
        CHECK(now_ns(kAll[i]) >= before);
        CHECK(syscall(SYS_clock_getres, kAll[i], &time) == 0 && ns_of(time) >= 1 && ns_of(time) <= 10000000);
        CHECK(syscall(SYS_clock_getres, kAll[i], NULL) == 0);
    }
    time = (struct timespec){1, 0};
    CHECK_ERROR(clock_settime(CLOCK_MONOTONIC, &time), EINVAL);
    time.tv_nsec = 1000000000;
    CHECK_ERROR(clock_settime(CLOCK_REALTIME, &time), EINVAL);
    const pid_t pid = IN_CHILD({
        CHECK(setuid(1234) == 0);
        const struct timespec ok = {2000000000, 0};
        CHECK_ERROR(clock_settime(CLOCK_REALTIME, &ok), EPERM);
    });
    wait_exit(pid, 0);
}

// On the host the clock stays as it is.
GUEST_ROWS(clock_settime_moves_absolute_timers, "F7") {
    catch(SIGUSR1);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int absolute = -1, relative = -1;
    CHECK(create(CLOCK_REALTIME, &event, &absolute) == 0 && create(CLOCK_REALTIME, &event, &relative) == 0);
    const int64_t now = now_ns(CLOCK_REALTIME);
    CHECK(settime(absolute, TIMER_ABSTIME, now + 3600000000000, 0, NULL) == 0);
    CHECK(settime(relative, 0, 3600000000000, 0, NULL) == 0);
    const int64_t later = now + 3500000000000;
    const struct timespec set = {later / 1000000000, later % 1000000000};
    CHECK(clock_settime(CLOCK_REALTIME, &set) == 0 && count == 0);
    struct itimerspec left;
    CHECK(syscall(SYS_timer_gettime, absolute, &left) == 0 && left.it_value.tv_sec <= 100);
    CHECK(syscall(SYS_timer_gettime, relative, &left) == 0 && left.it_value.tv_sec > 3500);
    const int64_t past = now + 3700000000000;
    const struct timespec beyond = {past / 1000000000, past % 1000000000};
    CHECK(clock_settime(CLOCK_REALTIME, &beyond) == 0);
    wait_count(1);
    CHECK(last_info.si_timerid == absolute);
}

ROWS(clock_nanosleep_absolute, "F7") {
    for (int i = 0; i < 2; ++i) {
        const clockid_t clock = i == 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
        const int64_t until = now_ns(clock) + 30000000;
        const struct timespec deadline = {until / 1000000000, until % 1000000000};
        CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &deadline, NULL) == 0);
        CHECK(now_ns(clock) >= until);
        CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &deadline, NULL) == 0);
    }
    struct timespec request = {0, 1000000000};
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &request, NULL), EINVAL);
    request.tv_nsec = 1;
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &request, NULL), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &request, NULL), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, 99, 0, &request, NULL), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, opaque(8), NULL), EFAULT);
}

// A stop and a continuation do not lengthen a sleep: restart_syscall goes on with the rest.
ROWS(sleep_survives_a_stop, "F7") {
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    const pid_t pid = IN_CHILD({
        const struct timespec request = {0, 300000000};
        CHECK(nanosleep(&request, NULL) == 0);
    });
    usleep(30000);
    CHECK(kill(pid, SIGSTOP) == 0);
    int status = 0;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    usleep(300000);
    CHECK(kill(pid, SIGCONT) == 0);
    // It is over before a sleep that begins now, which one begun anew would not be.
    const pid_t later = IN_CHILD(usleep(200000));
    CHECK(wait(&status) == pid && status == 0);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 290000000);
    wait_exit(later, 0);
}

ROWS(cpu_times_of_children, "F7") {
    struct tms start, after_fork, end;
    burn_ms(60);
    CHECK(times(&start) != (clock_t)-1);
    CHECK(start.tms_cutime == 0 && start.tms_cstime == 0);
    const pid_t pid = IN_CHILD({
        CHECK(times(&after_fork) != (clock_t)-1);
        CHECK(after_fork.tms_utime + after_fork.tms_stime <= 3);
        CHECK(after_fork.tms_cutime == 0 && after_fork.tms_cstime == 0);
        burn_ms(150);
    });
    wait_exit(pid, 0);
    CHECK(times(&end) != (clock_t)-1 && end.tms_cutime + end.tms_cstime >= 8);
    struct rusage children, self, thread;
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0 && getrusage(RUSAGE_SELF, &self) == 0 &&
          getrusage(RUSAGE_THREAD, &thread) == 0);
    CHECK(us_of(children.ru_utime) + us_of(children.ru_stime) >= 80000);
    CHECK(us_of(self.ru_utime) + us_of(self.ru_stime) >= 30000);
    CHECK(self.ru_minflt > 0);
    CHECK_ERROR(getrusage(5, &self), EINVAL);
}
