/* pthreads: threads of a static musl program: a mutex, atomics, thread-local storage, a condition variable
 * and join. */
#include "program.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_started = PTHREAD_COND_INITIALIZER;
static long under_lock;
static atomic_long lock_free;
static long started, threads, rounds;
static _Thread_local long own;

static void wait_until_all_started(void) {
    pthread_mutex_lock(&lock);
    if (++started == threads) pthread_cond_broadcast(&all_started);
    while (started < threads) pthread_cond_wait(&all_started, &lock);
    pthread_mutex_unlock(&lock);
}

/* Gives back its argument, which only this thread was given. */
static void* work(void* argument) {
    wait_until_all_started();
    for (long i = 0; i < rounds; ++i) {
        pthread_mutex_lock(&lock);
        ++under_lock;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(&lock_free, 1);
        ++own;
    }
    check(own == rounds, "thread-local storage is shared");
    return argument;
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: pthreads [THREADS [ROUNDS]]\n\n"
         "THREADS threads (8) count to ROUNDS (1000) each, under a mutex and atomically, and are joined.\n");
    threads = argc > 1 ? number(argv[1], 1000) : 8;
    rounds = argc > 2 ? number(argv[2], 1000000000) : 1000;
    pthread_t* ids = calloc((size_t)threads, sizeof(*ids));
    if (ids == NULL) fail("calloc");
    for (long i = 0; i < threads; ++i) {
        errno = pthread_create(&ids[i], NULL, work, (void*)(i + 1));
        if (errno != 0) fail("pthread_create");
    }
    for (long i = 0; i < threads; ++i) {
        void* result;
        errno = pthread_join(ids[i], &result);
        if (errno != 0) fail("pthread_join");
        check(result == (void*)(i + 1), "pthread_join gives another thread's result");
    }
    check(under_lock == threads * rounds, "counts under the mutex were lost");
    check(atomic_load(&lock_free) == threads * rounds, "atomic counts were lost");
    check(own == 0, "a thread wrote the main thread's local storage");
    say("pthreads: %ld threads counted to %ld each: %ld", threads, rounds, under_lock);
    free(ids);
    return 0;
}
