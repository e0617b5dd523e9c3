// What the tests of System V and POSIX IPC have in common: processes that meet, time, and identities.
#pragma once

#include "rows.h"

#include <sys/ipc.h>
#include <time.h>

// Two processes tell each other that they have come to some point.
struct meeting {
    int ends[2];
};
static inline struct meeting meeting_open(void) {
    struct meeting meeting;
    CHECK(pipe(meeting.ends) == 0);
    return meeting;
}
static inline void meeting_tell(struct meeting meeting) { CHECK(write(meeting.ends[1], "x", 1) == 1); }
static inline void meeting_await(struct meeting meeting) {
    char byte;
    CHECK(read(meeting.ends[0], &byte, 1) == 1);
}

static inline void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

// R S D T ... of the process (man 5 proc).
static inline char state_of(pid_t pid) {
    char path[64];
    char text[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE* file = fopen(path, "r");
    CHECK(file != NULL && fgets(text, sizeof(text), file) != NULL);
    fclose(file);
    const char* name_end = strrchr(text, ')');
    CHECK(name_end != NULL);
    return name_end[2];
}

// The process sleeps, and goes on doing so: it has come to the call in which it waits.
static inline void await_sleep(pid_t pid) {
    int times = 0;
    for (int i = 0; i < 2000 && times < 4; ++i) {
        times = state_of(pid) == 'S' ? times + 1 : 0;
        pause_ms(5);
    }
    CHECK(times == 4);
}

static inline void ignore_call(int sig) { (void)sig; }
static inline void catch_signal(int sig, int flags) {
    struct sigaction action = {.sa_handler = ignore_call, .sa_flags = flags};
    CHECK(sigaction(sig, &action, NULL) == 0);
}

// A key that no other run of the tests has.
static inline key_t own_key(int which) { return (key_t)(0x46000000 + (getpid() << 4) + which); }

// Only root can become somebody else.
static inline void become(uid_t id) { CHECK(setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0); }
#define NOBODY 65534

// The line of /proc/sysvipc/<kind> about that object, which must be there once. The first line names the columns.
static inline void sysvipc_line(const char* kind, int id, char* line, size_t size) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/sysvipc/%s", kind);
    FILE* file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, (int)size, file) != NULL);
    CHECK(strncmp(line, "       key ", 11) == 0);
    char found[400] = "";
    while (fgets(line, (int)size, file) != NULL) {
        int key;
        int its_id;
        CHECK(sscanf(line, "%d %d", &key, &its_id) == 2);
        if (its_id != id) continue;
        CHECK(found[0] == 0);
        snprintf(found, sizeof(found), "%s", line);
    }
    CHECK(found[0] != 0);
    snprintf(line, size, "%s", found);
    fclose(file);
}

// The number that a file below /proc/sys says.
static inline unsigned long sysctl_number(const char* name) {
    char path[100];
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    FILE* file = fopen(path, "r");
    unsigned long value = 0;
    CHECK(file != NULL && fscanf(file, "%lu", &value) == 1);
    fclose(file);
    return value;
}
