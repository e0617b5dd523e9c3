// exit and wait.
#include "rows.h"

#include <sys/prctl.h>

ROWS(exit_codes, "F14") {
    wait_exit(IN_CHILD({ _exit(0); }), 0);
    wait_exit(IN_CHILD({ _exit(255); }), 255);
    wait_exit(IN_CHILD({ _exit(0x1234); }), 0x34);
    wait_exit(IN_CHILD({ exit(3); }), 3);
}

ROWS(death_by_signal, "F14") {
    static const int kSignals[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGALRM};
    for (size_t i = 0; i < sizeof(kSignals) / sizeof(kSignals[0]); ++i) {
        const pid_t pid = IN_CHILD({
            for (;;) pause();
        });
        CHECK(kill(pid, kSignals[i]) == 0);
        const int status = wait_status(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == kSignals[i] && !WIFEXITED(status));
    }
}

ROWS(no_hang, "F14") {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
    });
    int status = 1234;
    CHECK(waitpid(pid, &status, WNOHANG) == 0 && status == 1234);
    CHECK(waitpid(-1, &status, WNOHANG) == 0);
    CHECK(write(go[1], "g", 1) == 1);
    pid_t found;
    while ((found = waitpid(pid, &status, WNOHANG)) == 0) sched_yield();
    CHECK(found == pid && status == 0);
    CHECK_ERROR(waitpid(pid, &status, WNOHANG), ECHILD);
}

ROWS(no_children, "F14") {
    CHECK_ERROR(waitpid(-1, NULL, 0), ECHILD);
    CHECK_ERROR(waitpid(getpid(), NULL, 0), ECHILD);
    CHECK_ERROR(waitpid(-1, NULL, 0x7000), EINVAL);
}

ROWS(by_process_group, "F14") {
    const pid_t first = IN_CHILD({
        CHECK(setpgid(0, 0) == 0);
        _exit(1);
    });
    const pid_t second = IN_CHILD({ _exit(2); });
    int status = 0;
    CHECK(waitpid(0, &status, 0) == second || WEXITSTATUS(status) == 1);
    siginfo_t info;
    const pid_t left = WEXITSTATUS(status) == 2 ? first : second;
    CHECK(waitid(P_PID, (id_t)left, &info, WEXITED) == 0);
    CHECK(info.si_pid == left && info.si_code == CLD_EXITED && info.si_signo == SIGCHLD);
}

ROWS(waitid_leaves_the_zombie, "F14") {
    const pid_t pid = IN_CHILD({ _exit(4); });
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == pid && info.si_status == 4 && info.si_code == CLD_EXITED);
    CHECK(kill(pid, 0) == 0);
    wait_exit(pid, 4);
    CHECK_ERROR(kill(pid, 0), ESRCH);
}

ROWS(stopped_and_continued, "F14") {
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    int status = 0;
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

ROWS(ignored_sigchld_reaps, "F14") {
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    const pid_t pid = IN_CHILD({ _exit(1); });
    CHECK_ERROR(waitpid(pid, NULL, 0), ECHILD);
    CHECK_ERROR(kill(pid, 0), ESRCH);
}

static volatile sig_atomic_t chld_count;
static volatile sig_atomic_t chld_pid;
static void note_child(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    ++chld_count;
    chld_pid = info->si_pid;
}

ROWS(sigchld_tells, "F14") {
    struct sigaction action = {.sa_sigaction = note_child, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    const pid_t pid = IN_CHILD({ _exit(1); });
    while (chld_count == 0) sched_yield();
    CHECK(chld_count == 1 && chld_pid == pid);
    wait_exit(pid, 1);
}

ROWS(orphans_get_a_new_parent, "F14") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t child = IN_CHILD({
        const pid_t me = getpid();
        IN_CHILD({
            while (getppid() == me) sched_yield();
            const pid_t now = getppid();
            CHECK(write(data[1], &now, sizeof(now)) == sizeof(now));
        });
    });
    wait_exit(child, 0);
    pid_t parent = 0;
    CHECK(read(data[0], &parent, sizeof(parent)) == sizeof(parent));
    CHECK(parent != child && parent > 0);
    if (on_guest()) CHECK(parent == 1);
}

ROWS(child_times_are_added, "F14") {
    const pid_t pid = IN_CHILD({
        struct rusage own;
        do {
            CHECK(getrusage(RUSAGE_SELF, &own) == 0);
        } while (own.ru_utime.tv_usec < 50000);
    });
    struct rusage usage, children;
    int status;
    CHECK(wait4(pid, &status, 0, &usage) == pid && status == 0);
    CHECK(usage.ru_utime.tv_usec >= 50000 || usage.ru_utime.tv_sec > 0);
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
    CHECK(children.ru_utime.tv_usec >= 50000 || children.ru_utime.tv_sec > 0);
}

ROWS(parent_death_signal, "F14") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t child = IN_CHILD({
        int ready[2];
        CHECK(pipe(ready) == 0);
        IN_CHILD({
            sigset_t set;
            sigemptyset(&set);
            CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
            CHECK(write(ready[1], "r", 1) == 1);
            for (;;) pause();
        });
        char byte;
        CHECK(read(ready[0], &byte, 1) == 1);
    });
    CHECK(close(data[1]) == 0);
    wait_exit(child, 0);
    // The grandchild held the other end.
    char byte;
    CHECK(read(data[0], &byte, 1) == 0);
}
