// What the tests of locks on files have in common.
#pragma once

#include "ipc_rows.h"

// LOCK_FILE is a program's own: two may run at the same time.
static const char* const lock_path = LOCK_FILE;

static inline int fresh_file(void) {
    unlink(lock_path);
    const int fd = open(lock_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    return fd;
}

static inline int lock(int fd, int command, int type, off_t start, off_t length) {
    struct flock request = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &request);
}

// Who stands in the way of a write lock on the range; l_type F_UNLCK: nobody.
static inline struct flock holder_of(int fd, int command, off_t start, off_t length) {
    struct flock query = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    CHECK(fcntl(fd, command, &query) == 0);
    return query;
}

// Each check is made in a child, for which the parent's locks are in the way.
#define SEEN_BY_CHILD(...) wait_exit(IN_CHILD(__VA_ARGS__), 0)
