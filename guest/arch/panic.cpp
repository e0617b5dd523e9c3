// The end of the road.
#include "guest/lib/panic.hpp"

#include <stdarg.h>

#include "guest/arch/backtrace.hpp"
#include "guest/arch/cpu.hpp"
#include "guest/arch/irqflags.hpp"
#include "guest/arch/power.hpp"
#include "guest/arch/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

constexpr uint8_t kPanicStatus = 255;
constinit bool panicking = false;

// The registers of whoever calls, as far as a function can see them.
pt_regs capture_regs() {
    pt_regs regs{};
    asm volatile(
        "movq %%rbx, %[rbx]\n"
        "movq %%r12, %[r12]\n"
        "movq %%r13, %[r13]\n"
        "movq %%r14, %[r14]\n"
        "movq %%r15, %[r15]\n"
        : [rbx] "=m"(regs.rbx), [r12] "=m"(regs.r12), [r13] "=m"(regs.r13), [r14] "=m"(regs.r14),
          [r15] "=m"(regs.r15));
    asm volatile("leaq 0(%%rip), %0" : "=r"(regs.rip));
    regs.rbp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
    regs.rsp = regs.rbp;
    regs.eflags = save_flags();
    regs.cs = kKernelCs;
    regs.ss = kKernelDs;
    return regs;
}

[[noreturn]] void stop(const pt_regs& regs, const char* format, va_list args) {
    local_irq_disable();
    if (panicking) machine_power_off(kPanicStatus);  // a fault of the panic itself
    panicking = true;
    printk(LogLevel::Emergency, "Kernel panic: ");
    vprintk(LogLevel::Emergency, format, args);
    const task_struct* task = current();
    printk(LogLevel::Emergency, "\nTask %s, pid %d\n", task->comm, task->pid);
    show_regs(regs);
    show_backtrace(regs);
    machine_power_off(kPanicStatus);
}

}  // namespace

void panic(const char* format, ...) {
    va_list args;
    va_start(args, format);
    stop(capture_regs(), format, args);
}

void panic_with_regs(const pt_regs& regs, const char* format, ...) {
    va_list args;
    va_start(args, format);
    stop(regs, format, args);
}

}  // namespace guest

// What compilers call for a pure virtual function that was never overridden.
extern "C" [[noreturn]] void __cxa_pure_virtual() { guest::panic("pure virtual call"); }
