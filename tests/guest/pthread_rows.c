// POSIX threads as C libraries make them of clone, futexes and signals: cancelling, barriers, locks for readers and
// writers, robust mutexes, keys. Built with both C libraries.
#include "rows.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static void join_with(pthread_t thread, void* wanted) {
    void* result = NULL;
    CHECK(pthread_join(thread, &result) == 0 && result == wanted);
}
static pthread_t start(void* (*body)(void*), void* argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

// --- cancelling

static sem_t ready;
static volatile int cleaned;
static void clean_up(void* by) { cleaned += (int)(intptr_t)by; }

static void* wait_cancelled(void* unused) {
    int ends[2];
    char c;
    CHECK(pipe(ends) == 0);
    pthread_cleanup_push(clean_up, (void*)1);
    pthread_cleanup_push(clean_up, (void*)10);
    sem_post(&ready);
    CHECK(read(ends[0], &c, 1) == 1);  // for ever
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return unused;
}
static void* refuse_then_allow(void* unused) {
    int old;
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0 && old == PTHREAD_CANCEL_ENABLE);
    sem_post(&ready);
    struct timespec while_refused = {.tv_nsec = 20000000};
    while (nanosleep(&while_refused, &while_refused) != 0) CHECK(errno == EINTR);  // by musl's own signal
    cleaned = 100;
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
    pthread_testcancel();
    return unused;
}
static void* spin_for_ever(void* unused) {
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    sem_post(&ready);
    for (;;) {
    }
    return unused;
}
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static void unlock_it(void* lock) { CHECK(pthread_mutex_unlock(lock) == 0); }
static void* wait_on_condition(void* unused) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    pthread_cleanup_push(unlock_it, &mutex);
    sem_post(&ready);
    for (;;) pthread_cond_wait(&never, &mutex);
    pthread_cleanup_pop(0);
    return unused;
}

ROWS(threads_are_cancelled, "C9,C14") {
    CHECK(sem_init(&ready, 0, 0) == 0);
    void* (*const bodies[])(void*) = {wait_cancelled, refuse_then_allow, spin_for_ever, wait_on_condition};
    const int cleaning[] = {11, 100, 0, 0};
    for (int i = 0; i < 4; ++i) {
        cleaned = 0;
        const pthread_t thread = start(bodies[i], NULL);
        CHECK(sem_wait(&ready) == 0 && pthread_cancel(thread) == 0);
        join_with(thread, PTHREAD_CANCELED);
        CHECK(cleaned == cleaning[i]);
    }
    // Who waits on a condition has its mutex again when it is cancelled, and gives it back.
    CHECK(pthread_mutex_trylock(&mutex) == 0);
}

// --- barriers and locks

