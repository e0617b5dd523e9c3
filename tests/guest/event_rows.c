// Descriptors that tell of events: eventfd, signalfd, timerfd.
#include "rows.h"

#include <poll.h>
#include <sys/eventfd.h>

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
