// Interval timers, POSIX timers, clocks, sleeping, CPU time.
#include "rows.h"

#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

static volatile sig_atomic_t count;
static siginfo_t last_info;
static void note(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    ++count;
    last_info = *info;
}
static void catch(int sig) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(sig, &action, NULL) == 0);
}
static void block(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}
static void unblock(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static int64_t now_ns(clockid_t clock) {
    struct timespec time;
    CHECK(clock_gettime(clock, &time) == 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static int64_t ns_of(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }
static int64_t us_of(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }
static void burn_ms(int ms) {
    const int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000LL;
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end) {
    }
}
// Until the handler has run that often; gives up after ten seconds.
static void wait_count(int wanted) {
    const int64_t end = now_ns(CLOCK_MONOTONIC) + 10000000000LL;
    while (count < wanted && now_ns(CLOCK_MONOTONIC) < end) usleep(2000);
    CHECK(count >= wanted);
}

// musl's timer_create has ideas of its own about ids and threads: the calls themselves.
static int create(clockid_t clock, struct sigevent* event, int* id) { return (int)syscall(SYS_timer_create, clock, event, id); }
static int settime(int id, int flags, int64_t value_ns, int64_t interval_ns, struct itimerspec* old) {
    struct itimerspec wanted = {{interval_ns / 1000000000, interval_ns % 1000000000},
                                {value_ns / 1000000000, value_ns % 1000000000}};
    return (int)syscall(SYS_timer_settime, id, flags, &wanted, old);
}
static int overrun(int id) { return (int)syscall(SYS_timer_getoverrun, id); }

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

ROWS(posix_timer_sends_its_value, "F7") {
    catch(SIGRTMIN);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    event.sigev_value.sival_ptr = (void*)0x1234567890;
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    struct itimerspec left;
    CHECK(syscall(SYS_timer_gettime, id, &left) == 0 && ns_of(left.it_value) == 0 && ns_of(left.it_interval) == 0);
    CHECK(settime(id, 0, 5000000, 0, NULL) == 0);
    wait_count(1);
    CHECK(last_info.si_signo == SIGRTMIN && last_info.si_code == SI_TIMER && last_info.si_overrun == 0);
    CHECK(last_info.si_timerid == id && last_info.si_value.sival_ptr == (void*)0x1234567890);
    CHECK(syscall(SYS_timer_gettime, id, &left) == 0 && ns_of(left.it_value) == 0);
    CHECK(overrun(id) == 0);
    // Absolute, and long past: at once.
    CHECK(settime(id, TIMER_ABSTIME, 1, 0, NULL) == 0);
    wait_count(2);
    struct itimerspec old;
    CHECK(settime(id, 0, 100000000000, 3000000000, NULL) == 0);
    CHECK(settime(id, 0, 0, 0, &old) == 0);
    CHECK(ns_of(old.it_interval) == 3000000000 && ns_of(old.it_value) > 90000000000 && ns_of(old.it_value) <= 100000000000);
    CHECK(syscall(SYS_timer_delete, id) == 0);
    CHECK_ERROR(syscall(SYS_timer_delete, id), EINVAL);
    CHECK_ERROR(settime(id, 0, 1, 0, NULL), EINVAL);
}

ROWS(posix_timer_default_event, "F7") {
    catch(SIGALRM);
    int id = -1;
    CHECK(create(CLOCK_REALTIME, NULL, &id) == 0);
    CHECK(settime(id, TIMER_ABSTIME, now_ns(CLOCK_REALTIME) + 10000000, 0, NULL) == 0);
    wait_count(1);
    CHECK(last_info.si_code == SI_TIMER && last_info.si_value.sival_int == id);
}

ROWS(posix_timer_overruns, "F7") {
    catch(SIGUSR1);
    block(SIGUSR1);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK(settime(id, 0, 10000000, 10000000, NULL) == 0);
    while (now_ns(CLOCK_MONOTONIC) - start < 200000000) usleep(10000);
    unblock(SIGUSR1);
    const int most = (int)((now_ns(CLOCK_MONOTONIC) - start) / 10000000);
    CHECK(settime(id, 0, 0, 0, NULL) == 0);
    CHECK(count >= 1 && last_info.si_overrun >= 0);
    if (count == 1) CHECK(last_info.si_overrun >= 15 && last_info.si_overrun < most);
}

// An interval that goes past the end of all time: the first expiration is the last.
ROWS(timers_with_endless_intervals, "F7") {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    const struct itimerspec endless = {{INT64_MAX / 2, 0}, {0, 1000000}};
    CHECK(timer_settime(timer, 0, &endless, NULL) == 0);
    const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK(timerfd_settime(fd, 0, &endless, NULL) == 0);
    uint64_t ticks = 0;
    CHECK(read(fd, &ticks, sizeof(ticks)) == sizeof(ticks) && ticks == 1);
    const struct timespec while_more = {0, 30000000};
    nanosleep(&while_more, NULL);
    struct itimerspec left;
    CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 1000000);
    CHECK(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_sec > 1000000);
}

ROWS(posix_timer_without_signal, "F7") {
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    CHECK(settime(id, 0, 50000000000, 50000000000, NULL) == 0);
    struct itimerspec left;
    CHECK(syscall(SYS_timer_gettime, id, &left) == 0);
    CHECK(ns_of(left.it_value) > 40000000000 && ns_of(left.it_interval) == 50000000000);
}

static int tid_of_handler;
static void note_thread(int sig) {
    (void)sig;
    tid_of_handler = (int)syscall(SYS_gettid);
    ++count;
}
#define THREAD_ID 4
static char thread_stack[65536] __attribute__((aligned(16)));
static volatile int other_tid, stop_other;
static int other_thread(void* argument) {
    (void)argument;
    other_tid = (int)syscall(SYS_gettid);
    while (!stop_other) syscall(SYS_sched_yield);
    syscall(SYS_exit, 0);
    return 0;
}

ROWS(posix_timer_for_one_thread, "F7") {
    CHECK(signal(SIGUSR1, note_thread) != SIG_ERR);
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    CHECK(clone(other_thread, thread_stack + sizeof(thread_stack), flags, NULL) > 0);
    while (other_tid == 0) sched_yield();
    struct {
        union sigval value;
        int signo, notify, tid;
        int pad[11];
    } event = {.signo = SIGUSR1, .notify = THREAD_ID, .tid = other_tid};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, (struct sigevent*)&event, &id) == 0 && settime(id, 0, 1000000, 0, NULL) == 0);
    wait_count(1);
    CHECK(tid_of_handler == other_tid);
    event.tid = getppid();
    CHECK_ERROR(create(CLOCK_MONOTONIC, (struct sigevent*)&event, &id), EINVAL);
    stop_other = 1;
}

