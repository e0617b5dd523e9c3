// ptrace(): attaching, signals, registers, memory, system calls and single steps of one tracee.
#include "tracer.h"

#include <stddef.h>
#include <sys/uio.h>
#include <time.h>

static const int kGood = PTRACE_O_TRACESYSGOOD;

ROWS(signals_stop_the_tracee, "P16") {
    const pid_t pid = TRACED_CHILD({
        raise(SIGUSR1);  // taken away
        raise(SIGUSR2);  // becomes SIGUSR1 with an ignored action
        kill(getpid(), SIGTERM);
    });
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    CHECK(info.si_signo == SIGSTOP && info.si_pid == pid && info.si_code == SI_TKILL);
    go(pid, 0);
    expect_signal(pid, SIGUSR1);
    go(pid, 0);
    expect_signal(pid, SIGUSR2);
    go(pid, SIGCHLD);
    expect_signal(pid, SIGTERM);
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == SI_USER);
    CHECK_ERROR(TRACE(PTRACE_CONT, pid, 0, 65), EIO);
    go(pid, SIGTERM);
    expect_killed(pid, SIGTERM);
}

ROWS(ignored_signals_are_reported, "P16") {
    const pid_t pid = TRACED_CHILD({
        signal(SIGHUP, SIG_IGN);
        raise(SIGHUP);
        raise(SIGCHLD);
    });
    go(pid, 0);
    expect_signal(pid, SIGHUP);
    go(pid, SIGHUP);
    expect_signal(pid, SIGCHLD);
    go(pid, SIGCHLD);
    expect_exit(pid, 0);
}

static volatile int usr1_pid, usr1_value;
static void note_usr1(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    usr1_pid = info->si_pid;
    usr1_value = info->si_value.sival_int;
}

ROWS(siginfo_can_be_changed, "P16") {
    const pid_t pid = TRACED_CHILD({
        struct sigaction action = {.sa_sigaction = note_usr1, .sa_flags = SA_SIGINFO};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        raise(SIGUSR1);
        _exit(usr1_pid == 77 && usr1_value == 88 ? 5 : 1);
    });
    go(pid, 0);
    expect_signal(pid, SIGUSR1);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
    info.si_pid = 77;
    info.si_value.sival_int = 88;
    CHECK(TRACE(PTRACE_SETSIGINFO, pid, 0, &info) == 0);
    go(pid, SIGUSR1);
    expect_exit(pid, 5);
}

