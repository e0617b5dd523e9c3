// Tracers as programs use them: one that follows a tree of processes, and one that lists system calls.
#include "tracer.h"

enum { kStack = 64 * 1024, kMaxTasks = 16 };

// Every task of the tree, named by the order in which it was seen first, with what it reported: F, V, C for the
// children that it made, D at the end of vfork, X exec, E its exit, then a dot when it is gone.
struct seen {
    pid_t pid;
    char events[16];
};
static struct seen tasks[kMaxTasks];
static int task_count;

static int name_of(pid_t pid) {
    for (int i = 0; i < task_count; ++i) {
        if (tasks[i].pid == pid) return i;
    }
    CHECK(task_count < kMaxTasks);
    tasks[task_count].pid = pid;
    return task_count++;
}

static void note(pid_t pid, char event) {
    char* events = tasks[name_of(pid)].events;
    const size_t length = strlen(events);
    CHECK(length + 1 < sizeof(tasks[0].events));
    events[length] = event;
}

static void report(pid_t pid, int event) {
    static const char letters[] = " FVCXDE";
    note(pid, letters[event]);
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        const int child = name_of((pid_t)event_message(pid));
        printf("  %d makes %d (%c)\n", name_of(pid), child, letters[event]);
    } else {
        printf("  %d %c\n", name_of(pid), letters[event]);
    }
}

// Until nobody is left.
static void follow(void) {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            note(pid, '.');
            continue;
        }
        const int event = status >> 16;
        const int sig = WSTOPSIG(status);
        if (event != 0) report(pid, event);
        // The first stop of a child that was attached by the kernel; and traps are the tracer's own.
        const bool pass_on = event == 0 && sig != SIGSTOP && sig != SIGTRAP;
        name_of(pid);
        go(pid, pass_on ? sig : 0);
    }
    CHECK(errno == ECHILD);
}

static void reap(pid_t pid) {
    int status = 0;
    CHECK(pid > 0 && waitpid(pid, &status, __WALL) == pid && WIFEXITED(status));
}

static int leave(void* unused) {
    (void)unused;
    return 5;
}

static void run_busybox(void) {
    char* argv[] = {"busybox", "true", NULL};
    execv("/bin/busybox", argv);
    _exit(127);
}

static void make_tree(void) {
    reap(IN_CHILD({
        const pid_t pid = vfork();
        if (pid == 0) run_busybox();
        reap(pid);
    }));
    reap(clone(leave, map_pages(kStack / PAGE, MAP_PRIVATE) + kStack, 0, NULL));
    reap(IN_CHILD({ reap(IN_CHILD({ _exit(0); })); }));
}

ROWS(a_tree_is_followed, "C6,P1,P16,P18") {
    const pid_t root = TRACED_CHILD({ make_tree(); });
    const int options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE |
                        PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    CHECK(TRACE(PTRACE_SETOPTIONS, root, 0, options) == 0);
    name_of(root);
    go(root, 0);
    follow();
    // The root, its first child, that one's vfork, the clone, the last child and its child.
    static const char* const wanted[] = {"FCFE.", "VDE.", "XE.", "E.", "FE.", "E."};
    for (int i = 0; i < task_count; ++i) {
        if (i < 6 && strcmp(tasks[i].events, wanted[i]) != 0) printf("  %d: %s\n", i, tasks[i].events);
    }
    CHECK(task_count == 6);
    for (int i = 0; i < 6; ++i) CHECK(strcmp(tasks[i].events, wanted[i]) == 0);
}

static void read_memory(pid_t pid, unsigned long from, char* to, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
        const unsigned long at = from + i;
        const long word = TRACE(PTRACE_PEEKDATA, pid, at & ~7UL, 0);
        to[i] = (char)(word >> (at & 7) * 8);
    }
}

ROWS(system_calls_are_listed, "C6") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t pid = TRACED_CHILD({
        CHECK(dup2(data[1], 1) == 1);
        char* argv[] = {"busybox", "echo", "hello", "tracer", NULL};
        execv("/bin/busybox", argv);
        _exit(127);
    });
    CHECK(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) == 0);
    char written[64] = "";
    size_t length = 0;
    int entries = 0, exits = 0, execs = 0;
    long number = -1;  // of the call that it is in
    int status = 0;
    for (;;) {
        go_to_syscall(pid);
        CHECK(waitpid(pid, &status, __WALL) == pid);
        if (!WIFSTOPPED(status)) break;
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
            ++execs;
            continue;
        }
        CHECK(WSTOPSIG(status) == SYSCALL_STOP);
        const struct user_regs_struct regs = get_regs(pid);
        if (number >= 0) {
            CHECK((long)regs.orig_rax == number);
            ++exits;
            if (number == SYS_write && regs.rdi == 1) {
                CHECK((long)regs.rax > 0 && length + regs.rax < sizeof(written));
                read_memory(pid, regs.rsi, written + length, regs.rax);
                length += regs.rax;
            }
            number = -1;
        } else {
            number = (long)regs.orig_rax;
            ++entries;
        }
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(number == SYS_exit_group && entries == exits + 1 && execs == 1 && entries > 5);
    CHECK(strcmp(written, "hello tracer\n") == 0);
    char through[64] = "";
    CHECK(read(data[0], through, sizeof(through)) == 13 && strcmp(through, written) == 0);
}

// What a tracee, its breakpoint and its pidfd took is back when it is gone.
GUEST_ROWS(tracing_leaks_nothing, "W10") {
    static volatile char* const text = (volatile char*)(uintptr_t)&make_tree;
    uint64_t before = 0;
    for (int round = 0; round < 40; ++round) {
        if (round == 8) before = free_ram();
        const pid_t pid = TRACED_CHILD({ _exit(text[0] == (char)0xcc ? 3 : 1); });
        const long word = TRACE(PTRACE_PEEKTEXT, pid, text, 0);
        CHECK(TRACE(PTRACE_POKETEXT, pid, text, (word & ~0xffL) | 0xcc) == 0);
        const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
        CHECK(fd >= 0);
        go(pid, 0);
        expect_exit(pid, 3);
        CHECK(close(fd) == 0);
    }
    CHECK(free_ram() == before);
}
