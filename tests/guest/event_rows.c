// Descriptors that tell of events: eventfd, signalfd, timerfd.
#include "rows.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static int poll_now(int fd, short events) {
    struct pollfd one = {fd, events, 0};
    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

ROWS(eventfd_counts, "F10") {
    const int fd = eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    uint64_t value = 4;
    CHECK(poll_now(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
    CHECK(write(fd, &value, 8) == 8);
    CHECK(read(fd, &value, 8) == 8 && value == 7);
    CHECK(poll_now(fd, POLLIN | POLLOUT) == POLLOUT);
    CHECK_ERROR(read(fd, &value, 8), EAGAIN);
    CHECK_ERROR(read(fd, &value, 7), EINVAL);
    value = UINT64_MAX;
    CHECK_ERROR(write(fd, &value, 8), EINVAL);
    value = UINT64_MAX - 1;
    CHECK(write(fd, &value, 8) == 8);
    CHECK(poll_now(fd, POLLIN | POLLOUT) == POLLIN);
    value = 1;
    CHECK_ERROR(write(fd, &value, 8), EAGAIN);
    CHECK_ERROR(syscall(SYS_eventfd2, 0, 0x40000000), EINVAL);
}

ROWS(eventfd_semaphore_across_fork, "F10") {
    const int fd = eventfd(0, EFD_SEMAPHORE);
    CHECK(fd >= 0);
    uint64_t value = 0;
    const pid_t pid = IN_CHILD({
        const uint64_t two = 2;
        usleep(20000);
        CHECK(write(fd, &two, 8) == 8);
    });
    CHECK(read(fd, &value, 8) == 8 && value == 1);
    CHECK(read(fd, &value, 8) == 8 && value == 1);
    wait_exit(pid, 0);
}

static int make_signalfd(int sig, int flags) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    const int fd = signalfd(-1, &set, flags);
    CHECK(fd >= 0);
    return fd;
}

ROWS(signalfd_reads_signals, "F5") {
    const int fd = make_signalfd(SIGUSR1, SFD_NONBLOCK | SFD_CLOEXEC);
    struct signalfd_siginfo record[2];
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && poll_now(fd, POLLIN) == 0);
    CHECK_ERROR(read(fd, record, sizeof(record)), EAGAIN);
    CHECK_ERROR(read(fd, record, sizeof(record[0]) - 1), EINVAL);
    CHECK(kill(getpid(), SIGUSR1) == 0 && poll_now(fd, POLLIN) == POLLIN);
    CHECK(read(fd, record, sizeof(record)) == sizeof(record[0]));
    CHECK(record[0].ssi_signo == SIGUSR1 && record[0].ssi_code == SI_USER);
    CHECK(record[0].ssi_pid == (uint32_t)getpid() && record[0].ssi_uid == getuid());
    CHECK(poll_now(fd, POLLIN) == 0);
    sigset_t set;
    sigemptyset(&set);
    CHECK_ERROR(signalfd(0, &set, 0), EINVAL);
    CHECK_ERROR(signalfd(999, &set, 0), EBADF);
    CHECK_ERROR(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
    // Another set: the old signal is not read any more.
    CHECK(kill(getpid(), SIGUSR1) == 0 && signalfd(fd, &set, 0) == fd && poll_now(fd, POLLIN) == 0);
}

ROWS(signalfd_waits, "F14") {
    const int fd = make_signalfd(SIGCHLD, 0);
    const pid_t pid = IN_CHILD({
        usleep(20000);
        _exit(7);
    });
    struct pollfd one = {fd, POLLIN, 0};
    CHECK(poll(&one, 1, 10000) == 1);
    struct signalfd_siginfo record;
    CHECK(read(fd, &record, sizeof(record)) == sizeof(record));
    CHECK(record.ssi_signo == SIGCHLD && record.ssi_code == CLD_EXITED && record.ssi_status == 7);
    CHECK(record.ssi_pid == (uint32_t)pid);
    wait_exit(pid, 7);
}

ROWS(signalfd_queues_values, "F5") {
    const int fd = make_signalfd(SIGRTMIN + 1, 0);
    for (int i = 0; i < 3; ++i) CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 40 + i}) == 0);
    struct signalfd_siginfo record[4];
    CHECK(read(fd, record, sizeof(record)) == (ssize_t)(3 * sizeof(record[0])));
    for (int i = 0; i < 3; ++i) CHECK(record[i].ssi_int == 40 + i && record[i].ssi_code == SI_QUEUE);
}

