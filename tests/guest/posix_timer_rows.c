// POSIX timers.
#include "timer_rows.h"

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

// A timer that has gone off but whose signal is blocked.
static int ring_unheard(void) {
    catch(SIGUSR1), block(SIGUSR1);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0 && settime(id, TIMER_ABSTIME, 1, 0, NULL) == 0);
    sigset_t pending;
    do {
        CHECK(sigpending(&pending) == 0);
    } while (!sigismember(&pending, SIGUSR1));
    return id;
}

ROWS(nobody_gets_the_signal_of_an_old_setting, "F7") {
    if (!as_of(6, 13)) return;
    CHECK(syscall(SYS_timer_delete, ring_unheard()) == 0);
    unblock(SIGUSR1);
    CHECK(count == 0);
    int id = ring_unheard();
    CHECK(settime(id, 0, 0, 0, NULL) == 0);
    unblock(SIGUSR1);
    CHECK(count == 0);
    // One that is set anew, and goes off again, is told of.
    id = ring_unheard();
    CHECK(settime(id, TIMER_ABSTIME, 1, 0, NULL) == 0);
    usleep(20000);
    unblock(SIGUSR1);
    CHECK(count == 1 && last_info.si_timerid == id && last_info.si_overrun == 0);
    // Others' signals of that number are not lost with it.
    block(SIGUSR1);
    CHECK(settime(id, TIMER_ABSTIME, 1, 0, NULL) == 0 && raise(SIGUSR1) == 0);
    usleep(20000);
    CHECK(syscall(SYS_timer_delete, id) == 0);
    unblock(SIGUSR1);
    CHECK(count == 2);
}

ROWS(a_timer_that_is_off_has_no_interval, "F7") {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int id = -1;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0 && settime(id, 0, 0, 5000000000, NULL) == 0);
    struct itimerspec left;
    CHECK(syscall(SYS_timer_gettime, id, &left) == 0 && ns_of(left.it_interval) == 0 && ns_of(left.it_value) == 0);
}