ROWS(attach_and_detach, "P16") {
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    CHECK_ERROR(TRACE(PTRACE_CONT, pid, 0, 0), ESRCH);
    CHECK_ERROR(TRACE(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    CHECK_ERROR(TRACE(PTRACE_ATTACH, 30000, 0, 0), ESRCH);
    CHECK(TRACE(PTRACE_ATTACH, pid, 0, 0) == 0);
    CHECK_ERROR(TRACE(PTRACE_ATTACH, pid, 0, 0), EPERM);
    expect_signal(pid, SIGSTOP);
    CHECK_ERROR(TRACE(12345, pid, 0, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_SETOPTIONS, pid, 0, 1 << 30), EINVAL);
    CHECK_ERROR(TRACE(PTRACE_LISTEN, pid, 0, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_INTERRUPT, pid, 0, 0), EIO);
    go(pid, 0);
    CHECK_ERROR(TRACE(PTRACE_CONT, pid, 0, 0), ESRCH);  // it runs
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    CHECK(kill(pid, SIGUSR1) == 0);
    expect_signal(pid, SIGUSR1);
    CHECK(TRACE(PTRACE_DETACH, pid, 0, SIGTERM) == 0);
    expect_killed(pid, SIGTERM);
}

ROWS(a_stopped_task_is_traced_at_once, "P16") {
    const pid_t pid = IN_CHILD({
        for (;;) pause();
    });
    int status = 0;
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WSTOPSIG(status) == SIGSTOP);
    CHECK(TRACE(PTRACE_ATTACH, pid, 0, 0) == 0);
    // The transition is over when ATTACH is.
    CHECK(waitpid(pid, &status, WNOHANG) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    // In a group stop, a signal to go on with says nothing.
    CHECK(TRACE(PTRACE_DETACH, pid, 0, SIGTERM) == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    expect_killed(pid, SIGKILL);
}

ROWS(a_tracee_may_be_killed, "P16") {
    const pid_t pid = TRACED_CHILD({ _exit(1); });
    CHECK(TRACE(PTRACE_KILL, pid, 0, 0) == 0);
    expect_killed(pid, SIGKILL);
}

ROWS(other_users_are_not_traced, "P16") {
    if (getuid() != 0) return;
    const pid_t root = IN_CHILD({
        for (;;) pause();
    });
    const pid_t other = IN_CHILD({
        CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        CHECK_ERROR(TRACE(PTRACE_ATTACH, root, 0, 0), EPERM);
        CHECK_ERROR(TRACE(PTRACE_SEIZE, root, 0, 0), EPERM);
    });
    wait_exit(other, 0);
    CHECK(kill(root, SIGKILL) == 0);
    wait_status(root);
}

ROWS(memory_is_read_and_written, "W7") {
    static volatile long word = 0x1122334455667788;
    const long* text = opaque((uintptr_t)&wait_stop);
    const long before = *text;
    long* shared = (long*)map_pages(1, MAP_SHARED);
    char* barred = map_pages(1, MAP_PRIVATE);
    barred[5] = 'x';
    CHECK(mprotect(barred, PAGE, PROT_NONE) == 0);
    const pid_t pid = TRACED_CHILD({ _exit(word == 99 && shared[1] == 7 && *text != before ? 3 : 1); });
    CHECK(TRACE(PTRACE_PEEKDATA, pid, &word, 0) == 0x1122334455667788);
    CHECK(TRACE(PTRACE_POKEDATA, pid, &word, 99) == 0);
    CHECK(word == 0x1122334455667788);
    CHECK(TRACE(PTRACE_POKEDATA, pid, &shared[1], 7) == 0 && shared[1] == 7);
    // A read-only page of the program is copied for the tracee alone.
    CHECK(TRACE(PTRACE_POKETEXT, pid, text, ~before) == 0);
    CHECK(*text == before && TRACE(PTRACE_PEEKTEXT, pid, text, 0) == ~before);
    CHECK((TRACE(PTRACE_PEEKDATA, pid, barred, 0) >> 40 & 0xff) == 'x');
    CHECK_ERROR(TRACE(PTRACE_PEEKDATA, pid, 16, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_POKEDATA, pid, 16, 0), EIO);
    go(pid, 0);
    expect_exit(pid, 3);
}

static int breakpoint_here(int x) {
    __asm__ volatile("" : "+r"(x));
    return x + 1;
}

ROWS(breakpoints_stay_with_the_tracee, "W2") {
    int (*volatile function)(int) = breakpoint_here;
    const long* text = (const long*)(uintptr_t)function;
    const pid_t pid = TRACED_CHILD({
        // Its own child has the breakpoint as well, and no tracer.
        const pid_t child = fork();
        if (child == 0) _exit(function(1));
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTRAP);
        _exit(function(40) == 41 ? 6 : 1);
    });
    const long before = *text;
    CHECK(TRACE(PTRACE_POKETEXT, pid, text, (before & ~0xffL) | 0xcc) == 0);
    CHECK(function(2) == 3);
    go(pid, 0);
    expect_signal(pid, SIGCHLD);
    go(pid, SIGCHLD);
    expect_signal(pid, SIGTRAP);
    struct user_regs_struct regs = get_regs(pid);
    CHECK(regs.rip == (uintptr_t)text + 1 && regs.rdi == 40);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == SI_KERNEL);
    --regs.rip;
    set_regs(pid, &regs);
    CHECK(TRACE(PTRACE_POKETEXT, pid, text, before) == 0);
    go(pid, 0);
    expect_exit(pid, 6);
}

ROWS(system_calls_stop_twice, "P16") {
    const pid_t pid = TRACED_CHILD({ _exit(syscall(SYS_getppid, 11, 22, 33) == 4242 ? 8 : 1); });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, kGood) == 0);
    struct user_regs_struct regs;
    do {
        go_to_syscall(pid);
        expect_signal(pid, SYSCALL_STOP);
        regs = get_regs(pid);
    } while (regs.orig_rax != SYS_getppid);
    CHECK(regs.rax == (unsigned long)-ENOSYS && regs.rdi == 11 && regs.rsi == 22 && regs.rdx == 33);
    struct __ptrace_syscall_info info;
    const long entry_bytes = offsetof(struct __ptrace_syscall_info, entry) + sizeof(info.entry);
    CHECK(TRACE(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) == entry_bytes);
    CHECK(info.op == PTRACE_SYSCALL_INFO_ENTRY && info.arch == 0xc000003e && info.entry.nr == SYS_getppid);
    CHECK(info.entry.args[1] == 22 && info.instruction_pointer == regs.rip && info.stack_pointer == regs.rsp);
    CHECK(event_message(pid) == 1);
    go_to_syscall(pid);
    expect_signal(pid, SYSCALL_STOP);
    regs = get_regs(pid);
    CHECK(regs.orig_rax == SYS_getppid && regs.rax == (unsigned long)getpid() && event_message(pid) == 2);
    CHECK(TRACE(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) == 33);
    CHECK(info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval == getpid() && info.exit.is_error == 0);
    regs.rax = 4242;
    set_regs(pid, &regs);
    go(pid, 0);
    expect_exit(pid, 8);
}

