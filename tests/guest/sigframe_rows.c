// What stands on a handler's stack, and the alternate stack.
#include "rows.h"

#include <ucontext.h>

static volatile sig_atomic_t count;
static void* handler_sp;
static void note_stack(int sig) {
    (void)sig;
    int local;
    handler_sp = &local;
    ++count;
}

static void change_rax(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)info;
    ucontext_t* uc = context;
    uc->uc_mcontext.gregs[REG_RIP] += 2;  // over ud2
    uc->uc_mcontext.gregs[REG_RAX] = 99;
}

static stack_t seen_stack;
static int disarm_result;
static void note_disarm(int sig) {
    (void)sig;
    int local;
    handler_sp = &local;
    CHECK(sigaltstack(NULL, &seen_stack) == 0);
    stack_t other = seen_stack;
    other.ss_flags = SS_DISABLE;
    disarm_result = sigaltstack(&other, NULL) == 0 ? 0 : errno;
    ++count;
}
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

ROWS(alternate_stack_in_use, "P12") {
    char* memory = map_pages(8, MAP_PRIVATE);
    stack_t stack = {.ss_sp = memory, .ss_size = 8 * PAGE}, now;
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct sigaction action = {.sa_handler = note_disarm, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(count == 1 && seen_stack.ss_flags == SS_ONSTACK && disarm_result == EPERM);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0 && now.ss_sp == memory && now.ss_size == 8 * PAGE);
    // One that disarms itself is gone while the handler runs, and back afterwards.
    stack.ss_flags = (int)SS_AUTODISARM;
    CHECK(sigaltstack(&stack, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(count == 2 && (char*)handler_sp > memory && (char*)handler_sp < memory + 8 * PAGE);
    CHECK(seen_stack.ss_flags == SS_DISABLE && disarm_result == 0);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == (int)SS_AUTODISARM && now.ss_sp == memory);
    stack.ss_flags = 4;
    CHECK_ERROR(syscall(SYS_sigaltstack, &stack, NULL), EINVAL);
    stack.ss_flags = 0;
    stack.ss_size = 1024;
    CHECK_ERROR(syscall(SYS_sigaltstack, &stack, NULL), ENOMEM);
}

ROWS(frame_that_does_not_fit_kills, "F14") {
    const pid_t pid = IN_CHILD({
        char* memory = map_pages(4, MAP_PRIVATE);
        CHECK(munmap(memory, PAGE) == 0);
        // The lower part of this one is not mapped: the handler's frame cannot be written.
        const stack_t stack = {.ss_sp = memory - 64 * PAGE, .ss_size = 64 * PAGE};
        CHECK(sigaltstack(&stack, NULL) == 0);
        struct sigaction action = {.sa_handler = note_stack, .sa_flags = SA_ONSTACK};
        CHECK(mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        munmap(memory - 64 * PAGE, 64 * PAGE);
        raise(SIGUSR1);
    });
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static uint32_t get_mxcsr(void) {
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}
static uint32_t handler_mxcsr, saved_mxcsr;
static double xmm_in_frame;
static void change_fpu(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)info;
    ucontext_t* uc = context;
    handler_mxcsr = get_mxcsr();
    saved_mxcsr = uc->uc_mcontext.fpregs->mxcsr;
    memcpy(&xmm_in_frame, uc->uc_mcontext.fpregs->_xmm[9].element, sizeof(double));
    const double changed = 6.5;
    memcpy(uc->uc_mcontext.fpregs->_xmm[9].element, &changed, sizeof(double));
    uc->uc_mcontext.fpregs->mxcsr = 0x1f80 | 0x6000;
    ++count;
}

// The frame holds the program's FPU state, and what the handler makes of it is the program's afterwards.
ROWS(fpu_state_in_the_frame, "F1") {
    struct sigaction action = {.sa_sigaction = change_fpu, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    const double in = 2.25;
    double out = 0;
    uint32_t mxcsr_in = 0x1f80 | 0x2000;
    long pid = getpid();
    __asm__ volatile(
        "ldmxcsr %[mxcsr]; movsd %[in], %%xmm9\n"
        "movl %[nr], %%eax; movq %[pid], %%rdi; movl %[sig], %%esi; syscall\n"
        "movsd %%xmm9, %[out]\n"
        : [out] "=m"(out)
        : [in] "m"(in), [mxcsr] "m"(mxcsr_in), [nr] "i"(SYS_kill), [pid] "r"(pid), [sig] "i"(SIGUSR1)
        : "rax", "rcx", "rdi", "rsi", "r11", "xmm9", "memory");
    CHECK(count == 1 && xmm_in_frame == in && out == 6.5);
    CHECK(handler_mxcsr == 0x1f80 && (saved_mxcsr & 0x6000) == 0x2000 && (get_mxcsr() & 0x6000) == 0x6000);
}

static void spoil_frame(int sig, siginfo_t* info, void* context) {
    (void)info;
    ucontext_t* uc = context;
    if (sig == SIGUSR1) uc->uc_mcontext.fpregs = (void*)8;
    if (sig == SIGUSR2) uc->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000000000;
    if (sig == SIGHUP) uc->uc_mcontext.fpregs->mxcsr = 0xffff0000;
}

ROWS(bad_frame_is_a_fault, "F14") {
    static const int kSignals[] = {SIGUSR1, SIGUSR2, SIGHUP};
    for (int i = 0; i < 3; ++i) {
        const pid_t pid = IN_CHILD({
            struct sigaction action = {.sa_sigaction = spoil_frame, .sa_flags = SA_SIGINFO};
            CHECK(sigaction(kSignals[i], &action, NULL) == 0);
            raise(kSignals[i]);
        });
        const int status = wait_status(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
}

ROWS(context_flags, "F1") {
    struct sigaction action = {.sa_sigaction = change_rax, .sa_flags = SA_SIGINFO | SA_RESTART | 0x400};
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    CHECK(sigaction(SIGILL, NULL, &action) == 0);
    // A flag that the kernel does not know is not kept.
    CHECK((action.sa_flags & 0x400) == 0 && (action.sa_flags & SA_SIGINFO) != 0);
}

static void float_divide(void* argument) {
    (void)argument;
    const uint32_t unmasked = 0x1f80 & ~0x200u;
    const double zero = 0, one = 1;
    __asm__ volatile("ldmxcsr %0; movsd %1, %%xmm0; divsd %2, %%xmm0" : : "m"(unmasked), "m"(one), "m"(zero) : "xmm0");
}
static void float_invalid(void* argument) {
    (void)argument;
    const uint16_t unmasked = 0x37e;
    __asm__ volatile("fninit; fldcw %0; fldz; fldz; fdivp; fwait" : : "m"(unmasked));
}

ROWS(floating_point_faults, "W2") {
    // An emulator may not raise exceptions of SSE at all: then there is nothing to see.
    const int sig = fault_of(float_divide, NULL);
    if (sig != 0) CHECK(sig == SIGFPE && fault_code == FPE_FLTDIV);
    __asm__ volatile("ldmxcsr %0" : : "m"((const uint32_t){0x1f80}));
    const int x87 = fault_of(float_invalid, NULL);
    if (x87 != 0) CHECK(x87 == SIGFPE && fault_code == FPE_FLTINV);
    __asm__ volatile("fninit");
}

// An instruction is fetched from memory that may be read but not executed. The first fetch brings the page, so that it
// is always the NX bit that refuses: present (1), from user mode (4), a fetch (16).
static greg_t fetch_error;
static void note_fetch(int sig, siginfo_t* info, void* context) {
    (void)sig, (void)info;
    ucontext_t* uc = context;
    fetch_error = uc->uc_mcontext.gregs[REG_ERR];
    uc->uc_mcontext.gregs[REG_RIP] = *(greg_t*)uc->uc_mcontext.gregs[REG_RSP];  // as if it had returned
    uc->uc_mcontext.gregs[REG_RSP] += 8;
}
static greg_t error_of_call(char* code) {
    fetch_error = 0;
    ((void (*)(void))(uintptr_t)code)();
    return fetch_error;
}

ROWS(fetching_from_data_brings_the_page_and_is_refused, "F14,W6") {
    struct sigaction action = {.sa_sigaction = note_fetch, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    char* data = map_pages(3, MAP_PRIVATE);
    CHECK(error_of_call(data) == 0x15 && error_of_call(data) == 0x15);
    data[PAGE] = 1;
    CHECK(error_of_call(data + PAGE) == 0x15);
    // Where nothing may be done at all no page comes.
    CHECK(mprotect(data + 2 * PAGE, PAGE, PROT_NONE) == 0 && error_of_call(data + 2 * PAGE) == 0x14);
}
