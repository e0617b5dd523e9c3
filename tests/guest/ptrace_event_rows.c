// ptrace(): the events of fork, vfork, clone, execve and exit, followed through trees of processes.
#include "tracer.h"

#include <pthread.h>
#include <sys/syscall.h>

enum { kStack = 64 * 1024 };
static char* new_stack(void) { return map_pages(kStack / PAGE, MAP_PRIVATE) + kStack; }

static const int kAll = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE |
                        PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;

static int exit_five(void* unused) {
    (void)unused;
    return 5;
}

static void reap(pid_t pid, int flags) {
    int status = 0;
    CHECK(waitpid(pid, &status, flags) == pid && WIFEXITED(status));
}

// The new child stops by itself, and before it has run.
static void follow_child(pid_t child) {
    expect_signal(child, SIGSTOP);
    CHECK(get_regs(child).rax == 0);
    go(child, 0);
}

ROWS(fork_event, "P1,P18,C6") {
    const pid_t pid = TRACED_CHILD({ reap(IN_CHILD({ _exit(7); }), 0); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK) == 0);
    go(pid, 0);
    const pid_t child = (pid_t)expect_event(pid, PTRACE_EVENT_FORK);
    CHECK(child > 0 && child != pid);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    CHECK(info.si_code == (SIGTRAP | PTRACE_EVENT_FORK << 8) && info.si_signo == SIGTRAP);
    follow_child(child);
    go(pid, 0);
    // The tracer sees its end first, then its parent.
    expect_exit(child, 7);
    expect_signal(pid, SIGCHLD);
    go(pid, SIGCHLD);
    expect_exit(pid, 0);
}

ROWS(vfork_events, "P1,P18,C6,C7") {
    const pid_t pid = TRACED_CHILD({
        const pid_t child = vfork();
        if (child == 0) _exit(7);
        reap(child, 0);
    });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE) == 0);
    go(pid, 0);
    const pid_t child = (pid_t)expect_event(pid, PTRACE_EVENT_VFORK);
    go(pid, 0);
    expect_signal(child, SIGSTOP);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);  // it sleeps until the child is done
    go(child, 0);
    int status = 0;
    bool done = false, ended = false;
    while (!done || !ended) {
        const pid_t found = waitpid(-1, &status, __WALL);
        if (found == child) {
            CHECK(WIFEXITED(status));
            ended = true;
        } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8)) {
            CHECK(found == pid && event_message(pid) == (unsigned long)child);
            done = true;
            go(pid, 0);
        } else {
            CHECK(found == pid && WSTOPSIG(status) == SIGCHLD);
            go(pid, 0);
        }
    }
    // SIGCHLD may come after the event.
    CHECK(waitpid(pid, &status, 0) == pid);
    if (WIFSTOPPED(status)) {
        go(pid, 0);
        expect_exit(pid, 0);
    }
}

ROWS(clone_event, "P1,P18,C6") {
    const pid_t pid = TRACED_CHILD({ reap(clone(exit_five, new_stack(), 0, NULL), __WALL); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, kAll & ~PTRACE_O_TRACEEXIT) == 0);
    go(pid, 0);
    const pid_t child = (pid_t)expect_event(pid, PTRACE_EVENT_CLONE);
    follow_child(child);
    expect_exit(child, 5);
    go(pid, 0);
    expect_exit(pid, 0);
}

ROWS(events_that_nobody_asked_for, "P1") {
    const pid_t pid = TRACED_CHILD({
        reap(IN_CHILD({ _exit(0); }), 0);
        reap(clone(exit_five, new_stack(), CLONE_UNTRACED | SIGCHLD, NULL), 0);
        reap(clone(exit_five, new_stack(), 0, NULL), __WALL);
    });
    // Neither fork nor what the caller forbids.
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK) == 0);
    for (int i = 0; i < 2; ++i) {
        go(pid, 0);
        expect_signal(pid, SIGCHLD);
    }
    go(pid, 0);
    const pid_t child = (pid_t)expect_event(pid, PTRACE_EVENT_CLONE);
    go(pid, 0);
    follow_child(child);
    expect_exit(child, 5);
    expect_exit(pid, 0);
}

ROWS(clone_ptrace, "C6,P16") {
    const pid_t pid =
        TRACED_CHILD({ reap(clone(exit_five, new_stack(), CLONE_PTRACE | SIGCHLD, NULL), 0); });
    go(pid, 0);
    int status = 0;
    const pid_t child = wait_stop(-1, &status);
    CHECK(child != pid && WSTOPSIG(status) == SIGSTOP && status >> 16 == 0);
    go(child, 0);
    expect_exit(child, 5);
    expect_signal(pid, SIGCHLD);
    go(pid, 0);
    expect_exit(pid, 0);
    // Without a tracer the flag means nothing.
    reap(clone(exit_five, new_stack(), CLONE_PTRACE | SIGCHLD, NULL), 0);
}

