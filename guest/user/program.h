/* What the programs of the initramfs have in common: their help, their way of saying things, their way of
 * failing. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_SIZE 4096L

/* One line straight to the descriptor: nothing stays in a buffer that fork would double. */
__attribute__((format(printf, 1, 2))) static inline void say(const char* format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (length < 0) return;
    if ((size_t)length > sizeof(line) - 2) length = sizeof(line) - 2;
    line[length++] = '\n';
    ssize_t written = write(1, line, (size_t)length);
    (void)written;
}

/* Something that must not happen happened: says what and ends the program with status 1. */
__attribute__((noreturn)) static inline void fail(const char* what) {
    int error = errno;
    say("FAILED: %s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
    _exit(1);
}

static inline void check(int holds, const char* what) {
    if (!holds) {
        errno = 0;
        fail(what);
    }
}

/* --help anywhere: prints the text and ends with status 0. */
static inline void help(int argc, char** argv, const char* text) {
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(text, stdout);
            exit(0);
        }
    }
}

/* For programs that take none: ends the program with status 2 if there are arguments. */
static inline void no_arguments(int argc, char** argv) {
    if (argc < 2) return;
    say("`%s`: %s takes no arguments", argv[1], argv[0]);
    _exit(2);
}

/* A number between 1 and limit from the command line; ends the program with status 2 for anything else. */
static inline long number(const char* text, long limit) {
    char* end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > limit) {
        say("`%s` is not a number from 1 to %ld", text, limit);
        exit(2);
    }
    return value;
}
