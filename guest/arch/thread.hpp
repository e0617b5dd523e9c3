// The machine's part of a task: saved registers, kernel stack, FPU state.
#pragma once

#include <stdint.h>

#include "guest/arch/ptrace.hpp"
#include "guest/lib/address.hpp"

namespace guest {

struct page;
struct task_struct;

inline constexpr unsigned kThreadOrder = 2;
inline constexpr uint64_t kThreadSize = kPageSize << kThreadOrder;  // bytes of a kernel stack

// thread_info::flags
inline constexpr uint32_t TIF_SYSCALL_TRACE = 1u << 0, TIF_SIGPENDING = 1u << 2, TIF_SINGLESTEP = 1u << 4,
                          TIF_SYSCALL_EMU = 1u << 6, TIF_MEMDIE = 1u << 20, TIF_FORCED_TF = 1u << 24;

// At the low end of the kernel stack.
struct thread_info {
    task_struct* task;
    uint32_t flags;
    uint32_t pad;
    uint64_t canary;  // overwritten by a stack that grew too deep
};
inline constexpr uint64_t kStackEndMagic = 0x57ac6e9d57ac6e9d;

// Pages of a kernel stack, given back at the end.
class KernelStack {
public:
    constexpr KernelStack() = default;
    // A stack that is part of the kernel image.
    constexpr explicit KernelStack(char* fixed) : base_(fixed), fixed_(true) {}
    KernelStack(const KernelStack&) = delete;
    KernelStack& operator=(const KernelStack&) = delete;
    ~KernelStack();

    [[nodiscard]] bool allocate();
    [[nodiscard]] thread_info* info() const { return reinterpret_cast<thread_info*>(base_); }
    [[nodiscard]] uint64_t top() const { return reinterpret_cast<uint64_t>(base_) + kThreadSize; }
    // Where the registers of user mode lie.
    [[nodiscard]] pt_regs* regs() const { return reinterpret_cast<pt_regs*>(top()) - 1; }

private:
    char* base_ = nullptr;
    bool fixed_ = false;
};

// x87 and SSE state as FXSAVE stores it. Intel SDM vol. 1, 10.5.1 "FXSAVE Area".
struct alignas(16) fxregs_state {
    uint16_t cwd = 0x37f;
    uint16_t swd = 0;
    uint16_t twd = 0;
    uint16_t fop = 0;
    uint64_t rip = 0;
    uint64_t rdp = 0;
    uint32_t mxcsr = 0x1f80;
    uint32_t mxcsr_mask = 0;
    uint8_t registers[480] = {};
};
static_assert(sizeof(fxregs_state) == 512);

struct thread_struct {
    uint64_t sp = 0;      // kernel stack pointer while it does not run
    uint64_t fsbase = 0;  // valid while it does not run, and kept so by arch_prctl
    uint64_t gsbase = 0;  // the user's
    uint64_t cr2 = 0;     // of the last fault
    uint64_t trap_nr = 0;
    uint64_t error_code = 0;
    uint64_t debugreg[4] = {};  // addresses of hardware breakpoints
    uint64_t dr6 = 0;           // what the last of their exceptions was for; 0: none
    uint64_t dr7 = 0;           // which are on; 0: nothing is loaded for this task
    bool no_tsc = false;        // it may not read the time-stamp counter
    fxregs_state fpu;
};

}  // namespace guest
