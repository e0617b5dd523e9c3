// The system-call dispatcher. The table is made from abi/syscalls.def: each row's handler gets its arguments
// from the registers by the types that it declares.
#include "guest/arch/cpu.hpp"
#include "guest/arch/traps.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/net/syscalls.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

using syscall_fn = Result<long> (*)(const pt_regs& regs);

// RDI, RSI, RDX, R10, R8, R9 (System V ABI for x86-64, A.2.1).
template <unsigned I>
uint64_t raw_argument(const pt_regs& regs) {
    static_assert(I < 6);
    if constexpr (I == 0) return regs.rdi;
    if constexpr (I == 1) return regs.rsi;
    if constexpr (I == 2) return regs.rdx;
    if constexpr (I == 3) return regs.r10;
    if constexpr (I == 4) return regs.r8;
    if constexpr (I == 5) return regs.r9;
}

template <typename T, unsigned I>
T argument(const pt_regs& regs) {
    const uint64_t raw = raw_argument<I>(regs);
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        return static_cast<T>(raw);
    } else {
        return T(raw);
    }
}

template <typename... Args, unsigned... I>
Result<long> call_with(Result<long> (*handler)(Args...), const pt_regs& regs,
                       std::integer_sequence<unsigned, I...>) {
    return handler(argument<Args, I>(regs)...);
}

template <typename... Args>
Result<long> call(Result<long> (*handler)(Args...), const pt_regs& regs) {
    return call_with(handler, regs, std::make_integer_sequence<unsigned, sizeof...(Args)>());
}

template <auto kHandler>
Result<long> entry(const pt_regs& regs) {
    return call(kHandler, regs);
}

constexpr unsigned kTableSize = 512;

struct SyscallTable {
    syscall_fn functions[kTableSize] = {};
    constexpr SyscallTable() {
#define SYSCALL(number, name, signature) functions[number] = entry<sys_##name>;
#include "guest/abi/syscalls.def"
#undef SYSCALL
    }
};
constinit const SyscallTable table;

struct MissingNames {
    const char* names[kTableSize] = {};
    constexpr MissingNames() {
#define SYSCALL(number, name, signature)
#define MISSING_SYSCALL(number, name, signature) names[number] = #name;
#include "guest/abi/syscalls.def"
#undef SYSCALL
    }
};
constinit const MissingNames missing;

// A call that is not there is worth one line, not one a call.
void report_missing(uint64_t number) {
    static constinit uint64_t reported[kTableSize / 64];
    if (number >= kTableSize) return;
    uint64_t& word = reported[number / 64];
    const uint64_t bit = uint64_t{1} << (number % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    const task_struct& task = *current();
    if (const char* name = missing.names[number]) {
        pr_info("%s[%d] system call %s (%lu) is not implemented\n", task.comm, task.pid, name, number);
    } else {
        pr_info("%s[%d] system call %lu is not implemented\n", task.comm, task.pid, number);
    }
}

Result<long> dispatch(const pt_regs& regs) {
    // EAX alone tells the call: what is in the upper half of RAX is ignored.
    const auto number = static_cast<uint32_t>(regs.orig_rax);
    if (number < kTableSize && table.functions[number] != nullptr) return table.functions[number](regs);
    report_missing(number);
    return Errno::NoSys;
}

// SYSRET takes RIP and RFLAGS from RCX and R11, and cannot set RF or TF.
bool can_sysret(const pt_regs& regs) {
    return regs.rcx == regs.rip && regs.r11 == regs.eflags && regs.cs == kUserCs && regs.ss == kUserDs &&
           (regs.eflags & (kFlagsRf | kFlagsTf)) == 0 && regs.rip < kTaskSize.raw();
}

}  // namespace

// From entry.S, interrupts off on entry and return. True if SYSRET can be the way back.
extern "C" bool do_syscall_64(pt_regs* frame) {
    pt_regs& regs = *frame;
    local_irq_enable();
    task_struct& task = *current();
    task.syscall_nr = static_cast<int32_t>(regs.orig_rax);
    if (syscall_trace_enter(regs) == SyscallEntry::Make) {
        Result<long> result = dispatch(regs);
        regs.rax = result.ok() ? static_cast<uint64_t>(result.value())
                               : static_cast<uint64_t>(-static_cast<int64_t>(result.error()));
    }
    syscall_trace_exit(regs);
    task.syscall_nr = -1;
    task.syscall_result = static_cast<int64_t>(regs.rax);
    local_irq_disable();
    exit_to_user_mode(regs);
    return can_sysret(regs);
}

// The first return of a new task to user mode.
extern "C" void syscall_return_slowpath(pt_regs* frame) {
    local_irq_disable();
    exit_to_user_mode(*frame);
}

}  // namespace guest
