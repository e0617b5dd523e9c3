// epoll by several threads and processes at once: who is woken, what goes away meanwhile, what it leaves behind.
#include "rows.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

static int new_epoll(void) {
    const int ep = epoll_create1(0);
    CHECK(ep >= 0);
    return ep;
}

static int new_event(void) {
    const int fd = eventfd(0, EFD_NONBLOCK);
    CHECK(fd >= 0);
    return fd;
}

static int try_add(int ep, int fd, uint32_t events) {
    struct epoll_event event = {events, {.fd = fd}};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}

static void add(int ep, int fd, uint32_t events) { CHECK(try_add(ep, fd, events) == 0); }

static void post(int fd) {
    const uint64_t one = 1;
    CHECK(write(fd, &one, 8) == 8);
}

struct waiter {
    pthread_t thread;
    int ep, count, timeout;
    uint32_t events;
};

static void* wait_once(void* argument) {
    struct waiter* waiter = argument;
    struct epoll_event event = {0};
    waiter->count = epoll_wait(waiter->ep, &event, 1, waiter->timeout);
    waiter->events = event.events;
    return NULL;
}

static void start(struct waiter* waiter, int ep, int timeout) {
    *waiter = (struct waiter){.ep = ep, .timeout = timeout};
    CHECK(pthread_create(&waiter->thread, NULL, wait_once, waiter) == 0);
}

// How many of them got an event.
static int finish(struct waiter* waiters, int count) {
    int got = 0;
    for (int i = 0; i < count; ++i) {
        CHECK(pthread_join(waiters[i].thread, NULL) == 0 && waiters[i].count >= 0);
        got += waiters[i].count;
    }
    return got;
}

ROWS(epoll_wakes_one_or_all, "F10") {
    struct waiter waiters[3];
    for (int level = 0; level < 2; ++level) {
        const int ep = new_epoll(), fd = new_event();
        add(ep, fd, level ? EPOLLIN : EPOLLIN | EPOLLET);
        for (int i = 0; i < 3; ++i) start(&waiters[i], ep, level ? 10000 : 400);
        usleep(100000);
        post(fd);
        CHECK(finish(waiters, 3) == (level ? 3 : 1));
    }
}

ROWS(epoll_hears_of_what_comes_later, "F10") {
    struct waiter waiter;
    const int ep = new_epoll(), fd = new_event(), quiet = new_event();
    post(fd);
    start(&waiter, ep, 10000);
    usleep(50000);
    add(ep, fd, EPOLLIN);
    CHECK(finish(&waiter, 1) == 1 && waiter.events == EPOLLIN);
    // So does one that waits while an item changes.
    struct epoll_event event = {0, {.fd = fd}};
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event) == 0);
    start(&waiter, ep, 10000);
    usleep(50000);
    event.events = EPOLLOUT;
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event) == 0 && finish(&waiter, 1) == 1 && waiter.events == EPOLLOUT);
    // Closing the epoll does not end a wait in it.
    const int other = new_epoll();
    add(other, quiet, EPOLLIN);
    start(&waiter, other, 10000);
    usleep(50000);
    CHECK(close(other) == 0);
    post(quiet);
    CHECK(finish(&waiter, 1) == 1);
}

ROWS(epoll_exclusive, "F10") {
    const int fd = new_event();
    int eps[3], told = 0;
    struct epoll_event event = {EPOLLIN, {.fd = fd}};
    for (int i = 0; i < 3; ++i) add(eps[i] = new_epoll(), fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
    CHECK_ERROR(epoll_ctl(eps[0], EPOLL_CTL_MOD, fd, &event), EINVAL);
    event.events |= EPOLLEXCLUSIVE;
    CHECK_ERROR(epoll_ctl(eps[0], EPOLL_CTL_MOD, fd, &event), EINVAL);
    CHECK_ERROR(try_add(eps[0], new_event(), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
    struct waiter waiters[3];
    for (int i = 0; i < 3; ++i) start(&waiters[i], eps[i], 300);
    usleep(100000);
    post(fd);
    told = finish(waiters, 3);
    CHECK(told >= 1 && (!on_guest() || told == 1));
}

// A child adds its signalfd, in whose handlers the wait is, and ends: the descriptor lives on here.
ROWS(epoll_outlives_a_childs_signals, "F10,F5") {
    const int ep = new_epoll();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    const int fd = signalfd(-1, &set, 0);
    CHECK(fd >= 0);
    struct epoll_event event;
    wait_exit(IN_CHILD({
        add(ep, fd, EPOLLIN);
        CHECK(kill(getpid(), SIGUSR1) == 0 && epoll_wait(ep, &event, 1, 1000) == 1);
    }), 0);
    wait_exit(IN_CHILD(usleep(1000)), 0);
    CHECK(epoll_wait(ep, &event, 1, 0) == 0 && epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL) == 0);
    add(ep, fd, EPOLLIN);
    CHECK(kill(getpid(), SIGUSR1) == 0 && epoll_wait(ep, &event, 1, 1000) == 1);
}

ROWS(epoll_in_fdinfo, "F10") {
    const int ep = new_epoll(), fd = new_event();
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0xabcdef}};
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
    char path[64], text[512], wanted[128];
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
    const int info = open(path, O_RDONLY);
    const ssize_t length = read(info, text, sizeof(text) - 1);
    CHECK(length > 0);
    text[length] = '\0';
    snprintf(wanted, sizeof(wanted), "tfd: %8d events: 80000019 data: %16x  pos:0 ino:", fd, 0xabcdef);
    CHECK(strstr(text, wanted) != NULL);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ep);
    const ssize_t link = readlink(path, text, sizeof(text));
    CHECK(link == (ssize_t)strlen("anon_inode:[eventpoll]") && memcmp(text, "anon_inode:[eventpoll]", (size_t)link) == 0);
}

