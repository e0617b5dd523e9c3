// Pipes, FIFOs, poll and select: what is ready, who waits, who is told.
#include "rows.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>

enum { kCapacity = 65536 };

static volatile sig_atomic_t pipe_signals;
static void count_signal(int sig) {
    (void)sig;
    ++pipe_signals;
}

// Writes until the pipe is full; how many bytes went in.
static int fill(int fd) {
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    static char block[4096];
    int total = 0;
    ssize_t written;
    while ((written = write(fd, block, sizeof(block))) > 0) total += (int)written;
    CHECK(errno == EAGAIN);
    return total;
}

ROWS(a_pipe_carries_bytes, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0 && ends[1] == ends[0] + 1);
    CHECK(write(ends[1], "hello", 5) == 5);
    char buffer[10];
    CHECK(read(ends[0], buffer, 3) == 3 && read(ends[0], buffer + 3, 10 - 3) == 2);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    CHECK_ERROR(write(ends[0], "x", 1), EBADF);
    CHECK_ERROR(read(ends[1], buffer, 1), EBADF);
    int waiting;
    CHECK(write(ends[1], "abc", 3) == 3 && ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 3);
    CHECK(close(ends[1]) == 0);
    CHECK(read(ends[0], buffer, 10) == 3 && read(ends[0], buffer, 10) == 0);
    CHECK_ERROR((long)syscall(SYS_pipe2, ends, 1), EINVAL);
    CHECK_ERROR((long)syscall(SYS_pipe, 1), EFAULT);
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    CHECK(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && (fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
    CHECK_ERROR(read(ends[0], buffer, 1), EAGAIN);
    struct stat stat;
    CHECK(fstat(ends[0], &stat) == 0 && S_ISFIFO(stat.st_mode));
}

ROWS(a_pipe_holds_64_kib, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0 && fill(ends[1]) == kCapacity);
    CHECK_ERROR(write(ends[1], "x", 1), EAGAIN);
}

ROWS(without_readers_a_write_is_an_error, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    signal(SIGPIPE, count_signal);
    CHECK_ERROR(write(ends[1], "x", 1), EPIPE);
    CHECK(pipe_signals == 1);
    const pid_t child = IN_CHILD({
        signal(SIGPIPE, SIG_DFL);
        CHECK(write(ends[1], "x", 1) == 0);
    });
    const int status = wait_status(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

ROWS(large_transfers_between_processes, "-") {
    enum { kBytes = 1 << 20 };
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t writer = IN_CHILD({
        close(ends[0]);
        static unsigned char out[kBytes];
        for (int i = 0; i < kBytes; ++i) out[i] = (unsigned char)(i * 7 + i / 256);
        CHECK(write(ends[1], out, kBytes) == kBytes);
    });
    close(ends[1]);
    static unsigned char in[kBytes];
    int total = 0;
    for (;;) {
        const ssize_t got = read(ends[0], in + total, (size_t)(total % 5000 + 1));
        CHECK(got >= 0);
        if (got == 0) break;
        total += (int)got;
        if (total == kBytes) break;
    }
    CHECK(total == kBytes);
    for (int i = 0; i < kBytes; ++i) CHECK(in[i] == (unsigned char)(i * 7 + i / 256));
    wait_exit(writer, 0);
}

// Several writers of short records: none is torn (PIPE_BUF).
ROWS(short_writes_are_whole, "-") {
    enum { kWriters = 4, kRecords = 200, kSize = 1000 };
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t writers[kWriters];
    for (int w = 0; w < kWriters; ++w) {
        writers[w] = IN_CHILD({
            char record[kSize];
            memset(record, 'a' + w, kSize);
            for (int i = 0; i < kRecords; ++i) CHECK(write(ends[1], record, kSize) == kSize);
        });
    }
    close(ends[1]);
    char record[kSize];
    int records = 0;
    for (;;) {
        int have = 0;
        ssize_t got = 1;
        while (have < kSize && (got = read(ends[0], record + have, (size_t)(kSize - have))) > 0)
            have += (int)got;
        if (have == 0) break;
        CHECK(have == kSize);
        for (int i = 1; i < kSize; ++i) CHECK(record[i] == record[0]);
        ++records;
    }
    CHECK(records == kWriters * kRecords);
    for (int w = 0; w < kWriters; ++w) wait_exit(writers[w], 0);
}

ROWS(a_signal_interrupts_a_read, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct sigaction action = {.sa_handler = count_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    const pid_t parent = getpid();
    const pid_t child = IN_CHILD({
        usleep(50000);
        CHECK(kill(parent, SIGUSR1) == 0);
        usleep(50000);
        CHECK(write(ends[1], "x", 1) == 1);
    });
    char byte;
    CHECK_ERROR(read(ends[0], &byte, 1), EINTR);
    CHECK(read(ends[0], &byte, 1) == 1);
    wait_exit(child, 0);
}

ROWS(poll_tells_what_is_ready, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd fds[4] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 7}, {77, POLLIN, 0}};
    CHECK(poll(fds, 1, 0) == 0 && fds[0].revents == 0);
    CHECK(poll(fds, 2, -1) == 1 && fds[1].revents == POLLOUT);
    CHECK(poll(fds, 4, 0) == 2 && fds[2].revents == 0 && fds[3].revents == POLLNVAL);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(poll(fds, 1, -1) == 1 && fds[0].revents == POLLIN);
    close(ends[1]);
    CHECK(poll(fds, 1, -1) == 1 && fds[0].revents == (POLLIN | POLLHUP));
    CHECK(pipe(ends) == 0);
    close(ends[0]);
    fds[0].fd = ends[1];
    fds[0].events = POLLOUT;
    CHECK(poll(fds, 1, 0) == 1 && (fds[0].revents & POLLERR) != 0);
    fds[0].fd = open("/dev/null", O_RDWR);
    fds[0].events = POLLIN | POLLOUT;
    CHECK(poll(fds, 1, -1) == 1 && fds[0].revents == (POLLIN | POLLOUT));
    CHECK_ERROR(poll(opaque(8), 1, 0), EFAULT);
    CHECK_ERROR(poll(fds, 1 << 30, 0), EINVAL);
}

static double seconds(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

ROWS(poll_waits_and_is_woken, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd fd = {ends[0], POLLIN, 0};
    const double begin = seconds();
    CHECK(poll(&fd, 1, 60) == 0);
    CHECK(seconds() - begin >= 0.06);
    const pid_t child = IN_CHILD({
        usleep(30000);
        CHECK(write(ends[1], "x", 1) == 1);
    });
    CHECK(poll(&fd, 1, -1) == 1 && fd.revents == POLLIN);
    wait_exit(child, 0);
    char byte;
    CHECK(read(ends[0], &byte, 1) == 1);
    signal(SIGUSR1, count_signal);
    const pid_t parent = getpid();
    const pid_t killer = IN_CHILD({
        usleep(30000);
        CHECK(kill(parent, SIGUSR1) == 0);
    });
    CHECK_ERROR(poll(&fd, 1, -1), EINTR);
    wait_exit(killer, 0);
}

// A signal that is blocked outside and let through inside: no race between the two.
ROWS(ppoll_swaps_the_mask, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd fd = {ends[0], POLLIN, 0};
    struct sigaction action = {.sa_handler = count_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    sigset_t blocked, none, now;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigprocmask(SIG_SETMASK, &blocked, NULL) == 0 && raise(SIGUSR1) == 0 && pipe_signals == 0);
    CHECK_ERROR(ppoll(&fd, 1, NULL, &none), EINTR);
    CHECK(pipe_signals == 1);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGUSR1) == 1);
    struct timespec wrong = {0, -1};
    CHECK_ERROR((long)syscall(SYS_ppoll, &fd, 1, &wrong, NULL, 0), EINVAL);
    CHECK_ERROR((long)syscall(SYS_ppoll, &fd, 1, NULL, &none, 4), EINVAL);
}

