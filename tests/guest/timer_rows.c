// Interval timers, and which timers come along to a child and to another program.
#include "timer_rows.h"

ROWS(alarm_rings, "F7") {
    catch(SIGALRM);
    CHECK(syscall(SYS_alarm, 100) == 0);
    CHECK(syscall(SYS_alarm, 1) == 100);
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_ERROR(pause(), EINTR);
    CHECK(count == 1 && last_info.si_code == SI_KERNEL);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 900000000);
    CHECK(syscall(SYS_alarm, 0) == 0);
}

ROWS(itimer_real_repeats, "F7") {
    catch(SIGALRM);
    struct itimerval value = {{0, 20000}, {0, 20000}}, old;
    CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
    wait_count(3);
    memset(&value, 0, sizeof(value));
    CHECK(setitimer(ITIMER_REAL, &value, &old) == 0);
    CHECK(us_of(old.it_interval) == 20000 && us_of(old.it_value) > 0 && us_of(old.it_value) <= 20000);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && us_of(old.it_value) == 0 && us_of(old.it_interval) == 0);
    value.it_value.tv_usec = 1000000;
    CHECK_ERROR(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
    CHECK_ERROR(setitimer(3, &old, NULL), EINVAL);
    CHECK_ERROR(getitimer(-1, &old), EINVAL);
}

static void check_cpu_itimer(int which, int sig) {
    count = 0;
    catch(sig);
    struct itimerval value = {{0, 20000}, {0, 20000}}, old;
    CHECK(setitimer(which, &value, NULL) == 0);
    usleep(60000);
    CHECK(count == 0);
    const int64_t give_up = now_ns(CLOCK_MONOTONIC) + 20000000000LL;
    while (count < 2 && now_ns(CLOCK_MONOTONIC) < give_up) {
        for (volatile int i = 0; i < 100000; ++i) {
        }
    }
    CHECK(count >= 2);
    CHECK(getitimer(which, &old) == 0 && us_of(old.it_interval) == 20000 && us_of(old.it_value) > 0);
    memset(&value, 0, sizeof(value));
    CHECK(setitimer(which, &value, NULL) == 0);
}

ROWS(itimers_of_cpu_time, "F7") {
    check_cpu_itimer(ITIMER_VIRTUAL, SIGVTALRM);
    check_cpu_itimer(ITIMER_PROF, SIGPROF);
}

ROWS(timers_are_not_inherited, "F7") {
    catch(SIGALRM);
    catch(SIGUSR1);
    struct itimerval value = {{0, 0}, {1000, 0}}, seen;
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; ++which) CHECK(setitimer(which, &value, NULL) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0 && settime(id, 0, 1000000000000, 0, NULL) == 0);
    const pid_t pid = IN_CHILD({
        for (int which = ITIMER_REAL; which <= ITIMER_PROF; ++which) {
            CHECK(getitimer(which, &seen) == 0 && us_of(seen.it_value) == 0 && us_of(seen.it_interval) == 0);
        }
        struct itimerspec left;
        CHECK_ERROR(syscall(SYS_timer_gettime, id, &left), EINVAL);
        CHECK_ERROR(syscall(SYS_timer_delete, id), EINVAL);
        int own = -1;
        CHECK(create(CLOCK_MONOTONIC, &event, &own) == 0);
    });
    wait_exit(pid, 0);
    CHECK(getitimer(ITIMER_REAL, &seen) == 0 && us_of(seen.it_value) > 900000000);
}

// execve keeps interval timers and deletes POSIX timers. The program is run again with an argument.
static int after_exec(void) {
    struct itimerval seen;
    struct itimerspec left;
    if (getitimer(ITIMER_REAL, &seen) != 0 || us_of(seen.it_value) < 900000000) return 1;
    for (int id = 0; id < 8; ++id) {
        if (syscall(SYS_timer_gettime, id, &left) != -1 || errno != EINVAL) return 2;
    }
    sigset_t pending;
    if (sigpending(&pending) != 0 || sigismember(&pending, SIGUSR1) || !sigismember(&pending, SIGUSR2)) return 3;
    return 0;
}
__attribute__((constructor)) static void run_again(void) {
    if (getenv("TIMER_ROWS_AGAIN") != NULL) _exit(after_exec());
}

ROWS(exec_keeps_itimers_and_deletes_posix_timers, "F7") {
    char self[256];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    strcpy(self + (length > 0 ? length : 0), length > 0 ? "" : "/bin/timer_rows");
    const pid_t pid = IN_CHILD({
        block(SIGUSR1);
        block(SIGUSR2);
        struct itimerval value = {{0, 0}, {1000, 0}};
        CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        int id = -1;
        CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0 && settime(id, 0, 1000000, 0, NULL) == 0);
        CHECK(raise(SIGUSR2) == 0);
        sigset_t pending;
        do {
            usleep(2000);
            CHECK(sigpending(&pending) == 0);
        } while (!sigismember(&pending, SIGUSR1));
        char* const argv[] = {self, NULL};
        char* const envp[] = {"TIMER_ROWS_AGAIN=1", NULL};
        execve(self, argv, envp);
        _exit(98);
    });
    wait_exit(pid, 0);
}
