// FUTEX_WAKE_OP, futex_waitv, and what the older operations say to arguments that are wrong.
#include "pi_rows.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
struct waitv {
    uint64_t val;
    uint64_t uaddr;
    uint32_t flags;
    uint32_t reserved;
};
enum { kU32 = 2 };

static uint32_t encode(uint32_t op, uint32_t operand, uint32_t cmp, uint32_t with) {
    return op << 28 | cmp << 24 | (operand & 0xfff) << 12 | (with & 0xfff);
}
static futex_word word, other;
static long wake_op(uint32_t operation) { return futex_call(&word, kWakeOp, 1, (void*)1, &other, operation); }

ROWS(operations, "F9") {
    const struct {
        uint32_t op, operand, before, after;
    } cases[] = {
        {0, 7, 5, 7},
        {1, 7, 5, 12},
        {2, 6, 5, 7},
        {3, 4, 5, 1},
        {4, 1, 5, 4},
        {1, -2, 5, 3},
        {0, 0x800, 0, 0xfffff800},
        {8, 5, 0, 1 << 5},
        {10, 4, 1, 17},
        {8, 33, 0, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        other = cases[i].before;
        CHECK(wake_op(encode(cases[i].op, cases[i].operand, 0, 0)) == 0);
        CHECK(other == cases[i].after);
    }
    for (uint32_t op = 5; op < 8; ++op) {
        other = 5;
        CHECK_ERROR(wake_op(encode(op, 1, 0, 0)), ENOSYS);
        CHECK(other == 5);
    }
    // Changed before it is compared.
    CHECK_ERROR(wake_op(encode(0, 9, 6, 0)), ENOSYS);
    CHECK(other == 9);
    CHECK_ERROR(futex_call(&word, kWakeOp, 1, (void*)1, NULL, 0), EFAULT);
    CHECK_ERROR(futex_call(&word, kWakeOp, 1, (void*)1, (futex_word*)((char*)&other + 1), 0), EINVAL);
}

static volatile uint32_t tids[2];
static void* wait_at(void* argument) {
    futex_word* at = argument;
    tids[at == &other] = my_tid();
    futex_call(at, kWait, 0, NULL, NULL, 0);
    return NULL;
}
static long woken_by(uint32_t cmp, uint32_t with) {
    pthread_t threads[2];
    word = other = 0;
    tids[0] = tids[1] = 0;
    CHECK(pthread_create(&threads[0], NULL, wait_at, (void*)&word) == 0);
    CHECK(pthread_create(&threads[1], NULL, wait_at, (void*)&other) == 0);
    for (int i = 0; i < 2; ++i) {
        while (tids[i] == 0) usleep(1000);
        until_asleep(tids[i]);
    }
    const long woken = wake_op(encode(1, 1, cmp, with));
    CHECK(other == 1);
    futex_call(&other, kWake, 1, NULL, NULL, 0);
    for (int i = 0; i < 2; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    return woken;
}
ROWS(comparisons, "F9") {
    CHECK(woken_by(0, 0) == 2 && woken_by(0, 1) == 1);   // ==
    CHECK(woken_by(1, 1) == 2 && woken_by(1, 0) == 1);   // !=
    CHECK(woken_by(2, 1) == 2 && woken_by(2, -1) == 1);  // <
    CHECK(woken_by(3, 0) == 2 && woken_by(3, -1) == 1);  // <=
    CHECK(woken_by(4, -1) == 2 && woken_by(4, 0) == 1);  // >
    CHECK(woken_by(5, 0) == 2 && woken_by(5, 1) == 1);   // >=
}

ROWS(clock_flag, "F9") {
    struct timespec at = moment(CLOCK_REALTIME, 20);
    const int refused[] = {kWait,     kWake,      kRequeue,    kCmpRequeue,  kWakeOp,
                           kUnlockPi, kTrylockPi, kWakeBitset, kCmpRequeuePi};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); ++i)
        CHECK_ERROR(futex_call(&word, refused[i] | kClockRealtime, 0, &at, &other, 0), ENOSYS);
    CHECK_ERROR(futex_call(&word, kWaitBitset | kClockRealtime, 0, &at, NULL, ~0u), ETIMEDOUT);
    CHECK_ERROR(futex_call(&word, kWaitBitset, 0, &at, NULL, 0), EINVAL);
    CHECK_ERROR(futex_call(&word, kFd, 0, NULL, NULL, 0), ENOSYS);
    CHECK_ERROR(futex_call(&word, 99, 0, NULL, NULL, 0), ENOSYS);
}