ROWS(select_tells_what_is_ready, "-") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    CHECK(select(ends[1] + 1, &in, &out, NULL, NULL) == 1);
    CHECK(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out));
    FD_SET(ends[0], &in);
    struct timeval time = {0, 20000};
    CHECK(select(ends[1] + 1, &in, NULL, NULL, &time) == 0 && !FD_ISSET(ends[0], &in));
    CHECK(write(ends[1], "x", 1) == 1);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    CHECK(select(ends[1] + 1, &in, &out, NULL, NULL) == 2);
    FD_ZERO(&in);
    FD_SET(60, &in);
    CHECK_ERROR(select(61, &in, NULL, NULL, NULL), EBADF);
    CHECK_ERROR(select(-1, NULL, NULL, NULL, NULL), EINVAL);
    time.tv_usec = -1;
    CHECK_ERROR((long)syscall(SYS_select, 0, NULL, NULL, NULL, &time), EINVAL);
    time.tv_usec = 1000;
    CHECK(select(0, NULL, NULL, NULL, &time) == 0);
}

ROWS(fifos_meet, "-") {
    CHECK(chdir(scratch_directory()) == 0);
    CHECK(mkfifo("fifo", 0600) == 0);
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    const pid_t writer = IN_CHILD({
        const int fd = open("fifo", O_WRONLY);
        CHECK(fd >= 0 && write(fd, "met", 3) == 3);
    });
    const int fd = open("fifo", O_RDONLY);
    char buffer[10];
    CHECK(fd >= 0 && read(fd, buffer, 10) == 3 && read(fd, buffer, 10) == 0);
    wait_exit(writer, 0);
    const int patient = open("fifo", O_RDONLY | O_NONBLOCK);
    CHECK(patient >= 0 && open("fifo", O_WRONLY | O_NONBLOCK) >= 0);
    CHECK_ERROR(read(patient, buffer, 1), EAGAIN);
}

ROWS(memory_devices, "-") {
    char buffer[8] = "xxxxxxx";
    const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
              full = open("/dev/full", O_RDWR);
    CHECK(write(null, buffer, 8) == 8 && read(null, buffer, 8) == 0);
    CHECK(read(zero, buffer, 8) == 8 && memcmp(buffer, "\0\0\0\0\0\0\0\0", 8) == 0);
    CHECK_ERROR(write(full, buffer, 8), ENOSPC);
    CHECK(read(open("/dev/urandom", O_RDONLY), buffer, 8) == 8);
    char* private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    char* shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
    CHECK(private != MAP_FAILED && shared != MAP_FAILED && private[5] == 0 && shared[5] == 0);
    const pid_t child = IN_CHILD(private[5] = shared[5] = 1);
    wait_exit(child, 0);
    CHECK(private[5] == 0 && shared[5] == 1);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0), ENODEV);
    CHECK_ERROR(ioctl(null, TIOCGWINSZ, buffer), ENOTTY);
    CHECK(!isatty(null) && errno == ENOTTY);
}