static void set_timer(int fd, int64_t value_ns, int64_t interval_ns, int flags) {
    const struct itimerspec wanted = {{interval_ns / 1000000000, interval_ns % 1000000000},
                                      {value_ns / 1000000000, value_ns % 1000000000}};
    CHECK(timerfd_settime(fd, flags, &wanted, NULL) == 0);
}

ROWS(timerfd_counts, "F10") {
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(fd >= 0);
    uint64_t ticks = 0;
    CHECK_ERROR(read(fd, &ticks, 8), EAGAIN);
    CHECK(poll_now(fd, POLLIN) == 0);
    set_timer(fd, 10000000, 10000000, 0);
    struct pollfd one = {fd, POLLIN, 0};
    CHECK(poll(&one, 1, 10000) == 1 && one.revents == POLLIN);
    usleep(100000);
    CHECK_ERROR(read(fd, &ticks, 7), EINVAL);
    CHECK(read(fd, &ticks, 8) == 8 && ticks >= 5);
    struct itimerspec left;
    CHECK(timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_nsec == 10000000 && left.it_value.tv_nsec > 0);
    set_timer(fd, 0, 0, 0);
    CHECK(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_nsec == 0);
    CHECK_ERROR(read(fd, &ticks, 8), EAGAIN);
    CHECK_ERROR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    CHECK_ERROR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    CHECK_ERROR(timerfd_gettime(0, &left), EINVAL);
    CHECK_ERROR(timerfd_gettime(999, &left), EBADF);
    left.it_value.tv_nsec = 1000000000;
    CHECK_ERROR(timerfd_settime(fd, 0, &left, NULL), EINVAL);
    CHECK_ERROR(timerfd_settime(fd, 8, &left, NULL), EINVAL);
}

ROWS(timerfd_absolute_and_inherited, "F10") {
    const int fd = timerfd_create(CLOCK_REALTIME, 0);
    CHECK(fd >= 0);
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    set_timer(fd, now.tv_sec * 1000000000LL + now.tv_nsec + 30000000, 0, TFD_TIMER_ABSTIME);
    // A child has the same timer by its descriptor.
    const pid_t pid = IN_CHILD({
        uint64_t ticks = 0;
        CHECK(read(fd, &ticks, 8) == 8 && ticks == 1);
    });
    wait_exit(pid, 0);
    set_timer(fd, 1, 0, TFD_TIMER_ABSTIME);
    uint64_t ticks = 0;
    CHECK(read(fd, &ticks, 8) == 8 && ticks == 1);
}

// On the host the clock stays as it is.
GUEST_ROWS(timerfd_hears_of_a_set_clock, "F10") {
    const int fd = timerfd_create(CLOCK_REALTIME, 0);
    struct timespec now;
    CHECK(fd >= 0 && clock_gettime(CLOCK_REALTIME, &now) == 0);
    set_timer(fd, (now.tv_sec + 1000) * 1000000000LL, 0, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    now.tv_sec += 10;
    CHECK(clock_settime(CLOCK_REALTIME, &now) == 0 && poll_now(fd, POLLIN) == POLLIN);
    uint64_t ticks = 0;
    CHECK_ERROR(read(fd, &ticks, 8), ECANCELED);
    CHECK(poll_now(fd, POLLIN) == 0);
}