// A count of 0 or less wakes one, as it always did.
ROWS(requeue_counts, "F9") {
    pthread_t threads[2];
    tids[0] = 0;
    CHECK(pthread_create(&threads[0], NULL, wait_at, (void*)&word) == 0);
    while (tids[0] == 0) usleep(1000);
    until_asleep(tids[0]);
    CHECK(futex_call(&word, kCmpRequeue, 0, (void*)1, &other, 0) == 1);
    CHECK(futex_call(&word, kWake, 1, NULL, NULL, 0) == 0);
    CHECK(futex_call(&other, kWake, 0, NULL, NULL, 0) == 1);
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK_ERROR(futex_call(&word, kCmpRequeue, 0, (void*)1, &other, 1), EAGAIN);
    CHECK_ERROR(futex_call(&word, kCmpRequeue, -1, (void*)1, &other, 0), EINVAL);
    CHECK_ERROR(futex_call(&word, kRequeue, 0, (void*)-1, &other, 0), EINVAL);
}

static long waitv(struct waitv* list, unsigned count, unsigned flags, const struct timespec* at, int clock) {
    return syscall(SYS_futex_waitv, list, count, flags, at, clock);
}
static void* wake_other(void* unused) {
    (void)unused;
    while (tids[0] == 0) usleep(1000);
    until_asleep(tids[0]);
    CHECK(futex_call(&other, kWake | kPrivate, 1, NULL, NULL, 0) == 1);
    return NULL;
}
ROWS(any_of_several, "F9") {
    word = other = 0;
    struct waitv list[] = {{0, (uint64_t)&word, kU32, 0}, {0, (uint64_t)&other, kU32 | kPrivate, 0}};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wake_other, NULL) == 0);
    tids[0] = my_tid();
    CHECK(waitv(list, 2, 0, NULL, 0) == 1);
    CHECK(pthread_join(thread, NULL) == 0);
    struct timespec at = moment(CLOCK_MONOTONIC, 20);
    CHECK_ERROR(waitv(list, 2, 0, &at, CLOCK_MONOTONIC), ETIMEDOUT);
    at = moment(CLOCK_REALTIME, 20);
    CHECK_ERROR(waitv(list, 2, 0, &at, CLOCK_REALTIME), ETIMEDOUT);
    list[1].val = 1;
    CHECK_ERROR(waitv(list, 2, 0, NULL, 0), EAGAIN);
}
ROWS(waitv_arguments, "F9") {
    struct waitv list[129] = {{0, (uint64_t)&word, kU32, 0}};
    struct timespec at = moment(CLOCK_MONOTONIC, 0);
    CHECK_ERROR(waitv(list, 0, 0, NULL, 0), EINVAL);
    CHECK_ERROR(waitv(list, 129, 0, NULL, 0), EINVAL);
    CHECK_ERROR(waitv(NULL, 1, 0, NULL, 0), EINVAL);
    CHECK_ERROR(waitv(list, 1, 1, NULL, 0), EINVAL);
    CHECK_ERROR(waitv(list, 1, 0, &at, CLOCK_BOOTTIME), EINVAL);
    at.tv_nsec = -1;
    CHECK_ERROR(waitv(list, 1, 0, &at, CLOCK_MONOTONIC), EINVAL);
    CHECK_ERROR(waitv(opaque(4096), 1, 0, NULL, 0), EFAULT);
    for (uint32_t size = 0; size < 4; ++size) {
        list[0].flags = size;
        if (size != kU32) CHECK_ERROR(waitv(list, 1, 0, NULL, 0), EINVAL);
    }
    list[0] = (struct waitv){0, (uint64_t)&word, kU32, 1};
    CHECK_ERROR(waitv(list, 1, 0, NULL, 0), EINVAL);
    list[0] = (struct waitv){(uint64_t)1 << 32, (uint64_t)&word, kU32, 0};
    CHECK_ERROR(waitv(list, 1, 0, NULL, 0), EINVAL);
    list[0] = (struct waitv){0, (uint64_t)&word + 1, kU32, 0};
    CHECK_ERROR(waitv(list, 1, 0, NULL, 0), EINVAL);
    list[0] = (struct waitv){0, 4096, kU32, 0};
    CHECK_ERROR(waitv(list, 1, 0, NULL, 0), EFAULT);
}
