// Registers and call chains on the console. Addresses are resolved with `addr2line -fe kernel.elf`.
#include "guest/arch/backtrace.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/ptrace.hpp"
#include "guest/arch/thread.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"

extern "C" char _text[], _etext[];

namespace guest {

namespace {

constexpr unsigned kMaxFrames = 32;

bool is_text(uint64_t address) {
    return address >= reinterpret_cast<uint64_t>(_text) && address < reinterpret_cast<uint64_t>(_etext);
}

// A frame is a saved RBP and a return address. Frames of one stack rise; anything else ends the walk, so that
// a program's RBP, which it chose itself, is never followed.
template <typename Visit>
void walk(uint64_t frame_pointer, uint64_t low, Visit&& visit) {
    const uint64_t stack_end = (low & ~(kThreadSize - 1)) + kThreadSize;
    for (unsigned i = 0; i < kMaxFrames; ++i) {
        if (frame_pointer < low || frame_pointer + 16 > stack_end || (frame_pointer & 7) != 0) return;
        const auto* frame = reinterpret_cast<const uint64_t*>(frame_pointer);
        if (!is_text(frame[1])) return;
        visit(frame[1]);
        low = frame_pointer + 16;
        frame_pointer = frame[0];
    }
}

}  // namespace

void show_regs(const pt_regs& r) {
    const auto level = LogLevel::Emergency;
    printk(level, "RIP %04lx:%016lx RSP %04lx:%016lx RFLAGS %08lx\n", r.cs, r.rip, r.ss, r.rsp, r.eflags);
    printk(level, "RAX %016lx RBX %016lx RCX %016lx\n", r.rax, r.rbx, r.rcx);
    printk(level, "RDX %016lx RSI %016lx RDI %016lx\n", r.rdx, r.rsi, r.rdi);
    printk(level, "RBP %016lx R8  %016lx R9  %016lx\n", r.rbp, r.r8, r.r9);
    printk(level, "R10 %016lx R11 %016lx R12 %016lx\n", r.r10, r.r11, r.r12);
    printk(level, "R13 %016lx R14 %016lx R15 %016lx\n", r.r13, r.r14, r.r15);
    printk(level, "CR2 %016lx CR3 %016lx CR4 %08lx CR0 %08lx\n", read_cr2().raw(), read_cr3().raw(),
           read_cr4(), read_cr0());
}

void show_backtrace(const pt_regs& regs) {
    printk(LogLevel::Emergency, "Call trace:\n  [<%016lx>]\n", regs.rip);
    walk(regs.rbp, reinterpret_cast<uint64_t>(__builtin_frame_address(0)),
         [](uint64_t address) { printk(LogLevel::Emergency, "  [<%016lx>]\n", address); });
}

// What the switch left on its stack: five registers, RBP, the address that it returns to.
void for_each_frame(const task_struct& task, void (*visit)(uint64_t address, void* context), void* context) {
    constexpr unsigned kSavedRbp = 5;
    const auto* saved = reinterpret_cast<const uint64_t*>(task.thread.sp);
    visit(saved[kSavedRbp + 1], context);
    walk(saved[kSavedRbp], task.thread.sp, [&](uint64_t address) { visit(address, context); });
}

}  // namespace guest
