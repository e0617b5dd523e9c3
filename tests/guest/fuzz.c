// Run as init: hostile programs that make system calls at random, half of them as root. Whatever they do, nothing but
// they themselves may come to harm: `fuzz ROUNDS CALLS SEED` ends with status 0 and a line that says so.
#include "rows.h"

#include <time.h>

enum { kBuffer = 16 * PAGE, kLastCall = 340 };

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

static char* buffer;

// Small numbers, addresses good and bad, flags, and nonsense.
static uint64_t random_argument(void) {
    const uint64_t value = next_random();
    switch (next_random() % 12) {
        case 0: return 0;
        case 1: return value % 16;
        case 2: return ~(value % 200);
        case 3: return (uint64_t)buffer + value % kBuffer;
        case 4: return value;
        case 5: return value % 64 * PAGE;
        case 6: return (uint64_t)1 << value % 64;
        case 7: return (uint64_t)buffer;
        case 8: return 0xffff800000000000u + value % 100000;
        case 9: return 0x7ffffffff000u - value % 8192;
        case 10: return value % 70000;
        default: return (uint64_t)buffer + value % 16 * PAGE;
    }
}

// Calls that end or stop the caller, or everybody, by what they are for.
static bool left_out(long number) {
    static const long kLeftOut[] = {SYS_poll, SYS_rt_sigreturn, SYS_select, SYS_pause, SYS_nanosleep, SYS_vfork, SYS_exit,
                                    SYS_wait4, SYS_kill, SYS_rt_sigsuspend, SYS_reboot, SYS_tkill, SYS_futex,
                                    SYS_restart_syscall, SYS_clock_nanosleep, SYS_exit_group, SYS_tgkill, SYS_waitid,
                                    SYS_pselect6, SYS_ppoll};
    for (size_t i = 0; i < sizeof(kLeftOut) / sizeof(kLeftOut[0]); ++i) {
        if (number == kLeftOut[i]) return true;
    }
    return false;
}

static void random_call(void) {
    const long number = (long)(next_random() % kLastCall);
    if (left_out(number)) return;
    if (number == SYS_fork || number == SYS_clone) {
        if (!one_in(20)) return;
        // Without a stack of its own a child cannot share the memory.
        const uint64_t flags = (random_argument() & ~(uint64_t)(CLONE_VM | CLONE_VFORK)) | SIGCHLD;
        if (syscall(number, flags, 0, 0, 0, 0) == 0 && one_in(2)) _exit(0);
        return;
    }
    if ((number == SYS_execve || number == SYS_execveat) && !one_in(50)) return;
    if (number == SYS_rt_sigaction && !one_in(4)) return;
    syscall(number, random_argument(), random_argument(), random_argument(), random_argument(), random_argument(),
            random_argument());
}

static void hostile_program(int round, int calls, uint64_t seed) {
    state = seed * 1000003 + (uint64_t)round;
    buffer = map_pages(kBuffer / PAGE, MAP_PRIVATE);
    for (int i = 0; i < kBuffer; i += 8) {
        const uint64_t word = one_in(3) ? (uint64_t)buffer + next_random() % kBuffer : next_random() % 64;
        memcpy(buffer + i, &word, sizeof(word));
    }
    strcpy(buffer, "/tmp/f");
    strcpy(buffer + PAGE, "/bin/busybox");
    struct rlimit limit = {64 << 20, 64 << 20};
    setrlimit(RLIMIT_AS, &limit);
    if (round % 2 == 1) {
        limit.rlim_cur = limit.rlim_max = 20;
        setrlimit(RLIMIT_NPROC, &limit);
        if (setuid((uid_t)(1000 + round)) != 0) _exit(1);
    }
    for (int fd = 0; fd < 3; ++fd) close(fd);
    for (int i = 0; i < calls; ++i) random_call();
    _exit(0);
}

// Waits a second for it; what then still sleeps is killed. True if it died of a signal.
static bool collect(pid_t pid) {
    const time_t deadline = time(NULL) + 2;
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (time(NULL) >= deadline) kill(pid, SIGKILL);
        sched_yield();
    }
    return WIFSIGNALED(status);
}

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 60;
    const int calls = argc > 2 ? atoi(argv[2]) : 2000;
    const uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (!on_guest()) {
        puts("fuzz: only for the bundled kernel");
        return 2;
    }
    int killed = 0;
    for (int round = 0; round < rounds; ++round) {
        const pid_t pid = checked_fork();
        if (pid == 0) hostile_program(round, calls, seed);
        if (collect(pid)) ++killed;
    }
    kill(-1, SIGKILL);
    while (wait(NULL) > 0) {
    }
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0 && info.procs == 1);
    printf("%d programs, %d killed; nothing else came to harm\n", rounds, killed);
    return 0;
}
