// Reading the files of /proc, for the row programs.
#pragma once

#include "rows.h"

#include <limits.h>
#include <stdarg.h>

// All of the file named by the format, closed by a zero, in memory that is reused every few calls. NULL (and errno) if
// it cannot be read.
static inline char* proc_read_at(const char* name) {
    static char rooms[4][1 << 16];
    static unsigned next;
    char* text = rooms[next++ % 4];
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    size_t length = 0;
    for (;;) {
        const ssize_t got = read(fd, text + length, sizeof(rooms[0]) - 1 - length);
        if (got < 0) {
            const int error = errno;
            close(fd);
            errno = error;
            return NULL;
        }
        if (got == 0) break;
        length += (size_t)got;
    }
    close(fd);
    text[length] = '\0';
    return text;
}

__attribute__((format(printf, 1, 2))) static inline char* proc_read(const char* format, ...) {
    char name[200];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    return proc_read_at(name);
}

// What follows "name:" and blanks on its line; NULL if there is no such line. Not cut at the end of the line.
static inline char* proc_field(char* text, const char* name) {
    const size_t length = strlen(name);
    for (char* line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        if (*line == '\n') ++line;
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            while (*line == ' ' || *line == '\t') ++line;
            return line;
        }
    }
    return NULL;
}

static inline long proc_number(char* text, const char* name) {
    const char* field = proc_field(text, name);
    CHECK(field != NULL);
    return strtol(field, NULL, 10);
}
static inline unsigned long proc_hex(char* text, const char* name) {
    const char* field = proc_field(text, name);
    CHECK(field != NULL);
    return strtoul(field, NULL, 16);
}

// Field n of a stat file, counted from 1 as man 5 proc does; n > 2.
static inline char* stat_field(char* text, int n) {
    char* at = strrchr(text, ')');
    CHECK(at != NULL);
    for (; n > 2 && at != NULL; --n) at = strchr(at + 1, ' ');
    CHECK(at != NULL);
    return at + 1;
}
static inline long stat_number(char* text, int n) { return strtol(stat_field(text, n), NULL, 10); }

// Waits until the child is in that state (R S D T Z).
static inline void await_state(pid_t pid, char state) {
    for (int i = 0; i < 2000; ++i) {
        char* text = proc_read("/proc/%d/stat", pid);
        CHECK(text != NULL);
        if (*stat_field(text, 3) == state) return;
        usleep(1000);
    }
    CHECK(!"the state came");
}

// A child that sleeps in read(2) until its pipe is closed.
static inline pid_t sleeping_child(int pipe_fds[2]) {
    CHECK(pipe(pipe_fds) == 0);
    const pid_t pid = IN_CHILD({
        close(pipe_fds[1]);
        char byte;
        while (read(pipe_fds[0], &byte, 1) > 0) {}
    });
    close(pipe_fds[0]);
    await_state(pid, 'S');
    return pid;
}
static inline void let_go(pid_t pid, int pipe_fds[2]) {
    close(pipe_fds[1]);
    wait_exit(pid, 0);
}

static inline void check_link(const char* link, const char* wanted) {
    char text[PATH_MAX];
    const ssize_t length = readlink(link, text, sizeof(text) - 1);
    CHECK(length > 0);
    text[length] = '\0';
    if (strcmp(text, wanted) != 0) printf("  %s -> %s, not %s\n", link, text, wanted);
    CHECK(strcmp(text, wanted) == 0);
}

// One line of maps.
struct area {
    unsigned long start, end, offset, ino;
    unsigned major, minor;
    char rights[5];
    char name[256];
};

// The area of /proc/PID/maps that holds the address; false if none does.
static inline bool find_area(const char* file, const void* address, struct area* out) {
    char* line = proc_read_at(file);
    CHECK(line != NULL);
    unsigned long before = 0;
    while (line != NULL && *line != '\0') {
        memset(out, 0, sizeof(*out));
        const int got = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %255[^\n]", &out->start, &out->end, out->rights, &out->offset,
                               &out->major, &out->minor, &out->ino, out->name);
        CHECK(got >= 7 && out->start < out->end && out->start >= before);
        before = out->end;
        if ((unsigned long)address >= out->start && (unsigned long)address < out->end) return true;
        line = strchr(line, '\n');
        if (line != NULL) ++line;
    }
    return false;
}

static inline char* smaps_of(const char* file, const void* address) {
    char* text = proc_read_at(file);
    CHECK(text != NULL);
    char start[32];
    struct area area;
    CHECK(find_area("/proc/self/maps", address, &area));
    snprintf(start, sizeof(start), "%08lx-", area.start);
    char* at = strstr(text, start);
    CHECK(at != NULL);
    return at;
}
