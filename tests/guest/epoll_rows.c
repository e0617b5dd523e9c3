// epoll: descriptors that watch others, and stay what they are across dup, fork and close.
#include "rows.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static const uint64_t kMark = 0x1234567800000000;

static int new_epoll(void) {
    const int ep = epoll_create1(EPOLL_CLOEXEC);
    CHECK(ep >= 0);
    return ep;
}

static int ctl(int ep, int op, int fd, uint32_t events) {
    struct epoll_event event = {events, {.u64 = kMark + (unsigned)fd}};
    return epoll_ctl(ep, op, fd, &event);
}

static void add(int ep, int fd, uint32_t events) { CHECK(ctl(ep, EPOLL_CTL_ADD, fd, events) == 0); }

// The events of the one that is ready now; 0 if none is.
static uint32_t ready(int ep, int fd) {
    struct epoll_event events[8];
    const int count = epoll_wait(ep, events, 8, 0);
    CHECK(count == 0 || (count == 1 && events[0].data.u64 == kMark + (unsigned)fd));
    return count == 0 ? 0 : events[0].events;
}

static void put(int fd, const char* text) { CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text)); }

static void take(int fd, size_t bytes) {
    char text[64];
    CHECK(read(fd, text, bytes) == (ssize_t)bytes);
}

static int poll_now(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

ROWS(epoll_refuses, "F10") {
    const int ep = new_epoll();
    int p[2];
    struct epoll_event event;
    CHECK(pipe(p) == 0 && fcntl(ep, F_GETFD) == FD_CLOEXEC);
    // Past the C library, which has these by their newer sisters.
    CHECK_ERROR(syscall(SYS_epoll_create, 0), EINVAL);
    CHECK(close((int)syscall(SYS_epoll_create, 1)) == 0 && syscall(SYS_epoll_wait, ep, &event, 1, 0) == 0);
    CHECK_ERROR(epoll_create1(1), EINVAL);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN), ENOENT);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_DEL, p[0], 0), ENOENT);
    CHECK_ERROR(ctl(ep, 9, p[0], EPOLLIN), EINVAL);
    add(ep, p[0], EPOLLIN);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN), EEXIST);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF);
    CHECK_ERROR(ctl(999, EPOLL_CTL_ADD, p[1], EPOLLIN), EBADF);
    CHECK_ERROR(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN), EINVAL);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
    CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], NULL), EFAULT);
    CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL) == 0);
    const int root = open("/", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDWR);
    CHECK(root >= 0 && null >= 0);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, root, EPOLLIN), EPERM);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, null, EPOLLIN), EPERM);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_ADD, open("/", O_PATH), EPOLLIN), EBADF);
    CHECK_ERROR(epoll_wait(ep, &event, 0, 0), EINVAL);
    CHECK_ERROR(epoll_wait(ep, &event, -1, 0), EINVAL);
    CHECK_ERROR(epoll_wait(ep, &event, INT32_MAX / 12 + 1, 0), EINVAL);
    CHECK_ERROR(epoll_wait(999, &event, 1, 0), EBADF);
    CHECK_ERROR(epoll_wait(p[0], &event, 1, 0), EINVAL);
    CHECK_ERROR(epoll_wait(ep, opaque(~(uintptr_t)0xfff), 1, 0), EFAULT);
    // What could not be told is told later; more than that, what could be told is not lost.
    struct epoll_event* page = (struct epoll_event*)(map_pages(2, MAP_PRIVATE) + PAGE - sizeof(event));
    CHECK(mprotect(page + 1, PAGE, PROT_NONE) == 0);
    add(ep, p[0], EPOLLIN | EPOLLET);
    add(ep, p[1], EPOLLOUT | EPOLLET);
    put(p[1], "x");
    CHECK_ERROR(epoll_wait(ep, (void*)(page + 1), 1, 0), EFAULT);
    CHECK(epoll_wait(ep, page, 2, 0) == 1 && epoll_wait(ep, page, 2, 0) == 1 && epoll_wait(ep, page, 2, 0) == 0);
    char byte;
    CHECK_ERROR(read(ep, &byte, 1), EINVAL);
}

