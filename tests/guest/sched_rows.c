// Scheduling policies, nice values, I/O priorities.
#include "rows.h"

#include <time.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

// musl's own sched_* functions only say ENOSYS.
static int set_scheduler(pid_t pid, int policy, int priority) {
    return (int)syscall(SYS_sched_setscheduler, pid, policy, &priority);
}
static int get_scheduler(pid_t pid) { return (int)syscall(SYS_sched_getscheduler, pid); }
static int get_priority_of(pid_t pid) {
    int priority = -1;
    CHECK(syscall(SYS_sched_getparam, pid, &priority) == 0);
    return priority;
}
static int nice_now(void) {
    errno = 0;
    const int value = getpriority(PRIO_PROCESS, 0);
    CHECK(errno == 0);
    return value;
}
static void become_nobody(void) { CHECK(setuid(12345) == 0); }

ROWS(nice_is_inherited, "F12") {
    // Whoever runs this may be nice.
    CHECK(setpriority(PRIO_PROCESS, 0, 0) == 0);
    CHECK(nice_now() == 0 && setpriority(PRIO_PROCESS, 0, 7) == 0 && nice_now() == 7);
    wait_exit(IN_CHILD(CHECK(nice_now() == 7)), 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && nice_now() == 19);
    CHECK(setpriority(PRIO_PROCESS, 0, -100) == 0 && nice_now() == -20);
    CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0 && nice(2) == 5 && nice_now() == 5);
    CHECK_ERROR(setpriority(9, 0, 0), EINVAL);
    CHECK_ERROR(getpriority(9, 0), EINVAL);
    CHECK_ERROR(setpriority(PRIO_PROCESS, 99999999, 0), ESRCH);
    CHECK_ERROR(getpriority(PRIO_PROCESS, 99999999), ESRCH);
}

ROWS(nice_of_groups, "F12") {
    CHECK(setpriority(PRIO_PROCESS, 0, 0) == 0);
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    CHECK(setpgid(pid, pid) == 0 && setpriority(PRIO_PGRP, pid, 9) == 0);
    CHECK(getpriority(PRIO_PROCESS, pid) == 9 && getpriority(PRIO_PGRP, pid) == 9 && nice_now() == 0);
    const pid_t other = IN_CHILD({
        become_nobody();
        CHECK_ERROR(setpriority(PRIO_PROCESS, pid, 10), EPERM);
        CHECK(getpriority(PRIO_PROCESS, pid) == 9);
        CHECK(setpriority(PRIO_USER, 0, 4) == 0 && nice_now() == 4 && getpriority(PRIO_USER, 0) == 4);
    });
    wait_exit(other, 0);
    CHECK(kill(pid, SIGKILL) == 0);
    wait_status(pid);
}

ROWS(nice_has_a_limit, "F12") {
    const struct rlimit limit = {25, 25};
    if (setrlimit(RLIMIT_NICE, &limit) != 0) {
        // The host may keep even root from raising limits.
        CHECK(errno == EPERM && !on_guest());
        return;
    }
    become_nobody();
    CHECK(setpriority(PRIO_PROCESS, 0, 10) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0 && nice_now() == -5);
    CHECK_ERROR(setpriority(PRIO_PROCESS, 0, -6), EACCES);
}

