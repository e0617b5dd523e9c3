// Reading the files of /proc, for the row programs.
#pragma once

#include "rows.h"

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
