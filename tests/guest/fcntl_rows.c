// fcntl: who is told that something can be read or written, and how much a pipe holds.
#include "rows.h"

#include <poll.h>
#include <sys/ioctl.h>

// <fcntl.h> has them in part.
enum { kGetOwnerUids = 17, kSetPipeSz = 1031, kGetPipeSz = 1032 };
struct owner {
    int type;
    pid_t pid;
};
enum { kTid, kPid, kPgrp };

ROWS(owners, "F10") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const int fd = ends[0];
    CHECK(fcntl(fd, F_GETOWN) == 0 && fcntl(fd, F_GETSIG) == 0);
    CHECK(fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_GETOWN) == getpid());
    struct owner owner = {9, 9};
    CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == kPid && owner.pid == getpid());
    CHECK(setpgid(0, 0) == 0 && syscall(SYS_fcntl, fd, F_SETOWN, -getpid()) == 0);
    CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == kPgrp && owner.pid == getpid());
    owner = (struct owner){kTid, (pid_t)syscall(SYS_gettid)};
    CHECK(fcntl(fd, F_SETOWN_EX, &owner) == 0);
    owner.type = 9;
    CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == kTid);
    owner.type = 7;
    CHECK_ERROR(fcntl(fd, F_SETOWN_EX, &owner), EINVAL);
    CHECK_ERROR(fcntl(fd, F_SETOWN_EX, opaque(4096)), EFAULT);
    CHECK_ERROR(fcntl(fd, F_SETOWN, 0x7ffffff0), ESRCH);
    CHECK_ERROR(syscall(SYS_fcntl, fd, F_SETOWN, INT32_MIN), EINVAL);
    CHECK(fcntl(fd, F_SETOWN, 0) == 0 && fcntl(fd, F_GETOWN) == 0);
    CHECK(fcntl(fd, F_SETSIG, SIGRTMIN) == 0 && fcntl(fd, F_GETSIG) == SIGRTMIN);
    CHECK_ERROR(fcntl(fd, F_SETSIG, 65), EINVAL);
    uint32_t uids[2] = {9, 9};
    CHECK(fcntl(fd, kGetOwnerUids, uids) == 0 && uids[0] == getuid() && uids[1] == geteuid());
    // One that is gone is nobody.
    const pid_t child = IN_CHILD({ pause(); });
    CHECK(fcntl(fd, F_SETOWN, child) == 0 && fcntl(fd, F_GETOWN) == child);
    CHECK(kill(child, SIGKILL) == 0);
    wait_status(child);
    CHECK(fcntl(fd, F_GETOWN) == 0);
    const int path = open("/", O_PATH);
    CHECK_ERROR(fcntl(path, F_GETOWN), EBADF);
}