ROWS(policies, "P9") {
    CHECK(get_scheduler(0) == SCHED_OTHER && get_priority_of(0) == 0);
    CHECK(set_scheduler(0, SCHED_BATCH, 0) == 0 && get_scheduler(getpid()) == SCHED_BATCH);
    CHECK_ERROR(set_scheduler(0, SCHED_OTHER, 1), EINVAL);
    CHECK_ERROR(set_scheduler(0, SCHED_FIFO, 0), EINVAL);
    CHECK_ERROR(set_scheduler(0, SCHED_FIFO, 100), EINVAL);
    CHECK_ERROR(set_scheduler(0, 99, 0), EINVAL);
    CHECK_ERROR(set_scheduler(-1, SCHED_OTHER, 0), EINVAL);
    CHECK_ERROR(set_scheduler(99999999, SCHED_OTHER, 0), ESRCH);
    CHECK_ERROR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
    CHECK_ERROR(get_scheduler(-1), EINVAL);
    CHECK(syscall(SYS_sched_get_priority_max, SCHED_FIFO) == 99 && syscall(SYS_sched_get_priority_min, SCHED_RR) == 1);
    CHECK(syscall(SYS_sched_get_priority_max, SCHED_OTHER) == 0 && syscall(SYS_sched_get_priority_min, SCHED_IDLE) == 0);
    CHECK_ERROR(syscall(SYS_sched_get_priority_max, 77), EINVAL);
    CHECK(set_scheduler(0, SCHED_IDLE, 0) == 0 && set_scheduler(0, SCHED_OTHER, 0) == 0);
}

ROWS(real_time_policies, "P9") {
    if (set_scheduler(0, SCHED_RR, 5) != 0) {
        // A container may forbid it even to root.
        CHECK(errno == EPERM && !on_guest());
        return;
    }
    CHECK(get_scheduler(0) == SCHED_RR && get_priority_of(0) == 5);
    struct timespec slice = {9, 9};
    CHECK(syscall(SYS_sched_rr_get_interval, 0, &slice) == 0 && slice.tv_sec == 0 && slice.tv_nsec > 0);
    int priority = 9;
    CHECK(syscall(SYS_sched_setparam, 0, &priority) == 0 && get_scheduler(0) == SCHED_RR && get_priority_of(0) == 9);
    wait_exit(IN_CHILD(CHECK(get_scheduler(0) == SCHED_RR && get_priority_of(0) == 9)), 0);
    CHECK(set_scheduler(0, SCHED_FIFO, 3) == 0);
    CHECK(syscall(SYS_sched_rr_get_interval, 0, &slice) == 0 && slice.tv_sec == 0 && slice.tv_nsec == 0);
    CHECK(set_scheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 3) == 0);
    CHECK(get_scheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK));
    wait_exit(IN_CHILD(CHECK(get_scheduler(0) == SCHED_OTHER && get_priority_of(0) == 0)), 0);
    CHECK(set_scheduler(0, SCHED_OTHER, 0) == 0 && setpriority(PRIO_PROCESS, 0, -5) == 0);
    CHECK(set_scheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0) == 0);
    wait_exit(IN_CHILD(CHECK(nice_now() == 0 && get_scheduler(0) == SCHED_OTHER)), 0);
}

ROWS(real_time_needs_a_right, "F12") {
    const struct rlimit limit = {0, 0};
    CHECK(setrlimit(RLIMIT_RTPRIO, &limit) == 0 && setrlimit(RLIMIT_NICE, &limit) == 0);
    become_nobody();
    CHECK_ERROR(set_scheduler(0, SCHED_FIFO, 1), EPERM);
    CHECK(set_scheduler(0, SCHED_BATCH, 0) == 0);
    CHECK_ERROR(set_scheduler(getppid(), SCHED_BATCH, 0), EPERM);
    CHECK(set_scheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0) == 0);
    CHECK_ERROR(set_scheduler(0, SCHED_OTHER, 0), EPERM);
}

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period, more;
};

ROWS(attributes, "P9") {
    struct attr attr = {.size = 48, .policy = SCHED_BATCH, .nice = 6, .flags = 1};
    CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
    CHECK(get_scheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK) && nice_now() == 6);
    memset(&attr, 0xff, sizeof(attr));
    CHECK(syscall(SYS_sched_getattr, 0, &attr, 48, 0) == 0);
    CHECK(attr.size == 48 && attr.policy == SCHED_BATCH && attr.nice == 6 && attr.flags == 1 && attr.priority == 0);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0, &attr, 47, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0, &attr, 48, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
    attr = (struct attr){.size = 40};
    CHECK_ERROR(syscall(SYS_sched_setattr, 0, &attr, 0), E2BIG);
    CHECK(attr.size >= 48);
    attr = (struct attr){.size = 48, .flags = 1ull << 60};
    CHECK_ERROR(syscall(SYS_sched_setattr, 0, &attr, 0), EINVAL);
}

