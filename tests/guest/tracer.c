// What the tests of tracing share.
#include "tracer.h"

pid_t wait_stop(pid_t pid, int* status) {
    const pid_t found = waitpid(pid, status, __WALL);
    CHECK(found > 0);
    if (!WIFSTOPPED(*status)) printf("  no stop: %d has status %x\n", found, *status);
    CHECK(WIFSTOPPED(*status));
    return found;
}

static void expect_stop(pid_t pid, int code) {
    int status = 0;
    wait_stop(pid, &status);
    if (status >> 8 != code) printf("  stop %x instead of %x\n", status >> 8, code);
    CHECK(status >> 8 == code);
}

void expect_signal(pid_t pid, int sig) { expect_stop(pid, sig); }

unsigned long expect_event(pid_t pid, int event) {
    expect_stop(pid, SIGTRAP | event << 8);
    return event_message(pid);
}

void expect_exit(pid_t pid, int code) {
    int status = 0;
    CHECK(waitpid(pid, &status, __WALL) == pid);
    if (!WIFEXITED(status)) printf("  no exit: %x\n", status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

void expect_killed(pid_t pid, int sig) {
    int status = 0;
    CHECK(waitpid(pid, &status, __WALL) == pid);
    if (!WIFSIGNALED(status)) printf("  not killed: %x\n", status);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

void go(pid_t pid, int sig) { CHECK(TRACE(PTRACE_CONT, pid, 0, sig) == 0); }
void go_to_syscall(pid_t pid) { CHECK(TRACE(PTRACE_SYSCALL, pid, 0, 0) == 0); }

unsigned long event_message(pid_t pid) {
    unsigned long message = 0;
    CHECK(TRACE(PTRACE_GETEVENTMSG, pid, 0, &message) == 0);
    return message;
}

struct user_regs_struct get_regs(pid_t pid) {
    struct user_regs_struct regs;
    CHECK(TRACE(PTRACE_GETREGS, pid, 0, &regs) == 0);
    return regs;
}

void set_regs(pid_t pid, const struct user_regs_struct* regs) {
    CHECK(TRACE(PTRACE_SETREGS, pid, 0, regs) == 0);
}
