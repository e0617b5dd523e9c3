// Run as init: tracers that make requests at random on trees of processes that fork, execute, stop and kill each other,
// and that die at any moment. Whatever they do, everybody can be killed and reaped, and all memory is back in the end.
//   tracefuzz ROUNDS SEED
#include "tracer.h"

#include <pthread.h>
#include <time.h>

static uint64_t state;
// SplitMix64
static uint64_t next_random(void) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static bool one_in(unsigned n) { return next_random() % n == 0; }

static void* live_shortly(void* unused) {
    for (int i = 0; i < 5; ++i) sched_yield();
    return unused;
}

// Makes children and threads, sends signals, executes, ends.
static void tracee(int depth);
static void make_child(int depth) {
    const pid_t child = depth > 0 ? fork() : -1;
    if (child == 0) tracee(depth - 1);
    if (one_in(2) && child > 0) waitpid(child, NULL, one_in(2) ? WNOHANG : 0);
}

static void tracee(int depth) {
    state ^= (uint64_t)getpid() * 7919;
    for (int i = 0; i < 12; ++i) {
        switch (next_random() % 10) {
            case 0:
            case 1:
                make_child(depth);
                break;
            case 2:
                if (depth > 0) {
                    const pid_t child = vfork();
                    if (child == 0) _exit(1);
                }
                break;
            case 3: {
                pthread_t thread;
                pthread_create(&thread, NULL, live_shortly, NULL);
                break;
            }
            case 4: raise((int)(next_random() % 31 + 1)); break;
            case 5: kill(getppid() > 1 ? getppid() : getpid(), one_in(2) ? SIGSTOP : SIGCONT); break;
            case 6: syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); break;
            case 7:
                if (one_in(6)) {
                    char* argv[] = {"busybox", "true", NULL};
                    execv("/bin/busybox", argv);
                }
                break;
            default: sched_yield();
        }
    }
    _exit(0);
}

static const int kRequests[] = {PTRACE_PEEKTEXT, PTRACE_PEEKUSER, PTRACE_POKETEXT, PTRACE_POKEUSER, PTRACE_CONT,
                                PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_KILL, PTRACE_GETREGS,
                                PTRACE_SETREGS, PTRACE_SETFPREGS, PTRACE_DETACH, PTRACE_SETOPTIONS, PTRACE_SETOPTIONS,
                                PTRACE_GETSIGINFO, PTRACE_SETSIGINFO, PTRACE_SETREGSET, PTRACE_INTERRUPT, PTRACE_LISTEN,
                                PTRACE_SETSIGMASK, PTRACE_GET_SYSCALL_INFO, PTRACE_ATTACH, PTRACE_SEIZE, 31, 32};

static void random_request(pid_t pid, char* buffer) {
    const int request = kRequests[next_random() % (sizeof(kRequests) / sizeof(kRequests[0]))];
    uint64_t address = one_in(2) ? next_random() % 1000 : one_in(2) ? next_random() : 0x400000 + next_random() % 65536;
    uint64_t data = one_in(3) ? (uint64_t)(uintptr_t)buffer : one_in(2) ? next_random() % 70 : next_random() % 256;
    if (request == PTRACE_SETREGSET) {
        address = one_in(2) ? 1 : 2;
        const struct { char* base; size_t bytes; } where = {buffer + 64, next_random() % 600};
        memcpy(buffer, &where, sizeof(where));
        data = (uint64_t)(uintptr_t)buffer;
    }
    if (request == PTRACE_SEIZE) address = 0;
    if (request == PTRACE_KILL && !one_in(10)) return;
    syscall(SYS_ptrace, request, pid, address, data);
}

static void tracer(pid_t first) {
    static char buffer[4096];
    pid_t known[16] = {first};
    int count = 1;
    for (int i = 0; i < 200; ++i) {
        int status = 0;
        const pid_t found = waitpid(-1, &status, __WALL | WNOHANG | (one_in(2) ? WUNTRACED : 0));
        if (found > 0 && WIFSTOPPED(status) && count < 16) known[count++] = found;
        const pid_t pid = known[next_random() % (unsigned)count];
        if (pid <= 1 || pid == getpid()) continue;
        if (one_in(16)) memset(buffer, (int)next_random(), sizeof(buffer));
        if (one_in(2)) {
            random_request(pid, buffer);
        } else {
            syscall(SYS_ptrace, one_in(2) ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, one_in(3) ? next_random() % 32 : 0);
        }
        if (one_in(4)) sched_yield();
    }
    _exit(0);  // with whatever it still traces
}

static void one_round(void) {
    const pid_t family = fork();
    if (family == 0) tracee(2);
    if (family < 0) return;
    const int tracers = (int)(next_random() % 2 + 1);
    for (int i = 0; i < tracers; ++i) {
        next_random();
        if (fork() == 0) {
            state ^= (uint64_t)getpid();
            syscall(SYS_ptrace, one_in(2) ? PTRACE_ATTACH : PTRACE_SEIZE, family, 0, one_in(2) ? 0x7f : 0);
            tracer(family);
        }
    }
    for (int i = 0; i < 60; ++i) sched_yield();
    kill(-1, SIGKILL);
    const time_t deadline = time(NULL) + 20;
    pid_t found;
    while ((found = waitpid(-1, NULL, __WALL | WNOHANG)) >= 0) {
        CHECK(time(NULL) < deadline);
        if (found == 0) sched_yield();
    }
}

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 100;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (!on_guest()) {
        puts("tracefuzz: only for the bundled kernel");
        return 2;
    }
    uint64_t before = 0;
    for (int round = 0; round < rounds; ++round) {
        if (round == rounds / 4) before = free_ram();
        one_round();
    }
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0 && info.procs == 1);
    const uint64_t after = free_ram();
    printf("%d rounds: everybody is reaped, %ld bytes are missing\n", rounds, (long)(before - after));
    return before == after ? 0 : 1;
}