ROWS(epoll_level_edge_oneshot, "F10") {
    const int level = new_epoll(), edge = new_epoll(), once = new_epoll();
    int p[2];
    CHECK(pipe(p) == 0);
    add(level, p[0], EPOLLIN);
    add(edge, p[0], EPOLLIN | EPOLLET);
    add(once, p[0], EPOLLIN | EPOLLONESHOT);
    CHECK(ready(level, p[0]) == 0 && ready(edge, p[0]) == 0 && ready(once, p[0]) == 0);
    put(p[1], "abcd");
    for (int i = 0; i < 3; ++i) {
        CHECK(ready(level, p[0]) == EPOLLIN);
        CHECK(ready(edge, p[0]) == (i == 0 ? EPOLLIN : 0) && ready(once, p[0]) == (i == 0 ? EPOLLIN : 0));
    }
    take(p[0], 2);
    CHECK(ready(level, p[0]) == EPOLLIN && ready(edge, p[0]) == 0 && ready(once, p[0]) == 0);
    put(p[1], "e");
    CHECK(ready(edge, p[0]) == EPOLLIN && ready(once, p[0]) == 0);
    CHECK(ctl(once, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT) == 0 && ready(once, p[0]) == EPOLLIN);
    CHECK(ctl(edge, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET) == 0 && ready(edge, p[0]) == EPOLLIN);
    take(p[0], 3);
    CHECK(ready(level, p[0]) == 0);
    // The writer's side: full, and empty again.
    add(edge, p[1], EPOLLOUT | EPOLLET);
    CHECK(ready(edge, p[1]) == EPOLLOUT && ready(edge, p[1]) == 0);
    char* page = map_pages(16, MAP_PRIVATE);
    CHECK(write(p[1], page, 16 * PAGE) == 16 * PAGE && ctl(edge, EPOLL_CTL_DEL, p[0], 0) == 0);
    CHECK(ready(edge, p[1]) == 0 && read(p[0], page, 16 * PAGE) == 16 * PAGE && ready(edge, p[1]) == EPOLLOUT);
    put(p[1], "x");
    take(p[0], 1);
    CHECK(ready(edge, p[1]) == 0);
    // Hanging up is told unasked.
    CHECK(ctl(level, EPOLL_CTL_MOD, p[0], 0) == 0 && close(p[1]) == 0 && ready(level, p[0]) == EPOLLHUP);
}

ROWS(epoll_sockets_and_events, "F10") {
    const int ep = new_epoll(), fd = eventfd(0, EFD_NONBLOCK), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    int s[2];
    CHECK(fd >= 0 && timer >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    add(ep, s[0], EPOLLIN | EPOLLRDHUP | EPOLLET);
    put(s[1], "ab");
    CHECK(ready(ep, s[0]) == EPOLLIN && ready(ep, s[0]) == 0);
    take(s[0], 1);
    CHECK(ready(ep, s[0]) == 0);
    put(s[1], "c");
    CHECK(ready(ep, s[0]) == EPOLLIN && shutdown(s[1], SHUT_WR) == 0);
    CHECK(ready(ep, s[0]) == (EPOLLIN | EPOLLRDHUP) && ready(ep, s[0]) == 0);
    CHECK(close(s[1]) == 0 && ready(ep, s[0]) == (EPOLLIN | EPOLLRDHUP | EPOLLHUP) && close(s[0]) == 0);
    add(ep, fd, EPOLLIN | EPOLLET);
    for (uint64_t one = 1, i = 0; i < 2; ++i) CHECK(write(fd, &one, 8) == 8 && ready(ep, fd) == EPOLLIN);
    take(fd, 8);
    CHECK(ready(ep, fd) == 0);
    add(ep, timer, EPOLLIN);
    const struct itimerspec soon = {{0, 0}, {0, 20000000}};
    struct epoll_event events[2];
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0 && ready(ep, timer) == 0);
    CHECK(epoll_wait(ep, events, 2, 10000) == 1 && events[0].events == EPOLLIN && ready(ep, timer) == EPOLLIN);
}

ROWS(epoll_takes_turns, "F10") {
    const int ep = new_epoll();
    int fd[5], seen[5] = {0};
    for (int i = 0; i < 5; ++i) {
        struct epoll_event event = {EPOLLIN, {.u32 = (uint32_t)i}};
        CHECK((fd[i] = eventfd(1, 0)) >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &event) == 0);
    }
    struct epoll_event events[2];
    for (int round = 0; round < 5; ++round) {
        CHECK(epoll_wait(ep, events, 2, -1) == 2);
        for (int i = 0; i < 2; ++i) ++seen[events[i].data.u32];
    }
    for (int i = 0; i < 5; ++i) CHECK(seen[i] == 2);
}