ROWS(seized_children_stop_by_event, "C6,P16") {
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(ready[0], &byte, 1) == 1);
        reap(IN_CHILD({ _exit(7); }), 0);
    });
    CHECK_ERROR(TRACE(PTRACE_SEIZE, pid, 1, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_SEIZE, pid, 0, 1 << 30), EIO);
    CHECK(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK) == 0);
    CHECK(write(ready[1], "r", 1) == 1);
    const pid_t child = (pid_t)expect_event(pid, PTRACE_EVENT_FORK);
    expect_event(child, PTRACE_EVENT_STOP);
    go(child, 0);
    go(pid, 0);
    expect_exit(child, 7);
    expect_signal(pid, SIGCHLD);
    go(pid, 0);
    expect_exit(pid, 0);
}

static void exec_busybox(const char* script) {
    char* argv[] = {"busybox", "sh", "-c", (char*)script, NULL};
    execv("/bin/busybox", argv);
    _exit(127);
}

ROWS(exec_event, "C6") {
    const pid_t pid = TRACED_CHILD({ exec_busybox("exit 3"); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC) == 0);
    go(pid, 0);
    CHECK(expect_event(pid, PTRACE_EVENT_EXEC) == (unsigned long)pid);
    CHECK(get_regs(pid).orig_rax == SYS_execve && get_regs(pid).rax == (unsigned long)-ENOSYS);
    go(pid, 0);
    expect_exit(pid, 3);
}

ROWS(exec_traps_without_the_event, "C6") {
    const pid_t pid = TRACED_CHILD({ exec_busybox("exit 4"); });
    go(pid, 0);
    expect_signal(pid, SIGTRAP);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == SI_USER && info.si_pid == pid);
    go(pid, 0);
    expect_exit(pid, 4);
}

static void* exec_from_thread(void* unused) {
    exec_busybox("exit 6");
    return unused;
}

ROWS(exec_by_another_thread, "C9") {
    const pid_t pid = TRACED_CHILD({
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, exec_from_thread, NULL) == 0);
        for (;;) pause();
    });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC) == 0);
    go(pid, 0);
    const pid_t thread = (pid_t)expect_event(pid, PTRACE_EVENT_CLONE);
    go(pid, 0);
    follow_child(thread);
    // The thread took the leader's id over; the message tells what it was.
    CHECK(expect_event(pid, PTRACE_EVENT_EXEC) == (unsigned long)thread);
    CHECK_ERROR(TRACE(PTRACE_CONT, thread, 0, 0), ESRCH);
    go(pid, 0);
    expect_exit(pid, 6);
}

ROWS(exit_event, "C6") {
    pid_t pid = TRACED_CHILD({ _exit(9); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT) == 0);
    go(pid, 0);
    CHECK(expect_event(pid, PTRACE_EVENT_EXIT) == 9 << 8);
    CHECK(get_regs(pid).orig_rax == SYS_exit_group);
    go(pid, 0);
    expect_exit(pid, 9);
    pid = TRACED_CHILD({ raise(SIGTERM); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT) == 0);
    go(pid, 0);
    expect_signal(pid, SIGTERM);
    go(pid, SIGTERM);
    CHECK(expect_event(pid, PTRACE_EVENT_EXIT) == SIGTERM);
    go(pid, 0);
    expect_killed(pid, SIGTERM);
    // Even SIGKILL stops once more on its way; a second one does not.
    pid = TRACED_CHILD({ for (;;) pause(); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT) == 0);
    go(pid, 0);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(expect_event(pid, PTRACE_EVENT_EXIT) == SIGKILL);
    go(pid, 0);
    expect_killed(pid, SIGKILL);
}

static volatile int trapped_status, trapped_code;
static void note_child(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    if (info->si_code != CLD_TRAPPED) return;
    trapped_code = info->si_code;
    trapped_status = info->si_status;
}

ROWS(sigchld_tells_of_stops, "C6,F14") {
    struct sigaction action = {.sa_sigaction = note_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    const pid_t pid = TRACED_CHILD({ raise(SIGUSR1); });
    while (trapped_code == 0) sched_yield();
    CHECK(trapped_status == SIGSTOP);
    go(pid, 0);
    expect_signal(pid, SIGUSR1);
    while (trapped_status != SIGUSR1) sched_yield();
    go(pid, 0);
    expect_exit(pid, 0);
}
