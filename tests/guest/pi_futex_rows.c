// Priority-inheriting futexes: the calls themselves.
#include "pi_rows.h"

ROWS(uncontended, "F9") {
    futex_word word = 0;
    CHECK(futex_call(&word, kTrylockPi, 0, NULL, NULL, 0) == 0 && word == my_tid());
    CHECK_ERROR(futex_call(&word, kTrylockPi, 0, NULL, NULL, 0), EDEADLK);
    CHECK_ERROR(lock_pi(&word), EDEADLK);
    CHECK(unlock_pi(&word) == 0 && word == 0);
    CHECK_ERROR(unlock_pi(&word), EPERM);
    CHECK(lock_pi(&word) == 0 && word == my_tid());
    CHECK(unlock_pi(&word) == 0);
}

ROWS(whose_it_is, "F9") {
    const pid_t gone = IN_CHILD({});
    wait_exit(gone, 0);
    futex_word word = (uint32_t)gone;
    CHECK_ERROR(lock_pi(&word), ESRCH);
    word = OWNER_DIED | (uint32_t)gone;
    CHECK_ERROR(lock_pi(&word), ESRCH);
    // Marked by the kernel when its owner died: free, and known to be damaged.
    word = OWNER_DIED;
    CHECK(lock_pi(&word) == 0 && word == (OWNER_DIED | my_tid()));
    CHECK(unlock_pi(&word) == 0 && word == 0);
    word = (uint32_t)getppid();
    CHECK_ERROR(futex_call(&word, kTrylockPi, 0, NULL, NULL, 0), EAGAIN);
    word = (uint32_t)getppid();
    CHECK_ERROR(unlock_pi(&word), EPERM);
    CHECK_ERROR(lock_pi((futex_word*)2), EINVAL);
    CHECK_ERROR(lock_pi((futex_word*)opaque(4096)), EFAULT);
    futex_word* fixed = (futex_word*)map_pages(1, MAP_PRIVATE);
    CHECK(mprotect((void*)fixed, PAGE, PROT_READ) == 0);
    CHECK_ERROR(lock_pi(fixed), EFAULT);
}

// LOCK_PI goes by CLOCK_REALTIME, LOCK_PI2 by the clock that it is told.
ROWS(time_outs, "F9") {
    futex_word word = (uint32_t)getppid();
    struct timespec at = moment(CLOCK_REALTIME, 30);
    CHECK_ERROR(futex_call(&word, kLockPi, 0, &at, NULL, 0), ETIMEDOUT);
    CHECK(word == (WAITERS | (uint32_t)getppid()));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK(now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec));
    at = moment(CLOCK_MONOTONIC, 30);
    CHECK_ERROR(futex_call(&word, kLockPi2, 0, &at, NULL, 0), ETIMEDOUT);
    at = moment(CLOCK_REALTIME, 30);
    CHECK_ERROR(futex_call(&word, kLockPi2 | kClockRealtime, 0, &at, NULL, 0), ETIMEDOUT);
    CHECK_ERROR(futex_call(&word, kLockPi | kClockRealtime, 0, &at, NULL, 0), ENOSYS);
    at.tv_nsec = 1000000000;
    CHECK_ERROR(futex_call(&word, kLockPi, 0, &at, NULL, 0), EINVAL);
}

static futex_word lock_word;
static volatile uint32_t waiter_tid;
static void* lock_and_unlock(void* unused) {
    (void)unused;
    waiter_tid = my_tid();
    CHECK(lock_pi(&lock_word) == 0);
    CHECK((lock_word & ~WAITERS) == my_tid());
    CHECK(unlock_pi(&lock_word) == 0);
    return NULL;
}

ROWS(handed_over, "F9") {
    CHECK(lock_pi(&lock_word) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, lock_and_unlock, NULL) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK(lock_word == (WAITERS | my_tid()));
    // Waiters of this kind are not woken by others' calls.
    CHECK_ERROR(futex_call(&lock_word, kWake, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERROR(futex_call(&lock_word, kTrylockPi, 0, NULL, NULL, 0), EDEADLK);
    CHECK(unlock_pi(&lock_word) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(lock_word == 0);
}

static void* wait_plainly(void* unused) {
    (void)unused;
    waiter_tid = my_tid();
    while (lock_word != 0) futex_call(&lock_word, kWait, lock_word, NULL, NULL, 0);
    return NULL;
}
ROWS(plain_waiters_do_not_fit, "F9") {
    lock_word = my_tid();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_plainly, NULL) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK_ERROR(unlock_pi(&lock_word), EINVAL);
    lock_word = 0;
    CHECK_ERROR(lock_pi(&lock_word), EINVAL);
    CHECK(futex_call(&lock_word, kWake, 1, NULL, NULL, 0) == 1);
    CHECK(pthread_join(thread, NULL) == 0);
}

// Two threads, two locks, the other way round: the second one to wait is told.
static futex_word first_word, second_word;
static void* lock_backwards(void* unused) {
    (void)unused;
    CHECK(lock_pi(&second_word) == 0);
    waiter_tid = my_tid();
    CHECK(lock_pi(&first_word) == 0);
    CHECK(unlock_pi(&first_word) == 0 && unlock_pi(&second_word) == 0);
    return NULL;
}
ROWS(rings_are_found, "F9") {
    CHECK(lock_pi(&first_word) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, lock_backwards, NULL) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK_ERROR(lock_pi(&second_word), EDEADLK);
    CHECK(unlock_pi(&first_word) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(first_word == 0 && second_word == 0);
}

// A signal does not end the wait, whatever its handler says.
static volatile int handled;
static void handle(int sig) { handled += sig == SIGUSR1; }
ROWS(restarted_after_a_handler, "F9") {
    struct sigaction action = {.sa_handler = handle};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(lock_pi(&lock_word) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, lock_and_unlock, NULL) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    while (handled == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK(unlock_pi(&lock_word) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(handled == 1);
}

// Across processes, by a shared page, with many in line.
ROWS(shared_by_processes, "F9") {
    futex_word* words = (futex_word*)map_pages(1, MAP_SHARED);
    pid_t pids[4];
    for (int i = 0; i < 4; ++i) {
        pids[i] = IN_CHILD({
            for (int round = 0; round < 100; ++round) {
                CHECK(lock_pi(&words[0]) == 0);
                const uint32_t value = words[1];
                if (round % 10 == 0) usleep(100);
                words[1] = value + 1;
                CHECK(unlock_pi(&words[0]) == 0);
            }
        });
    }
    for (int i = 0; i < 4; ++i) wait_exit(pids[i], 0);
    CHECK(words[1] == 400 && words[0] == 0);
}

// The owner of a private lock is one of us.
ROWS(no_private_lock_of_another_process, "F9") {
    if (!as_of(6, 18)) return;
    const pid_t other = IN_CHILD(pause());
    lock_word = (uint32_t)other;
    CHECK_ERROR(futex_call(&lock_word, kLockPi | kPrivate, 0, NULL, NULL, 0), EPERM);
    CHECK(lock_word == ((uint32_t)other | WAITERS));
    CHECK(kill(other, SIGKILL) == 0);
    wait_status(other);
}