// Threads that add, wake, close and wait at once.
static volatile bool stop;
static int shared_ep, shared_inner;

static void* keep_waiting(void* argument) {
    (void)argument;
    struct epoll_event events[4];
    while (!stop) {
        CHECK(epoll_wait(shared_ep, events, 4, 1) >= 0);
        struct pollfd one = {shared_inner, POLLIN, 0};
        CHECK(poll(&one, 1, 0) >= 0);
    }
    return NULL;
}

static void churn(int rounds) {
    for (int i = 0; i < rounds; ++i) {
        int s[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
        const int fd = new_event(), ep = new_epoll();
        add(shared_ep, s[0], EPOLLIN | (i % 2 ? EPOLLET : 0));
        add(shared_inner, fd, EPOLLIN);
        add(ep, fd, EPOLLIN);
        add(shared_ep, ep, EPOLLIN | EPOLLET);
        CHECK(write(s[1], "x", 1) == 1);
        post(fd);
        if (i % 3 == 0) CHECK(epoll_ctl(shared_ep, EPOLL_CTL_DEL, s[0], NULL) == 0);
        if (i % 4 == 0) sched_yield();
        close(i % 5 ? ep : fd);
        close(s[i % 2]);
        close(s[!(i % 2)]);
        close(i % 5 ? fd : ep);
    }
}

static void* keep_churning(void* argument) {
    (void)argument;
    churn(on_guest() ? 25 : 200);  // on one CPU the waiters take most of the time
    return NULL;
}

static void all_at_once(void) {
    pthread_t waiting[2], churning[2];
    stop = false;
    shared_ep = new_epoll();
    shared_inner = new_epoll();
    add(shared_ep, shared_inner, EPOLLIN);
    for (int i = 0; i < 2; ++i) {
        CHECK(pthread_create(&waiting[i], NULL, keep_waiting, NULL) == 0);
        CHECK(pthread_create(&churning[i], NULL, keep_churning, NULL) == 0);
    }
    for (int i = 0; i < 2; ++i) CHECK(pthread_join(churning[i], NULL) == 0);
    stop = true;
    for (int i = 0; i < 2; ++i) CHECK(pthread_join(waiting[i], NULL) == 0);
    // Nothing of what was closed is told of.
    struct epoll_event event;
    CHECK(epoll_wait(shared_ep, &event, 1, 0) == 0 && close(shared_inner) == 0 && close(shared_ep) == 0);
}

ROWS(epoll_all_at_once, "F10") { all_at_once(); }

// What a child gets whose nth allocation in the call fails: 0, or -1 for ENOMEM.
static int without_memory(int nth, int ep, int fd) {
    const pid_t pid = IN_CHILD({
        const int nth_fd = open("/proc/self/fail-nth", O_WRONLY);
        char text[16];
        const int length = snprintf(text, sizeof(text), "%d", nth);
        CHECK(nth_fd >= 0 && write(nth_fd, text, (size_t)length) == length);
        const int result = ep < 0 ? epoll_create1(0) : try_add(ep, fd, EPOLLIN);
        _exit(result >= 0 ? 0 : errno == ENOMEM ? 50 : 51);
    });
    const int status = wait_status(pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 50));
    return WEXITSTATUS(status) == 0 ? 0 : -1;
}

GUEST_ROWS(epoll_leaves_nothing, "F10,W10") {
    wait_exit(IN_CHILD(all_at_once()), 0);
    count_kernel();
    for (int i = 0; i < 3; ++i) wait_exit(IN_CHILD(all_at_once()), 0);
    // A child that is killed while it waits, with items of every kind.
    const pid_t pid = IN_CHILD({
        const int ep = new_epoll();
        const int inner = new_epoll();
        add(ep, inner, EPOLLIN);
        add(inner, new_event(), EPOLLIN);
        add(ep, new_event(), EPOLLIN | EPOLLEXCLUSIVE);
        struct epoll_event event;
        epoll_wait(ep, &event, 1, -1);
    });
    usleep(30000);
    CHECK(kill(pid, SIGKILL) == 0 && WIFSIGNALED(wait_status(pid)));
    // Without memory nothing is begun.
    for (int nth = 1; nth < 8; ++nth) {
        const int ep = new_epoll(), fd = new_event();
        const int made = without_memory(nth, ep, fd);
        CHECK(nth != 1 || made == -1);
        CHECK(nth != 7 || made == 0);
        struct epoll_event event;
        post(fd);
        CHECK(epoll_wait(ep, &event, 1, 0) == (made == 0) && close(fd) == 0 && close(ep) == 0);
        const int created = without_memory(nth, -1, -1);
        CHECK(nth != 1 || created == -1);
    }
    expect_counts("after watching, waiting and failing");
}