ROWS(a_system_call_can_be_changed_or_skipped, "P16") {
    const pid_t pid = TRACED_CHILD({
        const long first = syscall(SYS_getppid);  // becomes getpid
        const long second = syscall(SYS_getppid);
        _exit(first == getpid() && second == 31 ? 9 : 1);
    });
    int seen = 0;
    go_to_syscall(pid);
    while (seen < 2) {
        expect_signal(pid, SIGTRAP);
        struct user_regs_struct regs = get_regs(pid);
        if (regs.orig_rax == SYS_getppid && regs.rax == (unsigned long)-ENOSYS) {
            regs.orig_rax = seen == 0 ? SYS_getpid : -1UL;
            if (seen == 1) regs.rax = 31;
            set_regs(pid, &regs);
            ++seen;
        }
        go_to_syscall(pid);
    }
    expect_signal(pid, SIGTRAP);
    go(pid, 0);
    expect_exit(pid, 9);
}

ROWS(single_steps, "P12") {
    int word[2];
    CHECK(pipe(word) == 0);
    const pid_t pid = TRACED_CHILD({
        const pid_t child = fork();  // stepped over; the child is not stepped, or SIGTRAP would kill it
        if (child == 0) _exit(3);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3 && WIFEXITED(status));
    });
    int steps = 0;
    bool forked = false;
    unsigned long rip = get_regs(pid).rip;
    while (!forked) {
        CHECK(TRACE(PTRACE_SINGLESTEP, pid, 0, 0) == 0);
        expect_signal(pid, SIGTRAP);
        const struct user_regs_struct regs = get_regs(pid);
        CHECK((regs.eflags & 0x100) == 0);  // the tracer's own trap flag is not shown
        forked = regs.rip == rip + 2 && (regs.orig_rax == SYS_fork || regs.orig_rax == SYS_clone);
        rip = regs.rip;
        ++steps;
    }
    CHECK(steps > 10);
    go(pid, 0);
    expect_signal(pid, SIGCHLD);
    go(pid, 0);
    expect_exit(pid, 0);
}

ROWS(a_step_into_a_handler, "P16") {
    static volatile int count = 0;
    const pid_t pid = TRACED_CHILD({
        CHECK(signal(SIGUSR1, (void (*)(int))(uintptr_t)breakpoint_here) != SIG_ERR);
        raise(SIGUSR1);
        _exit(count + 4);
    });
    go(pid, 0);
    expect_signal(pid, SIGUSR1);
    CHECK(TRACE(PTRACE_SINGLESTEP, pid, 0, SIGUSR1) == 0);
    expect_signal(pid, SIGTRAP);
    struct user_regs_struct regs = get_regs(pid);
    CHECK(regs.rip == (uintptr_t)breakpoint_here && regs.rdi == SIGUSR1);
    go(pid, 0);
    expect_exit(pid, 4);
}
