// Signals.
#include "rows.h"

#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static volatile sig_atomic_t last;
static siginfo_t last_info;
static void note(int sig, siginfo_t* info, void* context) {
    (void)context;
    ++count;
    last = sig;
    last_info = *info;
}

static void catch_with(int sig, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(sig, &action, NULL) == 0);
}

ROWS(handler_gets_siginfo, "F5") {
    catch_with(SIGUSR1, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(count == 1 && last == SIGUSR1);
    CHECK(last_info.si_signo == SIGUSR1 && last_info.si_code == SI_USER && last_info.si_pid == getpid() &&
          last_info.si_uid == getuid());
    CHECK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0);
    CHECK(count == 2 && last_info.si_code == SI_TKILL);
}

// A handler that spoils every register it may: the interrupted code does not notice.
static void spoil(int sig) {
    (void)sig;
    const uint32_t mxcsr = 0x1f80;
    __asm__ volatile(
        "ldmxcsr %0\n"
        "pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm15\n"
        "fninit; fldpi; fldpi\n"
        "movq $-1, %%rax; movq %%rax, %%rcx; movq %%rax, %%rdx; movq %%rax, %%r8; movq %%rax, %%r11\n"
        :
        : "m"(mxcsr)
        : "rax", "rcx", "rdx", "r8", "r11", "xmm0", "xmm1", "xmm7", "xmm15", "memory");
    ++count;
}

ROWS(registers_survive_a_handler, "F1") {
    CHECK(signal(SIGUSR1, spoil) != SIG_ERR);
    double values[4] = {1.5, -2.25, 1e300, 0.1};
    double out[4] = {0};
    double x87_in = 3.25, x87_out = 0;
    long pid = getpid();
    __asm__ volatile(
        "movsd 0(%[in]), %%xmm0; movsd 8(%[in]), %%xmm1; movsd 16(%[in]), %%xmm7; movsd 24(%[in]), %%xmm15\n"
        "fldl %[x87_in]\n"
        "movl %[nr], %%eax; movq %[pid], %%rdi; movl %[sig], %%esi\n"
        "movq $8, %%r8\n"
        "syscall\n"
        "cmpq $8, %%r8; jne 1f\n"
        "movsd %%xmm0, 0(%[out]); movsd %%xmm1, 8(%[out]); movsd %%xmm7, 16(%[out]); movsd %%xmm15, 24(%[out])\n"
        "fstpl %[x87_out]\n"
        "1:\n"
        : [x87_out] "=m"(x87_out)
        : [in] "b"(values), [out] "r"(out), [x87_in] "m"(x87_in), [nr] "i"(SYS_kill), [pid] "r"(pid), [sig] "i"(SIGUSR1)
        : "rax", "rcx", "rdi", "rsi", "r8", "r11", "xmm0", "xmm1", "xmm7", "xmm15", "memory");
    CHECK(count == 1);
    CHECK(memcmp(values, out, sizeof(values)) == 0 && x87_out == x87_in);
}

ROWS(blocked_until_unblocked, "F5") {
    catch_with(SIGUSR1, 0);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && count == 0);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(count == 1);
}

