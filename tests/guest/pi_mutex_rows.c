// Priority-inheriting locks as programs use them: lent priorities, dead owners, conditions, the C library's
// mutexes.
#include "pi_rows.h"

static futex_word lock_word;
static volatile uint32_t owner_tid, waiter_tid;
static volatile int may_go;
static long usual_priority;

static void be_real_time(int priority) {
    // musl has no sched_setscheduler of its own.
    CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority) == 0);
}
static long priority_of(uint32_t tid) { return stat_field(tid, 18); }

static void* own_it(void* unused) {
    (void)unused;
    CHECK(lock_pi(&lock_word) == 0);
    owner_tid = my_tid();
    while (!may_go) usleep(1000);
    CHECK(unlock_pi(&lock_word) == 0);
    CHECK(priority_of(my_tid()) == usual_priority);
    return NULL;
}
static void* want_it(void* priority) {
    be_real_time((int)(intptr_t)priority);
    waiter_tid = my_tid();
    CHECK(lock_pi(&lock_word) == 0);
    CHECK(unlock_pi(&lock_word) == 0);
    return NULL;
}

// Field 18 of stat is -1 - N for a task that runs at the real-time priority N.
ROWS(priority_is_lent, "F9") {
    pthread_t owner, low, high;
    usual_priority = priority_of(my_tid());
    CHECK(pthread_create(&owner, NULL, own_it, NULL) == 0);
    while (owner_tid == 0) usleep(1000);
    CHECK(priority_of(owner_tid) == usual_priority);
    CHECK(pthread_create(&low, NULL, want_it, (void*)10) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK(priority_of(owner_tid) == -11);
    waiter_tid = 0;
    CHECK(pthread_create(&high, NULL, want_it, (void*)30) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    CHECK(priority_of(owner_tid) == -31);
    // What a waiter's priority becomes, the owner's does.
    const int lower = 5;
    CHECK(syscall(SYS_sched_setparam, waiter_tid, &lower) == 0);
    CHECK(priority_of(owner_tid) == -11);
    may_go = 1;
    CHECK(pthread_join(owner, NULL) == 0 && pthread_join(low, NULL) == 0 && pthread_join(high, NULL) == 0);
}

// The owner ends with the lock: the next one gets it, marked.
static void* die_with_it(void* unused) {
    (void)unused;
    CHECK(lock_pi(&lock_word) == 0);
    owner_tid = my_tid();
    while (!may_go) usleep(1000);
    return NULL;
}
static void* inherit_it(void* unused) {
    (void)unused;
    waiter_tid = my_tid();
    CHECK(lock_pi(&lock_word) == 0);
    CHECK((lock_word & ~WAITERS) == (OWNER_DIED | my_tid()));
    CHECK(unlock_pi(&lock_word) == 0);
    return NULL;
}
ROWS(owner_dies, "F9") {
    pthread_t owner, heir;
    CHECK(pthread_create(&owner, NULL, die_with_it, NULL) == 0);
    while (owner_tid == 0) usleep(1000);
    CHECK(pthread_create(&heir, NULL, inherit_it, NULL) == 0);
    while (waiter_tid == 0) usleep(1000);
    until_asleep(waiter_tid);
    may_go = 1;
    CHECK(pthread_join(owner, NULL) == 0 && pthread_join(heir, NULL) == 0);
    CHECK(lock_word == 0);
}

// The same with the mark of the robust list, whose entries for such locks have bit 0 set.
struct robust_entry {
    struct robust_entry* next;
    uint32_t word;
};
struct robust_head {
    struct robust_entry* next;
    long offset;
    struct robust_entry* pending;
};
ROWS(robust_list, "F9,P12") {
    struct {
        struct robust_head head;
        struct robust_entry entry;
    }* shared = (void*)map_pages(1, MAP_SHARED);
    futex_word* word = &shared->entry.word;
    const pid_t pid = IN_CHILD({
        shared->head.offset = sizeof(void*);
        shared->head.next = (struct robust_entry*)((uintptr_t)&shared->entry | 1);
        shared->entry.next = (struct robust_entry*)&shared->head;
        CHECK(syscall(SYS_set_robust_list, &shared->head, sizeof(shared->head)) == 0);
        CHECK(lock_pi(word) == 0);
        usleep(50000);
    });
    while (*word == 0) usleep(1000);
    CHECK(lock_pi(word) == 0);
    CHECK((*word & ~WAITERS) == (OWNER_DIED | my_tid()));
    CHECK(unlock_pi(word) == 0);
    wait_exit(pid, 0);
}

// A condition's waiters come to wait for its lock, and get it one after the other.
static futex_word condition_word;
static volatile int asleep, served;
static void* wait_for_condition(void* unused) {
    (void)unused;
    __atomic_add_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
    CHECK(futex_call(&condition_word, kWaitRequeuePi, 0, NULL, &lock_word, 0) == 0);
    CHECK((lock_word & ~WAITERS) == my_tid());
    ++served;
    CHECK(unlock_pi(&lock_word) == 0);
    return NULL;
}
ROWS(requeue_pi, "F9") {
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, wait_for_condition, NULL) == 0);
    while (asleep < 3) usleep(1000);
    usleep(100000);
    CHECK_ERROR(futex_call(&condition_word, kWake, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERROR(futex_call(&condition_word, kCmpRequeuePi, 1, (void*)5, &lock_word, 1), EAGAIN);
    CHECK_ERROR(futex_call(&condition_word, kCmpRequeuePi, 2, (void*)5, &lock_word, 0), EINVAL);
    CHECK_ERROR(futex_call(&condition_word, kCmpRequeuePi, 1, (void*)5, &condition_word, 0), EINVAL);
    futex_word other = 0;
    CHECK_ERROR(futex_call(&condition_word, kCmpRequeuePi, 1, (void*)5, &other, 0), EINVAL);
    CHECK(lock_pi(&lock_word) == 0);
    CHECK(futex_call(&condition_word, kCmpRequeuePi, 1, (void*)INT32_MAX, &lock_word, 0) == 3);
    CHECK(lock_word == (WAITERS | my_tid()));
    usleep(20000);
    CHECK(served == 0);
    CHECK(unlock_pi(&lock_word) == 0);
    for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(served == 3 && lock_word == 0);
}
// Free: the first one has it at once.
ROWS(requeue_to_a_free_lock, "F9") {
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i) CHECK(pthread_create(&threads[i], NULL, wait_for_condition, NULL) == 0);
    while (asleep < 2) usleep(1000);
    usleep(100000);
    CHECK(futex_call(&condition_word, kCmpRequeuePi, 1, (void*)INT32_MAX, &lock_word, 0) == 2);
    for (int i = 0; i < 2; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(served == 2 && lock_word == 0);
}
ROWS(requeue_pi_ends, "F9") {
    struct timespec at = moment(CLOCK_MONOTONIC, 20);
    CHECK_ERROR(futex_call(&condition_word, kWaitRequeuePi, 0, &at, &lock_word, 0), ETIMEDOUT);
    CHECK_ERROR(futex_call(&condition_word, kWaitRequeuePi, 1, NULL, &lock_word, 0), EAGAIN);
    CHECK_ERROR(futex_call(&condition_word, kWaitRequeuePi, 0, NULL, &condition_word, 0), EINVAL);
    CHECK_ERROR(futex_call(&condition_word, kWaitRequeuePi, 0, NULL, NULL, 0), EFAULT);
}

// As POSIX has them.
static pthread_mutex_t mutex;
static int count;
static void* add_to_count(void* unused) {
    (void)unused;
    for (int i = 0; i < 200; ++i) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        const int value = count;
        if (i % 20 == 0) sched_yield();
        count = value + 1;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return NULL;
}
static void make_mutex(pthread_mutex_t* made, bool robust) {
    pthread_mutexattr_t attribute;
    CHECK(pthread_mutexattr_init(&attribute) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attribute, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(pthread_mutexattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED) == 0);
    if (robust) CHECK(pthread_mutexattr_setrobust(&attribute, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(made, &attribute) == 0);
}
ROWS(posix_mutex, "F9") {
    make_mutex(&mutex, false);
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, add_to_count, NULL) == 0);
    for (int i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(count == 800);
    CHECK(pthread_mutex_lock(&mutex) == 0);
    const struct timespec at = moment(CLOCK_REALTIME, 20);
    const pid_t pid = IN_CHILD({
        // The copy in the child's own memory says that the parent has it.
        CHECK(pthread_mutex_timedlock(&mutex, &at) == ETIMEDOUT);
    });
    wait_exit(pid, 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}
// Owners that die and waiters that give up leave nothing behind in the kernel.
GUEST_ROWS(nothing_stays, "W10") {
    pthread_mutex_t* shared = (void*)map_pages(1, MAP_SHARED);
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 10; ++i) {
            make_mutex(shared, true);
            pid_t pids[3];
            for (int n = 0; n < 3; ++n) {
                pids[n] = IN_CHILD({
                    if (pthread_mutex_lock(shared) == EOWNERDEAD) pthread_mutex_consistent(shared);
                    usleep(20000);
                });
            }
            const struct timespec at = moment(CLOCK_REALTIME, 10);
            pthread_mutex_timedlock(shared, &at);
            CHECK(kill(pids[i % 3], SIGKILL) == 0);
            if (pthread_mutex_lock(shared) == EOWNERDEAD) pthread_mutex_consistent(shared);
            pthread_mutex_unlock(shared);
            for (int n = 0; n < 3; ++n) wait_status(pids[n]);
        }
    }
    expect_counts("locks");
}
ROWS(robust_posix_mutex, "F9,P12") {
    pthread_mutex_t* shared = (void*)map_pages(1, MAP_SHARED);
    make_mutex(shared, true);
    const pid_t pid = IN_CHILD({
        CHECK(pthread_mutex_lock(shared) == 0);
        usleep(30000);
    });
    usleep(10000);
    CHECK(pthread_mutex_lock(shared) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(shared) == 0 && pthread_mutex_unlock(shared) == 0);
    CHECK(pthread_mutex_lock(shared) == 0 && pthread_mutex_unlock(shared) == 0);
    wait_exit(pid, 0);
}