// The structure has grown: who knows less, or more, is served too.
ROWS(attributes_of_any_size, "P9") {
    struct {
        struct attr attr;
        uint64_t later;
    } big = {.attr = {.size = sizeof(big), .flags = 1}};
    CHECK(syscall(SYS_sched_setattr, 0, &big, 0) == 0);
    memset(&big, 0x55, sizeof(big));
    CHECK(syscall(SYS_sched_getattr, 0, &big, 48, 0) == 0 && big.attr.size == 48 && big.attr.more == 0x5555555555555555);
    CHECK(syscall(SYS_sched_getattr, 0, &big, sizeof(big), 0) == 0 && big.attr.size == 56 && big.attr.more == 0);
    big.attr.size = sizeof(big), big.later = 1;
    CHECK_ERROR(syscall(SYS_sched_setattr, 0, &big, 0), E2BIG);
    CHECK(big.attr.size == 56);
    // Two flags of deadline tasks mean nothing to others.
    big = (typeof(big)){.attr = {.size = 56, .flags = 6}};
    CHECK(syscall(SYS_sched_setattr, 0, &big, 0) == 0);
    big.attr.size = 48, big.attr.flags = 0x20;
    CHECK_ERROR(syscall(SYS_sched_setattr, 0, &big, 0), EINVAL);
    if (as_of(6, 12)) CHECK(sched_get_priority_max(7) == 0 && sched_get_priority_min(7) == 0);
}

ROWS(affinity_of_one_cpu, "P9") {
    uint64_t mask[16] = {0};
    const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
    CHECK(bytes >= 8 && mask[0] != 0);
    CHECK(syscall(SYS_sched_setaffinity, 0, bytes, mask) == 0);
    const uint64_t none = 0;
    CHECK_ERROR(syscall(SYS_sched_setaffinity, 0, 8, &none), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_setaffinity, 99999999, 8, mask), ESRCH);
    CHECK_ERROR(syscall(SYS_sched_getaffinity, 0, 3, mask), EINVAL);
    const pid_t parent = getpid();
    wait_exit(IN_CHILD({
        become_nobody();
        CHECK_ERROR(syscall(SYS_sched_setaffinity, parent, 8, mask), EPERM);
    }), 0);
}

// One CPU: who has the higher rank runs, and the others do not until it sleeps.
GUEST_ROWS(rank_decides, "P9") {
    volatile uint64_t* counts = (volatile uint64_t*)map_pages(1, MAP_SHARED);
    CHECK(set_scheduler(0, SCHED_FIFO, 50) == 0);
    static const struct {
        int policy, priority, nice;
    } kKinds[] = {{SCHED_FIFO, 20, 0}, {SCHED_FIFO, 10, 0}, {SCHED_OTHER, 0, 0}, {SCHED_IDLE, 0, 0}};
    pid_t pids[4];
    for (int i = 0; i < 4; ++i) {
        pids[i] = IN_CHILD({
            CHECK(set_scheduler(0, kKinds[i].policy, kKinds[i].priority) == 0);
            for (;;) ++counts[i * 8];
        });
    }
    usleep(500000);
    CHECK(counts[0] > 0 && counts[8] == 0 && counts[16] < counts[0]);
    CHECK(kill(pids[0], SIGKILL) == 0);
    wait_status(pids[0]);
    usleep(300000);
    CHECK(counts[8] > 0);
    CHECK(kill(pids[1], SIGKILL) == 0);
    wait_status(pids[1]);
    const uint64_t normal = counts[16], idle = counts[24];
    usleep(1500000);
    CHECK(counts[16] > normal && counts[24] - idle < (counts[16] - normal) / 4);
    CHECK(kill(pids[2], SIGKILL) == 0);
    wait_status(pids[2]);
    const uint64_t alone = counts[24];
    usleep(300000);
    CHECK(counts[24] > alone);
    CHECK(kill(pids[3], SIGKILL) == 0);
    wait_status(pids[3]);
}

