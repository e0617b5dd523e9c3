// What the tests of terminals have in common: a pair, and what can be read from it.
#pragma once

#include "rows.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

struct pty {
    int master, slave;
    char name[32];  // of the slave
};

// A new pair, which is nobody's controlling terminal.
static struct pty open_pty(void) {
    struct pty pty;
    pty.master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int locked = 0;
    unsigned number;
    CHECK(pty.master >= 0 && ioctl(pty.master, TIOCSPTLCK, &locked) == 0);
    CHECK(ioctl(pty.master, TIOCGPTN, &number) == 0);
    snprintf(pty.name, sizeof(pty.name), "/dev/pts/%u", number);
    pty.slave = open(pty.name, O_RDWR | O_NOCTTY);
    CHECK(pty.slave >= 0);
    return pty;
}

static inline void make_raw(int fd) {
    struct termios mode;
    CHECK(tcgetattr(fd, &mode) == 0);
    cfmakeraw(&mode);
    CHECK(tcsetattr(fd, TCSANOW, &mode) == 0);
}

// Waits for input, which may take its time on the way.
static inline bool has_input(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 20000) == 1 && (one.revents & POLLIN) != 0;
}

// Whether just that comes, in as many pieces as it likes.
static inline bool reads(int fd, const char* wanted) {
    char text[256];
    for (size_t got = 0; got < strlen(wanted);) {
        if (!has_input(fd)) return false;
        const ssize_t n = read(fd, text, sizeof(text));
        if (n <= 0 || (size_t)n > strlen(wanted) - got || memcmp(text, wanted + got, (size_t)n) != 0) return false;
        got += (size_t)n;
    }
    return true;
}

static inline int events_of(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLPRI, 0};
    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

// Waits until the process sleeps in a call.
static inline void until_asleep(pid_t pid) {
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    for (;;) {
        char text[512] = "";
        const int fd = open(name, O_RDONLY);
        CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        const char* state = strrchr(text, ')');
        CHECK(state != NULL);
        if (state[2] == 'S') return;
        sched_yield();
    }
}
