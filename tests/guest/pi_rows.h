// futex calls for the tests of priority-inheriting locks; <linux/futex.h> is not among musl's headers.
#pragma once

#include "rows.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    kWait = 0,
    kWake = 1,
    kFd = 2,
    kRequeue = 3,
    kCmpRequeue = 4,
    kWakeOp = 5,
    kLockPi = 6,
    kUnlockPi = 7,
    kTrylockPi = 8,
    kWaitBitset = 9,
    kWakeBitset = 10,
    kWaitRequeuePi = 11,
    kCmpRequeuePi = 12,
    kLockPi2 = 13,
    kPrivate = 128,
    kClockRealtime = 256
};
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u

typedef volatile uint32_t futex_word;

static inline long futex_call(futex_word* word, int operation, uint32_t value, const void* time_or_count,
                              futex_word* other, uint32_t value3) {
    return syscall(SYS_futex, word, operation, value, time_or_count, other, value3);
}
static inline long lock_pi(futex_word* word) { return futex_call(word, kLockPi, 0, NULL, NULL, 0); }
static inline long unlock_pi(futex_word* word) { return futex_call(word, kUnlockPi, 0, NULL, NULL, 0); }
static inline uint32_t my_tid(void) { return (uint32_t)syscall(SYS_gettid); }

// A moment of that clock, so many milliseconds from now.
static inline struct timespec moment(clockid_t clock, long ms) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) at.tv_nsec -= 1000000000, ++at.tv_sec;
    return at;
}

// The task sleeps: the letter of /proc/self/task/TID/stat.
static inline long stat_field(uint32_t tid, int wanted) {
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
    const int fd = open(path, O_RDONLY);
    if (fd < 0) return -1000;
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char* at = strrchr(text, ')');
    if (at == NULL) return -1000;
    at += 2;
    for (int field = 3; field < wanted; ++field) at = strchr(at, ' ') + 1;
    return wanted == 3 ? *at : strtol(at, NULL, 10);
}
static inline void until_asleep(uint32_t tid) {
    for (int tries = 0; stat_field(tid, 3) != 'S'; ++tries) {
        CHECK(tries < 2000);
        usleep(1000);
    }
}
