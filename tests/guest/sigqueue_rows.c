// Signals that queue, that are waited for, and calls that go on after them.
#include "rows.h"

#include <time.h>

static volatile sig_atomic_t count;
static siginfo_t last_info;
static void note(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    ++count;
    last_info = *info;
}

static void catch_with(int sig, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(sig, &action, NULL) == 0);
}

static sigset_t set_of(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}
static void block_signal(int sig) {
    const sigset_t set = set_of(sig);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

ROWS(queued_values_come_in_order, "F5") {
    const sigset_t set = set_of(SIGRTMIN + 2);
    block_signal(SIGRTMIN + 2);
    for (int i = 0; i < 4; ++i) CHECK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}) == 0);
    for (int i = 0; i < 4; ++i) {
        siginfo_t info;
        CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 2);
        CHECK(info.si_value.sival_int == i && info.si_code == SI_QUEUE && info.si_pid == getpid());
    }
    const struct timespec now = {0, 0}, soon = {0, 20000000}, wrong = {0, -1};
    CHECK_ERROR(sigtimedwait(&set, NULL, &now), EAGAIN);
    CHECK_ERROR(sigtimedwait(&set, NULL, &soon), EAGAIN);
    CHECK_ERROR(sigtimedwait(&set, NULL, &wrong), EINVAL);
}

static int order[4], ordered;
static void note_order(int sig) { order[ordered++] = sig; }

ROWS(lower_numbers_first, "F5") {
    static const int kSent[] = {SIGUSR2, SIGUSR1, SIGHUP};
    sigset_t all, old;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_SETMASK, &all, &old) == 0);
    for (int i = 0; i < 3; ++i) {
        struct sigaction action = {.sa_handler = note_order, .sa_mask = all};
        CHECK(sigaction(kSent[i], &action, NULL) == 0 && raise(kSent[i]) == 0);
    }
    // The frames are stacked before any handler runs unless the mask says otherwise: it does.
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(ordered == 3 && order[0] == SIGHUP && order[1] == SIGUSR1 && order[2] == SIGUSR2);
}

ROWS(sigwait_takes_what_would_be_ignored_or_kill, "F5") {
    // SIGURG is ignored by default, SIGTERM kills: blocked and waited for, both are taken.
    sigset_t set = set_of(SIGURG);
    sigaddset(&set, SIGTERM);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    const pid_t parent = getpid();
    const pid_t pid = IN_CHILD({
        usleep(20000);
        CHECK(kill(parent, SIGURG) == 0);
        usleep(20000);
        CHECK(kill(parent, SIGTERM) == 0);
    });
    siginfo_t info;
    CHECK(sigwaitinfo(&set, &info) == SIGURG && info.si_code == SI_USER && info.si_pid == pid);
    CHECK(sigwaitinfo(&set, &info) == SIGTERM && info.si_pid == pid);
    wait_exit(pid, 0);
    // A signal that is not waited for ends the wait.
    catch_with(SIGALRM, SA_RESTART);
    alarm(1);
    CHECK_ERROR(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8), EINTR);
}

ROWS(queueinfo_may_not_forge, "F5") {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    info.si_code = SI_USER;
    CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    info.si_code = SI_TKILL;
    CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info), EPERM);
    info.si_code = SI_QUEUE;
    CHECK(syscall(SYS_rt_sigqueueinfo, pid, 0, &info) == 0);
    CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, getpid(), pid, SIGUSR1, &info), ESRCH);
    CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, 0, pid, SIGUSR1, &info), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, pid, 65, &info), EINVAL);
    CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGKILL, &info) == 0);
    CHECK(WTERMSIG(wait_status(pid)) == SIGKILL);
    // To itself anything goes.
    catch_with(SIGUSR1, 0);
    info.si_code = 77;
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info) == 0 && last_info.si_code == 77);
}

ROWS(limit_on_queued_signals, "F12") {
    // The count is per user: one that nobody else is.
    CHECK(setuid(54321) == 0);
    const struct rlimit limit = {3, 3};
    CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    block_signal(SIGRTMIN);
    block_signal(SIGUSR1);
    for (int i = 0; i < 3; ++i) CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0);
    CHECK_ERROR(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), EAGAIN);
    // kill() gets through, with less to tell.
    CHECK(kill(getpid(), SIGUSR1) == 0);
    sigset_t pending;
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
}

ROWS(children_nobody_waits_for, "F14") {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NOCLDWAIT};
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    pid_t pid = IN_CHILD(_exit(3));
    int status;
    errno = 0;
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
    }
    CHECK(errno == ECHILD && count == 1 && last_info.si_pid == pid && last_info.si_status == 3);
    // SA_NOCLDSTOP: no signal for stops.
    action.sa_flags = SA_SIGINFO | SA_NOCLDSTOP;
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    count = 0;
    pid = IN_CHILD({
        for (;;) pause();
    });
    // SIGTSTP does not stop orphaned process groups: one of its own.
    CHECK(setpgid(pid, pid) == 0);
    CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid && WSTOPSIG(status) == SIGSTOP);
    CHECK(count == 0 && kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status) && count == 0);
    // The child itself tells that it goes on, which may come later than the wait.
    usleep(20000);
    CHECK(count == 0);
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    CHECK(kill(pid, SIGTSTP) == 0);
    while (count == 0) usleep(1000);
    CHECK(last_info.si_code == CLD_STOPPED && last_info.si_status == SIGTSTP && last_info.si_pid == pid);
    CHECK(kill(pid, SIGKILL) == 0 && WTERMSIG(wait_status(pid)) == SIGKILL);
}

// What a stop costs a poll with a time-out is nothing: it goes on with what is left; a handler ends it.
ROWS(poll_and_futex_go_on_after_a_stop, "P15") {
    struct timespec start, end;
    for (int i = 0; i < 2; ++i) {
        CHECK(clock_gettime(CLOCK_MONOTONIC, &start) == 0);
        const pid_t pid = IN_CHILD({
            static int word;
            const struct timespec timeout = {0, 300000000};
            if (i == 0) {
                CHECK(syscall(SYS_poll, NULL, 0, 300) == 0);
            } else {
                CHECK_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &timeout, NULL, 0), ETIMEDOUT);
            }
        });
        usleep(50000);
        int status = 0;
        CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
        usleep(400000);
        CHECK(kill(pid, SIGCONT) == 0);
        wait_exit(pid, 0);
        CHECK(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
        const int64_t took = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
        CHECK(took >= 290);
        if (on_guest()) CHECK(took < 700);
    }
    catch_with(SIGALRM, SA_RESTART);
    alarm(1);
    CHECK_ERROR(syscall(SYS_poll, NULL, 0, 5000), EINTR);
    static int word;
    const struct timespec timeout = {5, 0};
    alarm(1);
    CHECK_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &timeout, NULL, 0), EINTR);
}
