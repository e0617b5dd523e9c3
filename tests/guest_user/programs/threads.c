// What a program with many threads leans on: each line is one facility of POSIX threads, put under load. The
// same source is built with musl and with glibc, at a fixed address and position-independent. Prints the same
// everywhere.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kThreads = 16, kRounds = 2000 };

static void check(int error, const char* what) {
    if (error == 0) return;
    printf("%s: %s\n", what, strerror(error));
    exit(1);
}

static void run(void* (*body)(void*), int threads, long* results) {
    pthread_t ids[kThreads];
    for (long i = 0; i < threads; ++i) check(pthread_create(&ids[i], NULL, body, (void*)i), "pthread_create");
    for (int i = 0; i < threads; ++i) {
        void* result;
        check(pthread_join(ids[i], &result), "pthread_join");
        if (results != NULL) results[i] = (long)result;
    }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void* under_mutex(void* unused) {
    for (int i = 0; i < kRounds; ++i) {
        check(pthread_mutex_lock(&mutex), "lock");
        const long seen = counter;
        if (i % 64 == 0) sched_yield();
        counter = seen + 1;
        check(pthread_mutex_unlock(&mutex), "unlock");
    }
    return unused;
}

static void mutexes(void) {
    run(under_mutex, kThreads, NULL);
    printf("mutex: %ld\n", counter);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t checked;
    pthread_mutex_init(&checked, &attributes);
    const int first = pthread_mutex_lock(&checked), again = pthread_mutex_lock(&checked);
    pthread_mutex_unlock(&checked);
    printf("errors: %d %d %d\n", first, again == EDEADLK, pthread_mutex_unlock(&checked) == EPERM);
}

// A bounded buffer.
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static long ring[8], ring_used, ring_at;

static void* producer_or_consumer(void* which) {
    long sum = 0;
    for (long i = 1; i <= kRounds; ++i) {
        pthread_mutex_lock(&mutex);
        if ((long)which % 2 == 0) {
            while (ring_used == 8) pthread_cond_wait(&not_full, &mutex);
            ring[(ring_at + ring_used++) % 8] = i;
            pthread_cond_signal(&not_empty);
        } else {
            while (ring_used == 0) pthread_cond_wait(&not_empty, &mutex);
            sum += ring[ring_at];
            ring_at = (ring_at + 1) % 8;
            --ring_used;
            pthread_cond_signal(&not_full);
        }
        pthread_mutex_unlock(&mutex);
    }
    return (void*)sum;
}

static void conditions(void) {
    long sums[kThreads], all = 0;
    run(producer_or_consumer, kThreads, sums);
    for (int i = 0; i < kThreads; ++i) all += sums[i];
    struct timespec past;
    clock_gettime(CLOCK_REALTIME, &past);
    past.tv_nsec = 0;
    pthread_mutex_lock(&mutex);
    const int late = pthread_cond_timedwait(&not_empty, &mutex, &past);
    pthread_mutex_unlock(&mutex);
    printf("conditions: %ld, timed wait %s\n", all, late == ETIMEDOUT ? "ends" : "fails");
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];

static void* reader_or_writer(void* which) {
    long torn = 0;
    for (int i = 0; i < kRounds; ++i) {
        if ((long)which % 4 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            ++pair[0];
            if (i % 64 == 0) sched_yield();
            ++pair[1];
        } else {
            pthread_rwlock_rdlock(&rwlock);
            torn += pair[0] != pair[1];
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return (void*)torn;
}

static pthread_barrier_t barrier;
static atomic_long arrived;

static void* at_barrier(void* unused) {
    (void)unused;
    long serial = 0;
    for (int i = 1; i <= 50; ++i) {
        atomic_fetch_add(&arrived, 1);
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        if (atomic_load(&arrived) != (long)i * kThreads) return (void*)-1000L;
        pthread_barrier_wait(&barrier);
    }
    return (void*)serial;
}

static void locks_and_barriers(void) {
    long results[kThreads], torn = 0, serial = 0;
    run(reader_or_writer, kThreads, results);
    for (int i = 0; i < kThreads; ++i) torn += results[i];
    printf("rwlock: %ld writes, %ld torn\n", pair[0], torn);
    pthread_barrier_init(&barrier, NULL, kThreads);
    run(at_barrier, kThreads, results);
    for (int i = 0; i < kThreads; ++i) serial += results[i];
    printf("barrier: %ld rounds\n", serial);
}

static _Thread_local long local[100] = {[99] = 7};
static pthread_key_t key;
static atomic_int destroyed, once_runs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void destroy(void* value) {
    atomic_fetch_add(&destroyed, *(int*)value);
    free(value);
}
static void run_once(void) { atomic_fetch_add(&once_runs, 1); }

static void* with_storage(void* which) {
    pthread_once(&once, run_once);
    int* value = malloc(sizeof(*value));
    *value = (int)(long)which;
    pthread_setspecific(key, value);
    for (int i = 0; i < 100; ++i) {
        local[i % 99] += (long)which;
        if (i % 10 == 0) sched_yield();
    }
    const int kept = *(int*)pthread_getspecific(key);
    return (void*)(long)(local[0] == 2 * (long)which && local[99] == 7 && kept == (long)which);
}

static void storage(void) {
    long results[kThreads], good = 0;
    pthread_key_create(&key, destroy);
    run(with_storage, kThreads, results);
    for (int i = 0; i < kThreads; ++i) good += results[i];
    printf("storage: %ld right, destructors saw %d, once ran %d\n", good, destroyed, once_runs);
}

static atomic_int cleaned;
static void clean(void* unused) {
    (void)unused;
    atomic_fetch_add(&cleaned, 1);
}

static void* until_cancelled(void* which) {
    pthread_cleanup_push(clean, NULL);
    if ((long)which % 2 == 0) {
        for (;;) pause();
    }
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (volatile long spin = 0;; ++spin) {
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancellation(void) {
    pthread_t ids[4];
    int cancelled = 0;
    for (long i = 0; i < 4; ++i)
        check(pthread_create(&ids[i], NULL, until_cancelled, (void*)i), "pthread_create");
    usleep(20000);
    for (int i = 0; i < 4; ++i) pthread_cancel(ids[i]);
    for (int i = 0; i < 4; ++i) {
        void* result;
        pthread_join(ids[i], &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    printf("cancelled: %d, cleaned up %d\n", cancelled, cleaned);
}

static sem_t posted;
static atomic_int handled;
static void on_signal(int number) {
    (void)number;
    atomic_fetch_add(&handled, 1);
    sem_post(&posted);
}

static void* wait_for_end(void* end) {
    while (sem_wait((sem_t*)end) != 0) {
    }
    return NULL;
}

static void signals(void) {
    sem_t end;
    sem_init(&posted, 0, 0);
    sem_init(&end, 0, 0);
    signal(SIGUSR1, on_signal);
    pthread_t ids[4];
    for (int i = 0; i < 4; ++i) check(pthread_create(&ids[i], NULL, wait_for_end, &end), "pthread_create");
    for (int round = 0; round < 40; ++round) {
        pthread_kill(ids[round % 4], SIGUSR1);
        while (sem_wait(&posted) != 0) {
        }
    }
    for (int i = 0; i < 4; ++i) sem_post(&end);
    for (int i = 0; i < 4; ++i) pthread_join(ids[i], NULL);
    printf("signals: %d handled\n", handled);
}

static void* short_life(void* which) { return (void*)((long)which * 2); }

static void* forks(void* which) {
    const pid_t pid = fork();
    if (pid == 0) _exit(3 + (int)(long)which);
    int status = 0;
    waitpid(pid, &status, 0);
    return (void*)(long)WEXITSTATUS(status);
}

static void births_and_forks(void) {
    long results[kThreads], sum = 0;
    for (int round = 0; round < 40; ++round) {
        run(short_life, kThreads, results);
        for (int i = 0; i < kThreads; ++i) sum += results[i];
    }
    printf("%d threads: %ld\n", 40 * kThreads, sum);
    run(forks, 8, results);
    sum = 0;
    for (int i = 0; i < 8; ++i) sum += results[i];
    printf("forks of threads: %ld\n", sum);
}

static void* big_stack(void* unused) {
    volatile char frame[3 << 20];
    for (size_t i = 0; i < sizeof(frame); i += 4096) frame[i] = (char)i;
    return unused;
}

static void* lock_and_end(void* left) {
    check(pthread_mutex_lock((pthread_mutex_t*)left), "lock");
    return NULL;
}

static void attributes(void) {
    pthread_attr_t how;
    pthread_attr_init(&how);
    pthread_attr_setstacksize(&how, 4 << 20);
    pthread_attr_setguardsize(&how, 65536);
    pthread_t id;
    check(pthread_create(&id, &how, big_stack, NULL), "pthread_create");
    check(pthread_join(id, NULL), "pthread_join");
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    check(pthread_create(&id, &how, wait_for_end, &posted), "pthread_create");
    sem_post(&posted);
    // A robust mutex tells of an owner that is gone.
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    static pthread_mutex_t left;
    pthread_mutex_init(&left, &robust);
    check(pthread_create(&id, NULL, lock_and_end, &left), "pthread_create");
    pthread_join(id, NULL);
    const int dead = pthread_mutex_lock(&left);
    printf("stacks and a robust mutex: %d %d\n", dead == EOWNERDEAD, pthread_mutex_consistent(&left));
}

int main(void) {
    mutexes();
    conditions();
    locks_and_barriers();
    storage();
    cancellation();
    signals();
    births_and_forks();
    attributes();
    return 0;
}