static int take(int sig, siginfo_t* info) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    const struct timespec soon = {0, 200000000}, *wait = &soon;
    return sigtimedwait(&set, info, wait);
}
static void block(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

ROWS(told_of_a_pipe, "F10") {
    block(SIGIO);
    block(SIGRTMIN);
    int ends[2];
    siginfo_t info;
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[0], F_SETFL, O_ASYNC) == 0 && (fcntl(ends[0], F_GETFL) & O_ASYNC) != 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK_ERROR(take(SIGIO, &info), EAGAIN);  // there is no owner
    CHECK(fcntl(ends[0], F_SETOWN, getpid()) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(take(SIGIO, &info) == SIGIO && info.si_code == SI_KERNEL);
    CHECK(fcntl(ends[0], F_SETSIG, SIGRTMIN) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(take(SIGRTMIN, &info) == SIGRTMIN && info.si_code == POLL_IN && info.si_fd == ends[0]);
    CHECK(info.si_band == (POLLIN | POLLRDNORM));
    CHECK(fcntl(ends[0], F_SETFL, 0) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK_ERROR(take(SIGRTMIN, &info), EAGAIN);
    // The other end, by ioctl, for a child.
    int on = 1;
    CHECK(ioctl(ends[1], FIOASYNC, &on) == 0 && (fcntl(ends[1], F_GETFL) & O_ASYNC) != 0);
    const pid_t child = IN_CHILD({ CHECK(take(SIGIO, &info) == SIGIO); });
    CHECK(fcntl(ends[1], F_SETOWN, child) == 0);
    char byte;
    CHECK(read(ends[0], &byte, 1) == 1);
    wait_exit(child, 0);
    const int null = open("/proc/self/maps", O_RDONLY);
    CHECK_ERROR(ioctl(null, FIOASYNC, &on), ENOTTY);
}

// A terminal's owner is the foreground, or who asks; what somebody set stays.
GUEST_ROWS(told_of_a_terminal, "-") {
    const int fd = open("/dev/console", O_RDONLY | O_NOCTTY);
    CHECK(fd >= 0 && fcntl(fd, F_GETOWN) == 0);
    CHECK(fcntl(fd, F_SETFL, O_ASYNC) == 0 && fcntl(fd, F_GETOWN) == getpid());
    CHECK(fcntl(fd, F_SETFL, 0) == 0 && fcntl(fd, F_SETOWN, getppid()) == 0);
    CHECK(fcntl(fd, F_SETFL, O_ASYNC) == 0 && fcntl(fd, F_GETOWN) == getppid());
}

static long fill(int fd) {
    static char page[PAGE];
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    long total = 0;
    for (ssize_t n; (n = write(fd, page, sizeof(page))) > 0;) total += n;
    return total;
}
ROWS(size_of_a_pipe, "F10") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[0], kGetPipeSz) == 16 * PAGE);
    CHECK(fcntl(ends[1], kSetPipeSz, 1) == PAGE && fcntl(ends[0], kGetPipeSz) == PAGE);
    CHECK(fcntl(ends[1], kSetPipeSz, 3 * PAGE) == 4 * PAGE);
    CHECK(fill(ends[1]) == 4 * PAGE);
    CHECK_ERROR(fcntl(ends[1], kSetPipeSz, PAGE), EBUSY);
    CHECK(fcntl(ends[1], kSetPipeSz, 8 * PAGE) == 8 * PAGE);
    CHECK(fill(ends[1]) == 4 * PAGE);
    CHECK(fcntl(ends[1], kSetPipeSz, 0) == -1 && errno == EBUSY);
    CHECK_ERROR(fcntl(ends[1], kSetPipeSz, 0x80000001u), EINVAL);
    const int file = open("/proc/self/exe", O_RDONLY);
    CHECK_ERROR(fcntl(file, kGetPipeSz), EBADF);
    CHECK_ERROR(fcntl(file, kSetPipeSz, PAGE), EBADF);
    // Root of the host may have lost CAP_SYS_RESOURCE.
    CHECK(fcntl(ends[0], kSetPipeSz, 2 << 20) == 2 << 20 || (!on_guest() && errno == EPERM));
    CHECK(setresuid(1000, 1000, 1000) == 0);
    int own[2];
    CHECK(pipe(own) == 0);
    CHECK(fcntl(own[0], kSetPipeSz, 1 << 20) == 1 << 20);
    CHECK_ERROR(fcntl(own[0], kSetPipeSz, 2 << 20), EPERM);
}

// The limit that root sets, on the guest alone: on the host it is everybody's.
static void set_limit(const char* text) {
    const int fd = open("/proc/sys/fs/pipe-max-size", O_WRONLY);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
GUEST_ROWS(limit_of_all_pipes, "-") {
    int ends[2];
    set_limit("10000\n");
    wait_exit(IN_CHILD({
                  CHECK(pipe(ends) == 0 && fcntl(ends[0], kGetPipeSz) == 16 * PAGE);
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  CHECK_ERROR(fcntl(ends[0], kSetPipeSz, 32 * PAGE), EPERM);
                  CHECK(fcntl(ends[0], kSetPipeSz, 8 * PAGE) == 8 * PAGE);
                  CHECK(pipe(ends) == 0 && fcntl(ends[0], kGetPipeSz) == 4 * PAGE);
              }),
              0);
    set_limit("1048576\n");
}

// What is in it stays, however its pages lie.
static unsigned char next_in, next_out;
static void put(int fd, int bytes) {
    while (bytes-- > 0) {
        CHECK(write(fd, &next_in, 1) == 1);
        ++next_in;
    }
}
static void get(int fd, int bytes) {
    while (bytes-- > 0) {
        unsigned char byte;
        CHECK(read(fd, &byte, 1) == 1 && byte == next_out);
        ++next_out;
    }
}
ROWS(contents_stay, "F10") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[0], kSetPipeSz, 2 * PAGE) == 2 * PAGE);
    put(ends[1], PAGE + 100);
    get(ends[0], 700);
    // A ring of bytes is full then, its newest ones in front of its oldest; on the host pages count.
    put(ends[1], on_guest() ? PAGE + 600 : PAGE - 100);
    CHECK(fcntl(ends[0], kSetPipeSz, 4 * PAGE) == 4 * PAGE);
    put(ends[1], 500);
    get(ends[0], PAGE + 50);
    CHECK(fcntl(ends[0], kSetPipeSz, 2 * PAGE) == 2 * PAGE || errno == EBUSY);
    int left;
    CHECK(ioctl(ends[0], FIONREAD, &left) == 0);
    get(ends[0], left);
    CHECK(next_out == next_in);
}
