// ptrace(): job control of a tracee, tracers that are not the parent, and what a tracer's end means.
#include "tracer.h"

#include <pthread.h>
#include <time.h>

static void pause_forever(void) {
    for (;;) pause();
}

static void moment(void) {
    const struct timespec time = {0, 20000000};
    nanosleep(&time, NULL);
}

ROWS(interrupt, "P16") {
    const pid_t pid = IN_CHILD({ pause_forever(); });
    CHECK(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) == 0);
    moment();
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);  // seizing alone stops nothing
    CHECK(TRACE(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    expect_event(pid, PTRACE_EVENT_STOP);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == (SIGTRAP | PTRACE_EVENT_STOP << 8));
    // No group is stopped: there is nothing to listen for, but it may be said.
    CHECK(TRACE(PTRACE_INTERRUPT, pid, 0, 0) == 0);  // once more, when it goes on
    go(pid, 0);
    expect_event(pid, PTRACE_EVENT_STOP);
    CHECK(TRACE(PTRACE_DETACH, pid, 0, 0) == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    expect_killed(pid, SIGKILL);
}

static void expect_group_stop(pid_t pid, int sig) {
    int status = 0;
    wait_stop(pid, &status);
    CHECK(status >> 8 == (sig | PTRACE_EVENT_STOP << 8));
}

ROWS(listen_to_a_stopped_group, "P16") {
    const pid_t pid = IN_CHILD({ pause_forever(); });
    CHECK(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) == 0);
    CHECK(kill(pid, SIGTSTP) == 0);
    expect_signal(pid, SIGTSTP);
    // An orphaned group is not stopped by that one: this one always does.
    go(pid, SIGSTOP);
    expect_group_stop(pid, SIGSTOP);
    CHECK(TRACE(PTRACE_LISTEN, pid, 0, 0) == 0);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    CHECK_ERROR(TRACE(PTRACE_CONT, pid, 0, 0), ESRCH);
    CHECK(kill(pid, SIGCONT) == 0);
    expect_group_stop(pid, SIGTRAP);  // news: the group goes on
    go(pid, 0);
    expect_signal(pid, SIGCONT);
    go(pid, SIGCONT);
    CHECK(kill(pid, SIGSTOP) == 0);
    expect_signal(pid, SIGSTOP);
    go(pid, SIGSTOP);
    expect_group_stop(pid, SIGSTOP);
    CHECK(TRACE(PTRACE_LISTEN, pid, 0, 0) == 0);
    CHECK(TRACE(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    expect_group_stop(pid, SIGSTOP);
    CHECK(kill(pid, SIGKILL) == 0);
    expect_killed(pid, SIGKILL);
}

ROWS(group_stop_of_an_attached_tracee, "P16") {
    const pid_t pid = TRACED_CHILD({ pause_forever(); });
    go(pid, SIGSTOP);
    expect_signal(pid, SIGSTOP);  // the group stop itself
    siginfo_t info;
    CHECK_ERROR(TRACE(PTRACE_GETSIGINFO, pid, 0, &info), EINVAL);
    // Detached, it stays stopped with its group.
    CHECK(TRACE(PTRACE_DETACH, pid, 0, 0) == 0);
    int status = 0;
    moment();
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED | WUNTRACED) == pid);
    if (WIFSTOPPED(status)) CHECK(waitpid(pid, &status, WCONTINUED) == pid);
    CHECK(WIFCONTINUED(status) && kill(pid, SIGKILL) == 0);
    expect_killed(pid, SIGKILL);
}

static void* stop_thread(void* unused) {
    pause_forever();
    return unused;
}

ROWS(each_thread_stops_for_itself, "P16,C9") {
    const pid_t pid = TRACED_CHILD({
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, stop_thread, NULL) == 0);
        pause_forever();
    });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE) == 0);
    go(pid, 0);
    const pid_t thread = (pid_t)expect_event(pid, PTRACE_EVENT_CLONE);
    go(pid, 0);
    expect_signal(thread, SIGSTOP);
    go(thread, 0);
    moment();
    CHECK(syscall(SYS_tgkill, pid, thread, SIGSTOP) == 0);
    expect_signal(thread, SIGSTOP);
    go(thread, SIGSTOP);
    // Both are in the group stop.
    expect_signal(thread, SIGSTOP);
    expect_signal(pid, SIGSTOP);
    CHECK(kill(pid, SIGKILL) == 0);
    expect_killed(thread, SIGKILL);
    expect_killed(pid, SIGKILL);
}

// A tracer beside the family; it tells when it is ready and ends when it is told to.
struct side {
    pid_t pid;
    int ready;
    int leave;
};

