// Futexes, mutexes across processes, clocks.
#include "rows.h"

#include <pthread.h>
#include <time.h>

static long futex(int* address, int operation, int value, const struct timespec* timeout) {
    return syscall(SYS_futex, address, operation, value, timeout, NULL, 0);
}

ROWS(wait_checks_the_value, "F9") {
    int word = 5;
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 4, NULL), EAGAIN);
    struct timespec soon = {0, 20 * 1000 * 1000};
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 5, &soon), ETIMEDOUT);
    CHECK(futex(&word, FUTEX_WAKE, 1, NULL) == 0);
    CHECK_ERROR(futex((int*)2, FUTEX_WAIT, 5, NULL), EINVAL);
}

ROWS(across_fork, "F9") {
    int* words = (int*)map_pages(1, MAP_SHARED);
    const pid_t pid = IN_CHILD({
        words[1] = 1;
        while (words[0] == 0) futex(&words[0], FUTEX_WAIT, 0, NULL);
        words[1] = 2;
    });
    while (*(volatile int*)&words[1] == 0) sched_yield();
    for (int i = 0; i < 10; ++i) sched_yield();
    words[0] = 1;
    CHECK(futex(&words[0], FUTEX_WAKE, 1, NULL) <= 1);
    wait_exit(pid, 0);
    CHECK(words[1] == 2);
}

// A process-shared mutex under contention, as POSIX programs use it.
ROWS(process_shared_mutex, "F9") {
    struct {
        pthread_mutex_t mutex;
        int count;
    }* shared = (void*)map_pages(1, MAP_SHARED);
    pthread_mutexattr_t attribute;
    CHECK(pthread_mutexattr_init(&attribute) == 0);
    CHECK(pthread_mutexattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&shared->mutex, &attribute) == 0);
    pid_t pids[4];
    for (int i = 0; i < 4; ++i) {
        pids[i] = IN_CHILD({
            for (int round = 0; round < 200; ++round) {
                CHECK(pthread_mutex_lock(&shared->mutex) == 0);
                const int value = shared->count;
                if (round % 10 == 0) sched_yield();
                shared->count = value + 1;
                CHECK(pthread_mutex_unlock(&shared->mutex) == 0);
            }
        });
    }
    for (int i = 0; i < 4; ++i) wait_exit(pids[i], 0);
    CHECK(shared->count == 800);
}

// A robust mutex tells who comes next that its owner died.
ROWS(robust_mutex, "P12") {
    pthread_mutex_t* mutex = (void*)map_pages(1, MAP_SHARED);
    pthread_mutexattr_t attribute;
    CHECK(pthread_mutexattr_init(&attribute) == 0);
    CHECK(pthread_mutexattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&attribute, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(mutex, &attribute) == 0);
    const pid_t pid = IN_CHILD({ CHECK(pthread_mutex_lock(mutex) == 0); });
    wait_exit(pid, 0);
    CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;
static void* take_turns(void* argument) {
    const int me = (int)(intptr_t)argument;
    for (int i = 0; i < 50; ++i) {
        pthread_mutex_lock(&mutex);
        while (turn != me) pthread_cond_wait(&condition, &mutex);
        turn = (turn + 1) % 3;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

ROWS(condition_variables, "C9,C14") {
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, take_turns, (void*)(intptr_t)i) == 0);
    for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(turn == 0);
}

ROWS(clocks_go_on, "F7") {
    struct timespec first, second, request = {0, 30 * 1000 * 1000};
    CHECK(clock_gettime(CLOCK_MONOTONIC, &first) == 0);
    CHECK(nanosleep(&request, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &second) == 0);
    const long ns = (second.tv_sec - first.tv_sec) * 1000000000L + (second.tv_nsec - first.tv_nsec);
    CHECK(ns >= 30 * 1000 * 1000);
    CHECK(time(NULL) > 1000000000);
    CHECK_ERROR(clock_gettime(1234, &first), EINVAL);
}

// A waiter that said that its futex is private is found by those who say so, too, and by nobody else.
static volatile uint32_t private_word;
static void* wait_privately(void* unused) {
    (void)unused;
    while (private_word == 0) syscall(SYS_futex, &private_word, FUTEX_WAIT | 128 /* PRIVATE */, 0, NULL, NULL, 0);
    return NULL;
}
ROWS(private_and_shared_are_two_kinds, "F9") {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_privately, NULL) == 0);
    usleep(50000);
    CHECK(syscall(SYS_futex, &private_word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
    long woken = 0;
    for (int tries = 0; woken == 0 && tries < 1000; ++tries) {
        woken = syscall(SYS_futex, &private_word, FUTEX_WAKE | 128, 1, NULL, NULL, 0);
        usleep(1000);
    }
    CHECK(woken == 1);
    private_word = 1;
    CHECK(syscall(SYS_futex, &private_word, FUTEX_WAKE | 128, 1, NULL, NULL, 0) >= 0);
    CHECK(pthread_join(thread, NULL) == 0);
}
