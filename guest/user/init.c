/* init: the first process. Welcomes, starts a shell or what it was given, collects orphans, and ends with the
 * status of what it started: the machine's exit status. */
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

static char* const shell[] = {"/bin/sh", NULL};
static char* const demonstration[] = {"/bin/forkscope-demo", NULL};

/* A session of its own with the console as its terminal, so that ^C and job control reach it and not us. */
static void become_foreground(void) {
    if (setsid() < 0) fail("setsid");
    /* Refused where init is not in charge of the terminal; the program runs all the same. */
    if (ioctl(0, TIOCSCTTY, 1) == 0) tcsetpgrp(0, getpid());
}

static pid_t start(char* const* program) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child > 0) return child;
    become_foreground();
    execv(program[0], program);
    int error = errno;
    say("init: cannot run %s: %s", program[0], strerror(error));
    _exit(error == ENOENT ? 127 : 126);
}

/* Collects whatever ends until `main_child` has; its status as a shell shows it. */
static int collect_until(pid_t main_child) {
    for (;;) {
        int status;
        pid_t gone = wait(&status);
        if (gone < 0 && errno != EINTR) fail("wait");
        if (gone != main_child) continue;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: init [demo | PROGRAM ARGUMENT...]\n\n"
         "Runs a shell on the console, the demonstration, or PROGRAM (a path), collects orphans meanwhile, "
         "and ends with\n"
         "the status of what it ran.\n");
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 0);
    setenv("HOME", "/root", 0);
    setenv("TERM", "vt102", 0);
    setenv("PS1", "\\w # ", 0);
    char* const* program = shell;
    if (argc > 1) program = strcmp(argv[1], "demo") == 0 ? demonstration : argv + 1;
    if (program == shell) {
        say("Welcome to Forkscope's guest. This is busybox sh. Good to begin with:");
        say("`forkscope-demo`, `forkdemo --help`. `resize` tells programs your terminal's");
        say("size; `exit` ends the machine.");
    }
    if (mount("proc", "/proc", "proc", 0, NULL) != 0) say("init: cannot mount /proc: %s", strerror(errno));
    if (mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666") != 0)
        say("init: cannot mount /dev/pts: %s", strerror(errno));
    if (mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL) != 0)
        say("init: cannot mount /dev/mqueue: %s", strerror(errno));
    if (chdir("/root") != 0 && chdir("/") != 0) fail("chdir");
    return collect_until(start(program));
}