ROWS(posix_timer_refusals, "F7") {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    int id = -1;
    CHECK_ERROR(create(CLOCK_MONOTONIC, &event, &id), EINVAL);
    event.sigev_signo = SIGUSR1;
    event.sigev_notify = 99;
    CHECK_ERROR(create(CLOCK_MONOTONIC, &event, &id), EINVAL);
    event.sigev_notify = SIGEV_SIGNAL;
    CHECK_ERROR(create(9999, &event, &id), EINVAL);
    CHECK_ERROR(create(CLOCK_MONOTONIC_RAW, &event, &id), EOPNOTSUPP);
    CHECK_ERROR(create(CLOCK_MONOTONIC, &event, opaque(8)), EFAULT);
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    CHECK_ERROR(settime(id, 0, -1, 0, NULL), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
    CHECK_ERROR(overrun(id + 1000), EINVAL);
}

ROWS(posix_timer_of_cpu_time, "F7") {
    catch(SIGUSR1);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    for (int i = 0; i < 2; ++i) {
        count = 0;
        int id = -1;
        const clockid_t clock = i == 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID;
        CHECK(create(clock, &event, &id) == 0 && settime(id, 0, 30000000, 20000000, NULL) == 0);
        usleep(80000);
        CHECK(count == 0);
        const int64_t give_up = now_ns(CLOCK_MONOTONIC) + 20000000000LL;
        while (count < 2 && now_ns(CLOCK_MONOTONIC) < give_up) burn_ms(1);
        CHECK(count >= 2 && last_info.si_code == SI_TIMER && last_info.si_timerid == id);
        CHECK(syscall(SYS_timer_delete, id) == 0);
    }
}

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
    wait_exit(pid, 0);
    const int64_t took = now_ns(CLOCK_MONOTONIC) - start;
    CHECK(took >= 290000000);
    if (on_guest()) CHECK(took < 600000000);
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
