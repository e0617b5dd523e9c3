// What the tests of POSIX message queues have in common.
#pragma once

#include "ipc_rows.h"

#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

static char name[64];

static inline mqd_t new_queue(int flags, long messages, long bytes) {
    snprintf(name, sizeof(name), "/mq_rows.%d", getpid());
    mq_unlink(name);
    struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = bytes};
    const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attr);
    CHECK(queue >= 0);
    return queue;
}

static inline void check_receive(mqd_t queue, const char* text, unsigned priority) {
    char buffer[8192];
    unsigned its_priority = 77;
    CHECK(mq_receive(queue, buffer, sizeof(buffer), &its_priority) == (ssize_t)strlen(text));
    CHECK(memcmp(buffer, text, strlen(text)) == 0 && its_priority == priority);
}

static inline struct mq_attr attr_of(mqd_t queue) {
    struct mq_attr attr;
    CHECK(mq_getattr(queue, &attr) == 0);
    return attr;
}

static inline struct timespec soon(long ms) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    now.tv_nsec += ms * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}
