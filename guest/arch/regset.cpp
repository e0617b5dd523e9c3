// The registers of a task that does not run: those of its entry into the kernel, segment bases, FPU.
#include "guest/arch/regset.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/debugreg.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

using abi::UserRegs;

constexpr unsigned kWords = sizeof(UserRegs) / sizeof(uint64_t);
constexpr unsigned kEntryWords = sizeof(pt_regs) / sizeof(uint64_t);
static_assert(__builtin_offsetof(UserRegs, orig_rax) == __builtin_offsetof(pt_regs, orig_rax));
static_assert(__builtin_offsetof(UserRegs, fs_base) == sizeof(pt_regs));

#define WORD_OF(member) (__builtin_offsetof(UserRegs, member) / sizeof(uint64_t))

// CF PF AF ZF SF TF DF OF NT RF AC: the rest is the kernel's.
constexpr uint64_t kFlagMask = 0x54dd5;
constexpr uint32_t kMxcsrMask = 0xffff;
constexpr uint64_t kRpl = 3;

// A trap flag that the tracer's own single step set is not shown, and not lost either.
uint64_t shown_flags(task_struct& task) {
    const uint64_t flags = task_pt_regs(&task)->eflags;
    return (task.stack.info()->flags & TIF_FORCED_TF) != 0 ? flags & ~kFlagsTf : flags;
}

void set_flags(task_struct& task, uint64_t value) {
    uint32_t& info_flags = task.stack.info()->flags;
    if ((value & kFlagsTf) != 0) {
        info_flags &= ~TIF_FORCED_TF;  // from here on it is the program's
    } else if ((info_flags & TIF_FORCED_TF) != 0) {
        value |= kFlagsTf;
    }
    uint64_t& flags = task_pt_regs(&task)->eflags;
    flags = (flags & ~kFlagMask) | (value & kFlagMask);
}

Result<> set_base(uint64_t& base, uint64_t value) {
    if (value >= kTaskSize.raw()) return Errno::Io;
    base = value;
    return {};
}

// CS and SS have one value each: there are no 32-bit programs, and IRET would fault on others. The rest mean
// nothing in 64-bit mode and are not kept.
Result<> set_selector(unsigned word, uint64_t value) {
    if (word == WORD_OF(cs) && value != kUserCs) return Errno::Io;
    if (word == WORD_OF(ss) && value != kUserDs) return Errno::Io;
    if (value != 0 && (value & kRpl) != kRpl) return Errno::Io;
    return {};
}

Result<> set_word(task_struct& task, unsigned word, uint64_t value) {
    switch (word) {
        case WORD_OF(cs):
        case WORD_OF(ss):
        case WORD_OF(ds):
        case WORD_OF(es):
        case WORD_OF(fs):
        case WORD_OF(gs):
            return set_selector(word, value);
        case WORD_OF(eflags):
            set_flags(task, value);
            return {};
        case WORD_OF(fs_base):
            return set_base(task.thread.fsbase, value);
        case WORD_OF(gs_base):
            return set_base(task.thread.gsbase, value);
        default:
            reinterpret_cast<uint64_t*>(task_pt_regs(&task))[word] = value;
            return {};
    }
}

bool is_debugreg(uint64_t offset) { return offset >= abi::kUserDebugRegs && offset < abi::kUserDebugRegsEnd; }
unsigned debugreg_of(uint64_t offset) {
    return static_cast<unsigned>((offset - abi::kUserDebugRegs) / sizeof(uint64_t));
}

}  // namespace

UserRegs get_user_regs(task_struct& task) {
    UserRegs regs{};
    memcpy(&regs, task_pt_regs(&task), sizeof(pt_regs));
    regs.eflags = shown_flags(task);
    regs.fs_base = task.thread.fsbase;
    regs.gs_base = task.thread.gsbase;
    return regs;
}

Result<> set_user_regs(task_struct& task, unsigned first, const uint64_t* values, unsigned words) {
    static_assert(kEntryWords < kWords);
    for (unsigned i = 0; i < words && first + i < kWords; ++i) TRY(set_word(task, first + i, values[i]));
    return {};
}

Result<uint64_t> peek_user(task_struct& task, uint64_t offset) {
    if (offset % sizeof(uint64_t) != 0 || offset >= abi::kUserAreaBytes) return Errno::Io;
    if (is_debugreg(offset)) return get_debugreg(task, debugreg_of(offset));
    if (offset >= sizeof(UserRegs)) return uint64_t{0};
    const UserRegs regs = get_user_regs(task);
    return reinterpret_cast<const uint64_t*>(&regs)[offset / sizeof(uint64_t)];
}

Result<> poke_user(task_struct& task, uint64_t offset, uint64_t value) {
    if (offset % sizeof(uint64_t) != 0 || offset >= abi::kUserAreaBytes) return Errno::Io;
    if (offset < sizeof(UserRegs))
        return set_word(task, static_cast<unsigned>(offset / sizeof(uint64_t)), value);
    if (!is_debugreg(offset)) return Errno::Io;
    return set_debugreg(task, debugreg_of(offset), value);
}

const fxregs_state& get_fpregs(const task_struct& task) { return task.thread.fpu; }

Result<> set_fpregs(task_struct& task, const fxregs_state& state) {
    if ((state.mxcsr & ~kMxcsrMask) != 0) return Errno::Inval;  // FXRSTOR would fault
    task.thread.fpu = state;
    return {};
}

#undef WORD_OF

}  // namespace guest