static int64_t now_ns(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static volatile sig_atomic_t handled;
static void handle(int sig) { handled = sig; }

ROWS(epoll_times_out_and_is_interrupted, "F10,F5") {
    const int ep = new_epoll();
    struct epoll_event event;
    const int64_t start = now_ns();
    CHECK(epoll_wait(ep, &event, 1, 30) == 0 && now_ns() - start >= 30000000);
    struct timespec time = {0, 30000000};
    CHECK(syscall(SYS_epoll_pwait2, ep, &event, 1, &time, NULL, 0) == 0 && now_ns() - start >= 60000000);
    CHECK(time.tv_nsec == 30000000);
    time.tv_nsec = 1000000000;
    CHECK_ERROR(syscall(SYS_epoll_pwait2, ep, &event, 1, &time, NULL, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_epoll_pwait2, ep, &event, 1, 1, NULL, 0), EFAULT);
    // A signal ends it, whatever SA_RESTART says; the mask is the call's, and then the old one.
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigset_t set, none, old;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && epoll_wait(ep, &event, 1, 1) == 0 && handled == 0);
    CHECK_ERROR(epoll_pwait(ep, &event, 1, -1, &none), EINTR);
    CHECK(handled == SIGUSR1 && sigprocmask(SIG_BLOCK, NULL, &old) == 0 && sigismember(&old, SIGUSR1) == 1);
    CHECK_ERROR(syscall(SYS_epoll_pwait, ep, &event, 1, 0, &none, 4), EINVAL);
    CHECK_ERROR(syscall(SYS_epoll_pwait, ep, &event, 1, 0, 1, 8), EFAULT);
    // What is ready comes first: the signal stays pending.
    const int fd = eventfd(1, 0);
    add(ep, fd, EPOLLIN);
    handled = 0;
    CHECK(kill(getpid(), SIGUSR1) == 0 && epoll_pwait(ep, &event, 1, -1, &none) == 1 && handled == 0);
    CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0 && handled == SIGUSR1);
}

ROWS(epoll_nests, "F10") {
    const int inner = new_epoll(), outer = new_epoll(), edge = new_epoll(), fd = eventfd(0, 0);
    add(inner, fd, EPOLLIN);
    add(outer, inner, EPOLLIN);
    add(edge, inner, EPOLLIN | EPOLLET);
    CHECK(poll_now(outer) == 0 && ready(outer, inner) == 0);
    uint64_t one = 1;
    CHECK(write(fd, &one, 8) == 8);
    CHECK(poll_now(inner) == POLLIN && poll_now(outer) == POLLIN && ready(outer, inner) == EPOLLIN);
    CHECK(ready(edge, inner) == EPOLLIN && ready(edge, inner) == 0 && ready(inner, fd) == EPOLLIN);
    take(fd, 8);
    CHECK(poll_now(inner) == 0 && poll_now(outer) == 0 && ready(outer, inner) == 0);
    CHECK_ERROR(ctl(inner, EPOLL_CTL_ADD, outer, EPOLLIN), ELOOP);
    CHECK_ERROR(ctl(inner, EPOLL_CTL_ADD, new_epoll(), EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    // Somebody who waits for the outermost is woken by the innermost.
    const pid_t pid = IN_CHILD({
        usleep(20000);
        CHECK(write(fd, &one, 8) == 8);
    });
    struct epoll_event event;
    CHECK(epoll_wait(outer, &event, 1, 10000) == 1 && event.events == EPOLLIN);
    wait_exit(pid, 0);
    // Too deep: at the latest with the eighth (older kernels count otherwise).
    int chain = new_epoll(), depth = 1;
    for (int next; depth < 10; chain = next, ++depth) {
        next = new_epoll();
        if (ctl(next, EPOLL_CTL_ADD, chain, EPOLLIN) != 0) break;
    }
    CHECK(errno == ELOOP && depth >= 5 && depth < 8);
    CHECK(!on_guest() || depth == 5);
}

ROWS(epoll_forgets_what_is_closed, "F10") {
    const int ep = new_epoll(), fd = eventfd(1, 0), copy = dup(fd);
    CHECK(copy >= 0);
    add(ep, fd, EPOLLIN);
    add(ep, copy, EPOLLIN);  // another item
    struct epoll_event events[4];
    CHECK(epoll_wait(ep, events, 4, 0) == 2 && ctl(ep, EPOLL_CTL_DEL, copy, 0) == 0 && ready(ep, fd) == EPOLLIN);
    // Open by another name, it is still told of by its old one.
    CHECK(close(fd) == 0 && ready(ep, fd) == EPOLLIN);
    CHECK_ERROR(ctl(ep, EPOLL_CTL_DEL, fd, 0), EBADF);
    CHECK(close(copy) == 0 && ready(ep, fd) == 0);
    // Also in a child, which has the same epoll.
    const int other = eventfd(0, 0);
    add(ep, other, EPOLLIN);
    wait_exit(IN_CHILD({
        const uint64_t one = 1;
        CHECK(write(other, &one, 8) == 8 && close(other) == 0);
        const int mine = eventfd(1, 0);
        CHECK(mine == other && dup2(mine, 60) == 60);
        add(ep, 60, EPOLLIN);
    }), 0);
    CHECK(ready(ep, other) == EPOLLIN);  // the child's own has gone with it
    // Closed while it is watched by a closed one.
    const int outer = new_epoll();
    add(outer, ep, EPOLLIN);
    CHECK(poll_now(outer) == POLLIN && close(ep) == 0 && poll_now(outer) == 0 && close(other) == 0);
}