GUEST_ROWS(nice_decides_the_share, "P9") {
    volatile uint64_t* counts = (volatile uint64_t*)map_pages(1, MAP_SHARED);
    pid_t pids[2];
    for (int i = 0; i < 2; ++i) {
        pids[i] = IN_CHILD({
            CHECK(setpriority(PRIO_PROCESS, 0, i == 0 ? 0 : 19) == 0);
            for (;;) ++counts[i * 8];
        });
    }
    usleep(1500000);
    const uint64_t much = counts[0], little = counts[8];
    CHECK(little > 0 && much > 2 * little);
    for (int i = 0; i < 2; ++i) {
        CHECK(kill(pids[i], SIGKILL) == 0);
        wait_status(pids[i]);
    }
}

#define IOPRIO(class, level) ((class) << 13 | (level))
static int set_io(int which, int who, int value) { return (int)syscall(SYS_ioprio_set, which, who, value); }
static int get_io(int which, int who) { return (int)syscall(SYS_ioprio_get, which, who); }

static char io_stack[65536] __attribute__((aligned(16)));
static int set_and_exit(void* argument) {
    (void)argument;
    return set_io(1, 0, IOPRIO(2, 6)) == 0 ? 0 : 1;
}

ROWS(io_priority_is_shared_or_inherited, "C15") {
    CHECK(set_io(1, 0, IOPRIO(2, 3)) == 0 && get_io(1, 0) == IOPRIO(2, 3) && get_io(1, getpid()) == IOPRIO(2, 3));
    // fork: the value comes along, and is the child's own.
    wait_exit(IN_CHILD({
        CHECK(get_io(1, 0) == IOPRIO(2, 3) && set_io(1, 0, IOPRIO(2, 7)) == 0 && get_io(1, 0) == IOPRIO(2, 7));
    }), 0);
    CHECK(get_io(1, 0) == IOPRIO(2, 3));
    // CLONE_IO: one value.
    char* top = io_stack + sizeof(io_stack);
    wait_exit(clone(set_and_exit, top, CLONE_IO | SIGCHLD, NULL), 0);
    CHECK(get_io(1, 0) == IOPRIO(2, 6));
    wait_exit(clone(set_and_exit, top, SIGCHLD, NULL), 0);
    CHECK(set_io(1, 0, IOPRIO(3, 0)) == 0 && get_io(1, 0) == IOPRIO(3, 0));
    CHECK(set_io(1, 0, IOPRIO(1, 2)) == 0 || errno == EPERM);
}

ROWS(io_priority_refusals, "C15") {
    CHECK_ERROR(set_io(1, 0, IOPRIO(0, 3)), EINVAL);
    CHECK_ERROR(set_io(1, 0, IOPRIO(4, 0)), EINVAL);
    CHECK_ERROR(set_io(9, 0, IOPRIO(2, 4)), EINVAL);
    CHECK_ERROR(get_io(9, 0), EINVAL);
    CHECK_ERROR(set_io(1, 99999999, IOPRIO(2, 4)), ESRCH);
    CHECK_ERROR(get_io(1, 99999999), ESRCH);
    const pid_t parent = getpid();
    const pid_t child = IN_CHILD({
        for (;;) pause();
    });
    CHECK(setpgid(child, child) == 0 && set_io(2, child, IOPRIO(2, 1)) == 0 && get_io(2, child) == IOPRIO(2, 1));
    wait_exit(IN_CHILD({
        become_nobody();
        CHECK_ERROR(set_io(1, parent, IOPRIO(2, 4)), EPERM);
        CHECK_ERROR(set_io(1, 0, IOPRIO(1, 4)), EPERM);
        // On the host others may run as that user.
        if (on_guest()) CHECK(set_io(3, 0, IOPRIO(2, 5)) == 0 && get_io(3, 0) == IOPRIO(2, 5));
    }), 0);
    CHECK(kill(child, SIGKILL) == 0);
    wait_status(child);
}
