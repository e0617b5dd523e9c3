// What the tests of System V semaphores have in common.
#pragma once

#include "ipc_rows.h"

#include <sys/sem.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static inline int new_set(int count) {
    const int id = semget(IPC_PRIVATE, count, 0600);
    CHECK(id >= 0);
    return id;
}
static inline void remove_set(int id) { CHECK(semctl(id, 0, IPC_RMID) == 0); }

static inline int op(int id, int number, int by, int flags) {
    struct sembuf one = {(unsigned short)number, (short)by, (short)flags};
    return semop(id, &one, 1);
}
static inline int value_of(int id, int number) { return semctl(id, number, GETVAL); }

// Sleeps until that many wait for the semaphore to grow, or to be zero.
static inline void await_count(int id, int number, int command, int wanted) {
    for (int i = 0; i < 500 && semctl(id, number, command) != wanted; ++i) pause_ms(10);
    CHECK(semctl(id, number, command) == wanted);
}