ROWS(real_time_signals_queue, "F5") {
    catch_with(SIGRTMIN, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 0; i < 3; ++i) CHECK(raise(SIGRTMIN) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK(count == 3);
}

static volatile sig_atomic_t depth, deepest;
static void nest(int sig) {
    if (++depth > deepest) deepest = depth;
    if (depth < 3) raise(sig);
    --depth;
}

ROWS(no_defer, "F5") {
    struct sigaction action = {.sa_handler = nest, .sa_flags = SA_NODEFER};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(deepest == 3 && depth == 0);
}

ROWS(reset_hand, "F5") {
    catch_with(SIGUSR1, (int)SA_RESETHAND);
    CHECK(raise(SIGUSR1) == 0 && count == 1);
    struct sigaction action;
    CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
}

static void* handler_sp;
static void note_stack(int sig) {
    (void)sig;
    int local;
    handler_sp = &local;
    ++count;
}

ROWS(alternate_stack, "P12") {
    char* memory = map_pages(8, MAP_PRIVATE);
    stack_t stack = {.ss_sp = memory, .ss_size = 8 * PAGE};
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct sigaction action = {.sa_handler = note_stack, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(count == 1 && (char*)handler_sp > memory && (char*)handler_sp < memory + 8 * PAGE);
}

static void store(void* argument) { *(volatile char*)argument = 1; }
static void load(void* argument) { (void)*(volatile char*)argument; }
static void jump(void* argument) { ((void (*)(void))argument)(); }
static void divide(void* argument) {
    (void)argument;
    __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" : : : "eax", "ecx", "edx");
}
static void undefined(void* argument) {
    (void)argument;
    __asm__ volatile("ud2");
}
static void breakpoint(void* argument) {
    (void)argument;
    __asm__ volatile("int3");
}
static void privileged(void* argument) {
    (void)argument;
    __asm__ volatile("cli");
}

ROWS(faults_become_signals, "W2") {
    char* page = map_pages(3, MAP_PRIVATE);
    CHECK(fault_of(store, opaque(8)) == SIGSEGV && fault_address == opaque(8) && fault_code == SEGV_MAPERR);
    CHECK(munmap(page + PAGE, PAGE) == 0);
    CHECK(fault_of(load, page + PAGE + 5) == SIGSEGV && fault_address == page + PAGE + 5 && fault_code == SEGV_MAPERR);
    CHECK(mprotect(page, PAGE, PROT_READ) == 0);
    CHECK(fault_of(store, page) == SIGSEGV && fault_address == page && fault_code == SEGV_ACCERR);
    CHECK(mprotect(page, PAGE, PROT_NONE) == 0);
    CHECK(fault_of(load, page) == SIGSEGV && fault_code == SEGV_ACCERR);
    CHECK(fault_of(jump, page + 2 * PAGE) == SIGSEGV && fault_address == page + 2 * PAGE);
    CHECK(fault_of(load, (void*)0xffffffff80100000) == SIGSEGV);
    CHECK(fault_of(load, (void*)0x8000000000000000) == SIGSEGV);
    CHECK(fault_of(divide, NULL) == SIGFPE && fault_code == FPE_INTDIV);
    CHECK(fault_of(undefined, NULL) == SIGILL);
    CHECK(fault_of(breakpoint, NULL) == SIGTRAP);
    CHECK(fault_of(privileged, NULL) == SIGSEGV);
}

ROWS(unhandled_faults_kill, "F14") {
    const pid_t pid = IN_CHILD({ store(opaque(16)); });
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    // A blocked or ignored fault kills just the same.
    const pid_t ignoring = IN_CHILD({
        signal(SIGSEGV, SIG_IGN);
        store(opaque(16));
    });
    CHECK(WTERMSIG(wait_status(ignoring)) == SIGSEGV);
}

ROWS(restart, "P15") {
    int data[2];
    CHECK(pipe(data) == 0);
    catch_with(SIGUSR1, SA_RESTART);
    const pid_t parent = getpid();
    pid_t pid = IN_CHILD({
        for (int i = 0; i < 20; ++i) sched_yield();
        CHECK(kill(parent, SIGUSR1) == 0);
        for (int i = 0; i < 20; ++i) sched_yield();
        usleep(50000);
        CHECK(write(data[1], "x", 1) == 1);
    });
    char byte = 0;
    CHECK(read(data[0], &byte, 1) == 1 && byte == 'x' && count == 1);
    wait_exit(pid, 0);
    catch_with(SIGUSR1, 0);
    pid = IN_CHILD({
        usleep(50000);
        CHECK(kill(parent, SIGUSR1) == 0);
    });
    CHECK_ERROR(read(data[0], &byte, 1), EINTR);
    CHECK(count == 2);
    wait_exit(pid, 0);
}

ROWS(suspend, "F5") {
    catch_with(SIGUSR1, 0);
    sigset_t set, empty, now;
    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0 && count == 0);
    CHECK_ERROR(sigsuspend(&empty), EINTR);
    CHECK(count == 1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
}

ROWS(sleep_is_interrupted, "F5") {
    catch_with(SIGUSR1, SA_RESTART);
    const pid_t parent = getpid();
    const pid_t pid = IN_CHILD({
        usleep(30000);
        CHECK(kill(parent, SIGUSR1) == 0);
    });
    struct timespec request = {5, 0}, remaining = {0, 0};
    CHECK_ERROR(nanosleep(&request, &remaining), EINTR);
    CHECK(count == 1 && remaining.tv_sec == 4);
    wait_exit(pid, 0);
}

ROWS(permissions, "F12") {
    const pid_t parent = getpid();
    const pid_t pid = IN_CHILD({
        CHECK(setuid(12345) == 0);
        CHECK_ERROR(kill(parent, SIGTERM), EPERM);
        CHECK_ERROR(kill(parent, 0), EPERM);
        CHECK(kill(getpid(), 0) == 0);
        CHECK_ERROR(setuid(0), EPERM);
    });
    wait_exit(pid, 0);
    CHECK_ERROR(kill(parent, 100), EINVAL);
    CHECK_ERROR(kill(99999999, 0), ESRCH);
}

ROWS(process_groups_get_signals, "F12") {
    pid_t pids[3];
    for (int i = 0; i < 3; ++i) {
        pids[i] = IN_CHILD({
            for (;;) pause();
        });
        CHECK(setpgid(pids[i], pids[0]) == 0);
    }
    CHECK(kill(-pids[0], SIGTERM) == 0);
    for (int i = 0; i < 3; ++i) CHECK(WTERMSIG(wait_status(pids[i])) == SIGTERM);
    CHECK_ERROR(kill(-pids[0], SIGTERM), ESRCH);
}

// Red zone: what lies below the stack pointer of interrupted code stays as it was.
ROWS(red_zone, "F1") {
    catch_with(SIGUSR1, 0);
    uint64_t before = 0x7777777777777777, after = 0;
    long pid = getpid();
    __asm__ volatile(
        "movq %[before], -8(%%rsp); movq %[before], -128(%%rsp)\n"
        "movl %[nr], %%eax; movq %[pid], %%rdi; movl %[sig], %%esi\n"
        "syscall\n"
        "movq -8(%%rsp), %[after]; andq -128(%%rsp), %[after]\n"
        : [after] "=&r"(after)
        : [before] "r"(before), [nr] "i"(SYS_kill), [pid] "r"(pid), [sig] "i"(SIGUSR1)
        : "rax", "rcx", "rdi", "rsi", "r11", "memory");
    CHECK(count == 1 && after == before);
}

static void change_rax(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)info;
    ucontext_t* uc = context;
    uc->uc_mcontext.gregs[REG_RIP] += 2;  // over ud2
    uc->uc_mcontext.gregs[REG_RAX] = 99;
}

ROWS(handler_changes_the_context, "F1") {
    struct sigaction action = {.sa_sigaction = change_rax, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    long rax = 1;
    __asm__ volatile("ud2" : "+a"(rax));
    CHECK(rax == 99);
}