#define SIDE_TRACER(...)                                         \
    ({                                                           \
        int ready_[2];                                           \
        int leave_[2];                                           \
        CHECK(pipe(ready_) == 0 && pipe(leave_) == 0);           \
        const pid_t side_ = IN_CHILD({                           \
            __VA_ARGS__;                                         \
            char byte_ = 'r';                                    \
            CHECK(write(ready_[1], &byte_, 1) == 1);             \
            CHECK(close(leave_[1]) == 0);                        \
            CHECK(read(leave_[0], &byte_, 1) >= 0);              \
        });                                                      \
        char byte_;                                              \
        CHECK(read(ready_[0], &byte_, 1) == 1);                  \
        (struct side){side_, ready_[0], leave_[1]};              \
    })

static void end_side(struct side side) {
    CHECK(write(side.leave, "e", 1) == 1);
    wait_exit(side.pid, 0);
}

ROWS(the_parent_waits_on, "P16,F14") {
    const pid_t pid = IN_CHILD({ pause_forever(); });
    struct side side = SIDE_TRACER({
        CHECK(TRACE(PTRACE_ATTACH, pid, 0, 0) == 0);
        expect_signal(pid, SIGSTOP);
        CHECK(waitpid(pid, NULL, WNOHANG) == 0);
        go(pid, 0);
        CHECK(kill(pid, SIGTERM) == 0);
        expect_signal(pid, SIGTERM);
        go(pid, SIGTERM);
        moment();
    });
    // It has ended, but the tracer has not looked yet.
    int status = 0;
    CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0);
    end_side(side);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

ROWS(a_zombie_is_seen_by_tracer_and_parent, "P16,F14") {
    const pid_t pid = IN_CHILD({ pause_forever(); });
    struct side side = SIDE_TRACER({
        CHECK(TRACE(PTRACE_SEIZE, pid, 0, 0) == 0);
        CHECK(kill(pid, SIGKILL) == 0);
        expect_killed(pid, SIGKILL);
        CHECK_ERROR(waitpid(pid, NULL, 0), ECHILD);
    });
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
    end_side(side);
}

ROWS(tracees_outlive_their_tracer, "P16") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(data[0], &byte, 1) == 1);
        _exit(byte);
    });
    struct side side = SIDE_TRACER({
        CHECK(TRACE(PTRACE_SEIZE, pid, 0, 0) == 0);
        CHECK(TRACE(PTRACE_INTERRUPT, pid, 0, 0) == 0);
        expect_event(pid, PTRACE_EVENT_STOP);
    });
    end_side(side);
    CHECK(write(data[1], "w", 1) == 1);
    wait_exit(pid, 'w');
}

ROWS(exitkill, "P16") {
    const pid_t pid = IN_CHILD({ pause_forever(); });
    struct side side = SIDE_TRACER({ CHECK(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) == 0); });
    end_side(side);
    expect_killed(pid, SIGKILL);
}

ROWS(traceme_stays_when_the_parent_ends, "P16") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t parent = IN_CHILD({
        IN_CHILD({
            CHECK(TRACE(PTRACE_TRACEME, 0, 0, 0) == 0);
            CHECK_ERROR(TRACE(PTRACE_TRACEME, 0, 0, 0), EPERM);
            const pid_t before = getppid();
            CHECK(write(data[1], "r", 1) == 1);
            while (getppid() == before) sched_yield();
            raise(SIGURG);  // ignored, and nobody is told
            CHECK(write(data[1], "x", 1) == 1);
        });
        char byte;
        CHECK(read(data[0], &byte, 1) == 1);
    });
    wait_exit(parent, 0);
    char byte = 0;
    CHECK(read(data[0], &byte, 1) == 1 && byte == 'x');
}

ROWS(waitid_tells_what_trapped, "P16") {
    const pid_t pid = TRACED_CHILD({ raise(SIGUSR1); });
    go(pid, 0);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) == 0);
    CHECK(info.si_code == CLD_TRAPPED && info.si_status == SIGUSR1 && info.si_pid == pid);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0 && info.si_status == SIGUSR1);  // whatever is asked for
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT) == 0);
    go(pid, 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0);
    CHECK(info.si_code == CLD_TRAPPED && info.si_status == (SIGTRAP | PTRACE_EVENT_EXIT << 8));
    go(pid, 0);
    expect_exit(pid, 0);
}

static void* wait_without_threads(void* pid) {
    CHECK_ERROR(waitpid(*(pid_t*)pid, NULL, __WALL | __WNOTHREAD | WNOHANG), ECHILD);
    CHECK_ERROR(TRACE(PTRACE_CONT, *(pid_t*)pid, 0, 0), ESRCH);  // the tracer is a thread, not a process
    return NULL;
}

ROWS(tracers_are_threads, "P16") {
    pid_t pid = TRACED_CHILD({ raise(SIGUSR1); });
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_without_threads, &pid) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    go(pid, 0);
    expect_signal(pid, SIGUSR1);
    go(pid, 0);
    expect_exit(pid, 0);
}
