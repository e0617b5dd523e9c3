/* forktrace: runs a program and says what it and all its descendants fork, execute and end with (man 2 ptrace). */
#include "program.h"

#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define EVENTS                                                                                      \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE | \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

static pid_t message_of(pid_t pid) {
    unsigned long message = 0;
    if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) != 0) fail("PTRACE_GETEVENTMSG");
    return (pid_t)message;
}

static void say_event(pid_t pid, int event) {
    switch (event) {
        case PTRACE_EVENT_FORK:
            say("[%d] fork -> [%d]", pid, message_of(pid));
            break;
        case PTRACE_EVENT_VFORK:
            say("[%d] vfork -> [%d]", pid, message_of(pid));
            break;
        case PTRACE_EVENT_CLONE:
            say("[%d] clone -> [%d]", pid, message_of(pid));
            break;
        case PTRACE_EVENT_VFORK_DONE:
            say("[%d] goes on: [%d] has its memory no more", pid, message_of(pid));
            break;
        case PTRACE_EVENT_EXEC:
            if (message_of(pid) != pid) {
                say("[%d] exec by thread [%d]", pid, message_of(pid));
            } else {
                say("[%d] exec", pid);
            }
            break;
        default:
            break; /* PTRACE_EVENT_STOP: a child's first stop, or its group's */
    }
}

/* What to do with a stop; the signal that the task goes on with. */
static int handle_stop(pid_t pid, int status) {
    int event = status >> 16;
    if (event == 0) return WSTOPSIG(status);
    say_event(pid, event);
    return 0;
}

static int is_group_stop(int status) { return status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP; }

/* Until nobody is left; the status of `first` as a shell shows it. */
static int follow(pid_t first) {
    int result = 0;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status)) {
            /* A task that its group stops stays so until the group goes on. The task may be gone by now: killed. */
            if (is_group_stop(status)) {
                ptrace(PTRACE_LISTEN, pid, NULL, NULL);
            } else {
                ptrace(PTRACE_CONT, pid, NULL, (void*)(intptr_t)handle_stop(pid, status));
            }
            continue;
        }
        if (WIFSIGNALED(status)) {
            say("[%d] killed by signal %d", pid, WTERMSIG(status));
        } else {
            say("[%d] ends with %d", pid, WEXITSTATUS(status));
        }
        if (pid == first) result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return result;
}

/* A child that waits until it is traced, and then runs the program. */
static pid_t start(char* const* program) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child > 0) return child;
    raise(SIGSTOP);
    execvp(program[0], program);
    int error = errno;
    say("forktrace: cannot run %s: %s", program[0], strerror(error));
    _exit(error == ENOENT ? 127 : 126);
}

int main(int argc, char** argv) {
    if (argc < 2 || argv[1][0] == '-') {
        help(argc, argv,
             "usage: forktrace PROGRAM ARGUMENT...\n\n"
             "Runs PROGRAM and prints a line for each fork, vfork, clone, execve and end of it and of all that "
             "descends from\nit, by their process ids; ends with the status of PROGRAM.\n");
        say("forktrace: no program is named; see --help");
        return 2;
    }
    pid_t child = start(argv + 1);
    int status;
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) fail("waitpid");
    if (ptrace(PTRACE_SEIZE, child, NULL, (void*)(intptr_t)EVENTS) != 0) fail("PTRACE_SEIZE");
    if (kill(child, SIGCONT) != 0) fail("kill");
    return follow(child);
}
