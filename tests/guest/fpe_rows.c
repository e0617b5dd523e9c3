// What becomes of floating-point exceptions, and signals that have no room on the alternate stack.
#include "rows.h"

#include <sys/resource.h>

static double zero = 0, one = 1, huge = 1e308, tiny = 1e-308;
static volatile double sink;

// The x87 unit with that exception unmasked: an operation, and the next instruction that waits for it.
static void unmask_x87(unsigned bit) {
    unsigned short word;
    __asm__ volatile("fninit\n fnstcw %0" : "=m"(word));
    word = (unsigned short)(word & ~(1u << bit));
    __asm__ volatile("fldcw %0" : : "m"(word));
}
static void x87_divide(void* unused) {
    (void)unused;
    unmask_x87(2);
    __asm__ volatile("fldl %0\n fdivl %1\n fwait" : : "m"(one), "m"(zero));
}
static void x87_invalid(void* unused) {
    (void)unused;
    unmask_x87(0);
    __asm__ volatile("fldl %0\n fdivl %0\n fwait" : : "m"(zero));
}
static void x87_overflow(void* unused) {
    (void)unused;
    unmask_x87(3);
    double result;
    __asm__ volatile("fldl %1\n fmull %1\n fstpl %0\n fwait" : "=m"(result) : "m"(huge));
}
static void x87_inexact(void* unused) {
    (void)unused;
    static double three = 3;
    unmask_x87(5);
    __asm__ volatile("fldl %0\n fdivl %1\n fwait" : : "m"(one), "m"(three));
}
// Engines that translate code know few of these exceptions, if any: the guest is asked for what it makes of
// those that its machine raises.
static void expect(void (*body)(void*), void* argument, int code, const char* what) {
    const int sig = fault_of(body, argument);
    if (sig == 0 && on_guest()) {
        printf("  this machine raises no %s\n", what);
        return;
    }
    CHECK(sig == SIGFPE && fault_code == code);
}
ROWS(x87_exceptions, "-") {
    expect(x87_divide, NULL, FPE_FLTDIV, "x87 division by zero");
    expect(x87_invalid, NULL, FPE_FLTINV, "x87 invalid operation");
    expect(x87_overflow, NULL, FPE_FLTOVF, "x87 overflow");
    expect(x87_inexact, NULL, FPE_FLTRES, "x87 inexact result");
}

static void set_mxcsr(unsigned value) { __asm__ volatile("ldmxcsr %0" : : "m"(value)); }
static void sse_divide(void* mask) {
    set_mxcsr(0x1f80 & ~(unsigned)(uintptr_t)mask);
    sink = one / *(volatile double*)&zero;
}
static void sse_invalid(void* mask) {
    set_mxcsr(0x1f80 & ~(unsigned)(uintptr_t)mask);
    sink = *(volatile double*)&zero / *(volatile double*)&zero;
}
static void sse_overflow(void* mask) {
    set_mxcsr(0x1f80 & ~(unsigned)(uintptr_t)mask);
    sink = *(volatile double*)&huge * *(volatile double*)&huge;
}
static void sse_underflow(void* mask) {
    set_mxcsr(0x1f80 & ~(unsigned)(uintptr_t)mask);
    sink = *(volatile double*)&tiny * *(volatile double*)&tiny;
}
ROWS(sse_exceptions, "-") {
    expect(sse_divide, (void*)0x200, FPE_FLTDIV, "SIMD division by zero");
    expect(sse_invalid, (void*)0x80, FPE_FLTINV, "SIMD invalid operation");
    expect(sse_overflow, (void*)0x400, FPE_FLTOVF, "SIMD overflow");
    expect(sse_underflow, (void*)0x800, FPE_FLTUND, "SIMD underflow");
}

static void divide(void* unused) {
    (void)unused;
    volatile int nothing = 0;
    sink = 7 / nothing;
}
ROWS(integer_division, "-") { CHECK(fault_of(divide, NULL) == SIGFPE && fault_code == FPE_INTDIV); }

// A handler that uses up its stack, but for what no frame fits into, and raises its own signal again.
static char alternate[16384];
static void raise_again(int sig) {
    enum { kLeft = 600 };
    volatile char here = 0;
    const long left = &here - alternate;
    if (left > kLeft + 100) {
        volatile char* room = __builtin_alloca((size_t)(left - kLeft));
        room[0] = here;
    }
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
}
static volatile sig_atomic_t overflows;
static void on_overflow(int sig) { overflows += sig == SIGSEGV; }
static void overflow(bool with_handler) {
    const struct rlimit none = {0, 0};
    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct sigaction action = {.sa_handler = raise_again, .sa_flags = SA_ONSTACK | SA_NODEFER};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    // One for the overflow itself has no more room than the signal before it.
    action.sa_handler = on_overflow;
    if (with_handler) CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    raise(SIGUSR1);
    _exit(overflows > 0 ? 1 : 0);
}
ROWS(alternate_stack_overflows, "F14") {
    for (int with_handler = 0; with_handler < 2; ++with_handler) {
        const int status = wait_status(IN_CHILD({ overflow(with_handler != 0); }));
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
}
// Too small from the start, where the size of the frame is known only to the kernel.
static void leave(int sig) { _exit(sig); }
ROWS(alternate_stack_is_too_small, "F14") {
    const int status = wait_status(IN_CHILD({
        static char memory[4096];
        stack_t stack = {.ss_sp = memory, .ss_size = 2048};
        // Linux refuses a stack that the frame does not fit on since it knows large register files.
        if (sigaltstack(&stack, NULL) != 0) raise(SIGSEGV);
        struct sigaction action = {.sa_handler = leave, .sa_flags = SA_ONSTACK};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        raise(SIGUSR1);
        _exit(0);
    }));
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
          (WIFEXITED(status) && WEXITSTATUS(status) == SIGUSR1));
}