enum { kThreads = 5, kRounds = 40 };
static pthread_barrier_t barrier;
static volatile int arrived[kRounds];
static void* meet(void* unused) {
    long serial = 0;
    (void)unused;
    for (int i = 0; i < kRounds; ++i) {
        __atomic_fetch_add(&arrived[i], 1, __ATOMIC_SEQ_CST);
        const int result = pthread_barrier_wait(&barrier);
        CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        serial += result == PTHREAD_BARRIER_SERIAL_THREAD;
        CHECK(arrived[i] == kThreads);
    }
    return (void*)serial;
}
ROWS(nobody_passes_a_barrier_early, "C9") {
    CHECK(pthread_barrier_init(&barrier, NULL, kThreads) == 0);
    pthread_t threads[kThreads];
    long serials = 0;
    for (int i = 0; i < kThreads; ++i) threads[i] = start(meet, NULL);
    for (int i = 0; i < kThreads; ++i) {
        void* result;
        CHECK(pthread_join(threads[i], &result) == 0);
        serials += (long)result;
    }
    CHECK(serials == kRounds && pthread_barrier_destroy(&barrier) == 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile int readers, writers, most_readers;
static void* read_and_write(void* which) {
    for (int i = 0; i < 60; ++i) {
        if ((i + (int)(intptr_t)which) % 4 == 0) {
            CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
            CHECK(__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST) == 1 && readers == 0);
            sched_yield();
            __atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
        } else {
            CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
            const int now = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
            CHECK(writers == 0);
            if (now > most_readers) most_readers = now;
            sched_yield();
            __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        }
        CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    }
    return NULL;
}
ROWS(readers_share_and_writers_do_not, "C9") {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; ++i) threads[i] = start(read_and_write, (void*)(intptr_t)i);
    for (int i = 0; i < kThreads; ++i) join_with(threads[i], NULL);
    CHECK(readers == 0 && writers == 0 && most_readers > 0);
    CHECK(pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_tryrdlock(&rwlock) == 0);
    CHECK(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
    struct timespec soon;
    CHECK(clock_gettime(CLOCK_REALTIME, &soon) == 0);
    CHECK(pthread_rwlock_timedwrlock(&rwlock, &soon) == ETIMEDOUT);
}

// --- between processes

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_barrier_t barrier;
    sem_t semaphore;
    int value;
};
static struct shared* make_shared(int robust) {
    struct shared* it = (struct shared*)map_pages(1, MAP_SHARED);
    pthread_mutexattr_t mutex_kind;
    pthread_condattr_t cond_kind;
    pthread_barrierattr_t barrier_kind;
    CHECK(pthread_mutexattr_init(&mutex_kind) == 0 && pthread_condattr_init(&cond_kind) == 0);
    CHECK(pthread_barrierattr_init(&barrier_kind) == 0);
    CHECK(pthread_mutexattr_setpshared(&mutex_kind, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&mutex_kind, robust) == 0);
    CHECK(pthread_condattr_setpshared(&cond_kind, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_barrierattr_setpshared(&barrier_kind, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&it->mutex, &mutex_kind) == 0 && pthread_cond_init(&it->changed, &cond_kind) == 0);
    CHECK(pthread_barrier_init(&it->barrier, &barrier_kind, 2) == 0 && sem_init(&it->semaphore, 1, 0) == 0);
    return it;
}

ROWS(processes_share_locks, "F9") {
    struct shared* it = make_shared(PTHREAD_MUTEX_STALLED);
    const pid_t child = IN_CHILD({
        pthread_barrier_wait(&it->barrier);
        for (int i = 1; i < 100; i += 2) {
            CHECK(pthread_mutex_lock(&it->mutex) == 0);
            while (it->value != i) CHECK(pthread_cond_wait(&it->changed, &it->mutex) == 0);
            ++it->value;
            CHECK(pthread_cond_signal(&it->changed) == 0 && pthread_mutex_unlock(&it->mutex) == 0);
        }
        CHECK(sem_post(&it->semaphore) == 0);
    });
    pthread_barrier_wait(&it->barrier);
    for (int i = 0; i < 100; i += 2) {
        CHECK(pthread_mutex_lock(&it->mutex) == 0);
        while (it->value != i) CHECK(pthread_cond_wait(&it->changed, &it->mutex) == 0);
        ++it->value;
        CHECK(pthread_cond_signal(&it->changed) == 0 && pthread_mutex_unlock(&it->mutex) == 0);
    }
    CHECK(sem_wait(&it->semaphore) == 0);
    wait_exit(child, 0);
    CHECK(it->value == 100);
}

ROWS(a_robust_mutex_outlives_its_owner, "F9,C14") {
    struct shared* it = make_shared(PTHREAD_MUTEX_ROBUST);
    for (int killed = 0; killed < 2; ++killed) {
        const pid_t child = IN_CHILD({
            CHECK(pthread_mutex_lock(&it->mutex) == 0 && sem_post(&it->semaphore) == 0);
            if (killed) pause();
        });
        CHECK(sem_wait(&it->semaphore) == 0);
        if (killed) CHECK(kill(child, SIGKILL) == 0);
        CHECK(pthread_mutex_lock(&it->mutex) == EOWNERDEAD);
        CHECK(pthread_mutex_consistent(&it->mutex) == 0 && pthread_mutex_unlock(&it->mutex) == 0);
        CHECK(pthread_mutex_lock(&it->mutex) == 0 && pthread_mutex_unlock(&it->mutex) == 0);
        wait_status(child);
    }
    // Nobody says that it is consistent again: it is of no use any more.
    wait_exit(IN_CHILD(CHECK(pthread_mutex_lock(&it->mutex) == 0)), 0);
    CHECK(pthread_mutex_lock(&it->mutex) == EOWNERDEAD && pthread_mutex_unlock(&it->mutex) == 0);
    CHECK(pthread_mutex_lock(&it->mutex) == ENOTRECOVERABLE);
}

// --- what a thread has of its own

static pthread_key_t key;
static int destroyed;
static void destroy(void* value) {
    ++destroyed;
    if (value == (void*)1) CHECK(pthread_setspecific(key, (void*)2) == 0);  // asks for another round
}
static __thread int own = 7;
static void* use_own(void* value) {
    CHECK(own == 7 && pthread_getspecific(key) == NULL);
    own = 8;
    CHECK(pthread_setspecific(key, value) == 0);
    return &own;
}
static void* exit_deep(void* unused) {
    pthread_cleanup_push(clean_up, (void*)1);
    pthread_exit((void*)5);
    pthread_cleanup_pop(0);
    return unused;
}
static int once_count;
static void count_once(void) { ++once_count; }
static void* call_once(void* control) {
    CHECK(pthread_once(control, count_once) == 0);
    return NULL;
}

ROWS(threads_have_things_of_their_own, "C9,C12") {
    CHECK(pthread_key_create(&key, destroy) == 0 && pthread_setspecific(key, (void*)3) == 0);
    void* address;
    CHECK(pthread_join(start(use_own, (void*)1), &address) == 0);
    CHECK(address != &own && own == 7 && destroyed == 2 && pthread_getspecific(key) == (void*)3);
    CHECK(pthread_join(start(use_own, NULL), &address) == 0 && destroyed == 2);
    cleaned = 0;
    join_with(start(exit_deep, NULL), (void*)5);
    CHECK(cleaned == 1);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    for (int i = 0; i < 3; ++i) join_with(start(call_once, &once), NULL);
    CHECK(once_count == 1 && pthread_key_delete(key) == 0);
}

static volatile sig_atomic_t handled_by;
static void note_thread(int sig) {
    (void)sig;
    handled_by = (int)syscall(SYS_gettid);
}
static void* take_signal(void* tid) {
    *(volatile int*)tid = (int)syscall(SYS_gettid);
    sem_post(&ready);
    while (handled_by == 0) sched_yield();
    return NULL;
}
ROWS(a_signal_for_one_thread, "C9") {
    struct sigaction action = {.sa_handler = note_thread};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sem_init(&ready, 0, 0) == 0);
    volatile int tid = 0;
    const pthread_t thread = start(take_signal, (void*)&tid);
    CHECK(sem_wait(&ready) == 0 && pthread_kill(thread, SIGUSR1) == 0);
    join_with(thread, NULL);
    CHECK(handled_by == tid && tid != getpid());
}
