// The debug registers. They are loaded for as long as a task that has some runs; no other task pays for them.
#include "guest/arch/debugreg.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/irqflags.hpp"
#include "guest/arch/traps.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr unsigned kBreakpoints = 4;
constexpr uint64_t kHitMask = 0xf;                         // DR6: which of them
constexpr uint64_t kSingleStep = 1u << 14;                 // DR6.BS
constexpr uint64_t kStatusReserved = 0xffff0ff0;           // DR6: bits that read as one
constexpr uint64_t kControlReserved = 0xffffffff0000fc00;  // DR7: not the tracer's, general detect among them
constexpr uint64_t kExecute = 0, kPort = 2;  // DR7.R/W; the others are writes, and reads or writes

// What DR7 says of one breakpoint.
struct Control {
    bool enabled;
    uint64_t kind;
    uint64_t bytes;
};
Control control_of(uint64_t dr7, unsigned number) {
    constexpr uint64_t kBytes[] = {1, 2, 8, 4};
    const uint64_t fields = dr7 >> (16 + 4 * number);
    return {(dr7 >> (2 * number) & 3) != 0, fields & 3, kBytes[fields >> 2 & 3]};
}

Result<> check_breakpoint(const thread_struct& thread, uint64_t dr7, unsigned number) {
    const Control control = control_of(dr7, number);
    if (!control.enabled) return {};
    if (control.kind == kPort || (control.kind == kExecute && control.bytes != 1)) return Errno::Inval;
    if (thread.debugreg[number] % control.bytes != 0) return Errno::Inval;
    return {};
}

Result<> set_address(thread_struct& thread, unsigned number, uint64_t value) {
    if (value >= kTaskSize.raw()) return Errno::Inval;
    const uint64_t before = thread.debugreg[number];
    thread.debugreg[number] = value;
    const Result<> fits = check_breakpoint(thread, thread.dr7, number);
    if (!fits) thread.debugreg[number] = before;
    return fits ? Result<>() : fits.error();
}

Result<> set_control(thread_struct& thread, uint64_t value) {
    value &= ~kControlReserved;
    for (unsigned i = 0; i < kBreakpoints; ++i) TRY(check_breakpoint(thread, value, i));
    thread.dr7 = value;
    return {};
}

void load(const thread_struct& thread) {
    asm volatile("movq %0, %%dr7" : : "r"(uint64_t{0}));
    if (thread.dr7 == 0) return;
    asm volatile("movq %0, %%dr0" : : "r"(thread.debugreg[0]));
    asm volatile("movq %0, %%dr1" : : "r"(thread.debugreg[1]));
    asm volatile("movq %0, %%dr2" : : "r"(thread.debugreg[2]));
    asm volatile("movq %0, %%dr3" : : "r"(thread.debugreg[3]));
    asm volatile("movq %0, %%dr7" : : "r"(thread.dr7));
}

// What the exception was for; the CPU never clears it by itself.
uint64_t take_status() {
    uint64_t status;
    asm volatile("movq %%dr6, %0" : "=r"(status));
    asm volatile("movq %0, %%dr6" : : "r"(kStatusReserved));
    return status ^ kStatusReserved;
}

bool hit_to_execute(const thread_struct& thread, uint64_t status) {
    for (unsigned i = 0; i < kBreakpoints; ++i) {
        if ((status >> i & 1) != 0 && control_of(thread.dr7, i).kind == kExecute) return true;
    }
    return false;
}

}  // namespace

uint64_t get_debugreg(const task_struct& task, unsigned number) {
    if (number < kBreakpoints) return task.thread.debugreg[number];
    if (number == kDebugStatus) return task.thread.dr6 ^ kStatusReserved;
    return number == kDebugControl ? task.thread.dr7 : 0;
}

Result<> set_debugreg(task_struct& task, unsigned number, uint64_t value) {
    if (number < kBreakpoints) return set_address(task.thread, number, value);
    if (number == kDebugControl) return set_control(task.thread, value);
    if (number != kDebugStatus) return Errno::Io;
    task.thread.dr6 = value ^ kStatusReserved;
    return {};
}

void switch_debugregs(const thread_struct& prev, const thread_struct& next) {
    if ((prev.dr7 | next.dr7) != 0) load(next);
}

void flush_debugregs() {
    const IrqGuard guard;
    thread_struct& thread = current()->thread;
    const bool loaded = thread.dr7 != 0;
    for (uint64_t& address : thread.debugreg) address = 0;
    thread.dr6 = thread.dr7 = 0;
    if (loaded) load(thread);
}

bool do_debug(pt_regs& regs) {
    task_struct* task = current();
    const uint64_t status = take_status();
    const bool hit = (status & kHitMask) != 0;
    // The kernel's own access to memory that a program watches is not the program's.
    if (!user_mode(regs)) return hit;
    task->thread.dr6 = status;
    task->thread.error_code = 0;
    task->thread.trap_nr = static_cast<uint64_t>(Vector::Debug);
    // So that the instruction can be executed this time.
    if (hit_to_execute(task->thread, status)) regs.eflags |= kFlagsRf;
    siginfo info{};
    info.signo = abi::kSigTrap;
    info.code = (status & kSingleStep) != 0 ? abi::kTrapTrace : hit ? abi::kTrapHwBkpt : abi::kTrapBrkpt;
    info.fault.address = regs.rip;
    force_sig_info(abi::kSigTrap, info, task);
    return true;
}

}  // namespace guest
