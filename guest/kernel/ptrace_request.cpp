// Requests on a tracee that is stopped: what its tracer reads, changes, and lets it go on with.
#include "guest/arch/regset.hpp"
#include "guest/arch/step.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/ptrace_info.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal_sets.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

using abi::PtraceRequest;

Result<long> peek_data(task_struct& task, uint64_t address, uint64_t data) {
    uint64_t word = 0;
    const size_t got = access_process_vm(task, VirtAddr(address), &word, sizeof(word), Access::Read);
    if (got != sizeof(word)) return Errno::Io;
    TRY(put_user(UserPtr<uint64_t>(data), word));
    return 0;
}

Result<long> poke_data(task_struct& task, uint64_t address, uint64_t word) {
    const size_t put = access_process_vm(task, VirtAddr(address), &word, sizeof(word), Access::Write);
    if (put != sizeof(word)) return Errno::Io;
    return 0;
}

bool is_singlestep(PtraceRequest request) {
    return request == PtraceRequest::SingleStep || request == PtraceRequest::SysEmuSingleStep;
}

void set_flag(uint32_t& flags, uint32_t flag, bool on) { flags = on ? flags | flag : flags & ~flag; }

// The tracee goes on, with signal `data`.
Result<long> ptrace_resume(task_struct& task, PtraceRequest request, uint64_t data) {
    if (data > static_cast<uint64_t>(abi::kNsig)) return Errno::Io;
    uint32_t& flags = task.stack.info()->flags;
    set_flag(flags, TIF_SYSCALL_TRACE, request == PtraceRequest::Syscall);
    set_flag(flags, TIF_SYSCALL_EMU,
             request == PtraceRequest::SysEmu || request == PtraceRequest::SysEmuSingleStep);
    if (is_singlestep(request)) {
        user_enable_single_step(task);
    } else {
        user_disable_single_step(task);
    }
    const spinlock_guard guard(task.sighand->siglock);
    task.exit_code = static_cast<int>(data);
    try_to_wake_up(&task, static_cast<uint32_t>(TaskState::Traced));
    return 0;
}

Result<long> set_options(task_struct& task, uint64_t options) {
    TRY(check_ptrace_options(options));
    task.ptrace = (task.ptrace & ~PT_OPTIONS) | static_cast<uint32_t>(options) << PT_OPT_FLAG_SHIFT;
    return 0;
}

Result<long> interrupt(task_struct& task) {
    if ((task.ptrace & PT_SEIZED) == 0) return Errno::Io;
    const spinlock_guard guard(task.sighand->siglock);
    // In a trap already, it traps once more when it goes on.
    if (task_set_jobctl_pending(task, JOBCTL_TRAP_STOP)) {
        const bool listens = (task.jobctl & JOBCTL_LISTENING) != 0;
        ptrace_signal_wake_up(task, listens ? FromTrap::Yes : FromTrap::No);
    }
    return 0;
}

// Leaves the tracee stopped with its group, but awake to news. Only from the stop that tells of the group.
Result<long> listen(task_struct& task) {
    if ((task.ptrace & PT_SEIZED) == 0) return Errno::Io;
    const spinlock_guard guard(task.sighand->siglock);
    const siginfo* info = task.last_siginfo;
    if (info == nullptr || (info->code >> 8) != static_cast<int>(abi::kPtraceEventStop)) return Errno::Io;
    task.jobctl |= JOBCTL_LISTENING;
    // What happened since the trap began is news as well.
    if ((task.jobctl & JOBCTL_TRAP_NOTIFY) != 0) ptrace_signal_wake_up(task, FromTrap::Yes);
    return 0;
}

Result<long> get_sigmask(const task_struct& task, uint64_t bytes, uint64_t data) {
    if (bytes != sizeof(sigset_t)) return Errno::Inval;
    TRY(put_user(UserPtr<sigset_t>(data), task.restore_sigmask ? task.saved_sigmask : task.blocked));
    return 0;
}

Result<long> set_sigmask(task_struct& task, uint64_t bytes, uint64_t data) {
    if (bytes != sizeof(sigset_t)) return Errno::Inval;
    const sigset_t mask = TRY(get_user(UserPtr<sigset_t>(data)));
    const spinlock_guard guard(task.sighand->siglock);
    task.blocked = mask & ~kUnblockable;
    task.restore_sigmask = false;
    return 0;  // what is pending is looked at when it goes on
}

Result<long> get_regs(task_struct& task, uint64_t data) {
    TRY(put_user(UserPtr<abi::UserRegs>(data), get_user_regs(task)));
    return 0;
}

Result<long> set_regs(task_struct& task, uint64_t data) {
    const abi::UserRegs regs = TRY(get_user(UserPtr<abi::UserRegs>(data)));
    TRY(set_user_regs(task, 0, reinterpret_cast<const uint64_t*>(&regs), sizeof(regs) / sizeof(uint64_t)));
    return 0;
}

Result<long> set_fp(task_struct& task, uint64_t data) {
    TRY(set_fpregs(task, TRY(get_user(UserPtr<fxregs_state>(data)))));
    return 0;
}

Result<long> peek_user_area(task_struct& task, uint64_t offset, uint64_t data) {
    const uint64_t word = TRY(peek_user(task, offset));
    TRY(put_user(UserPtr<uint64_t>(data), word));
    return 0;
}

Result<long> poke_user_area(task_struct& task, uint64_t offset, uint64_t word) {
    TRY(poke_user(task, offset, word));
    return 0;
}

Result<long> detach(task_struct& task, uint64_t sig) {
    TRY(ptrace_detach(task, sig));
    return 0;
}

}  // namespace

Result<long> ptrace_request(task_struct& task, PtraceRequest request, uint64_t address, uint64_t data) {
    switch (request) {
        case PtraceRequest::PeekText:
        case PtraceRequest::PeekData:
            return peek_data(task, address, data);
        case PtraceRequest::PokeText:
        case PtraceRequest::PokeData:
            return poke_data(task, address, data);
        case PtraceRequest::PeekUser:
            return peek_user_area(task, address, data);
        case PtraceRequest::PokeUser:
            return poke_user_area(task, address, data);
        case PtraceRequest::Cont:
        case PtraceRequest::Syscall:
        case PtraceRequest::SingleStep:
        case PtraceRequest::SysEmu:
        case PtraceRequest::SysEmuSingleStep:
            return ptrace_resume(task, request, data);
        case PtraceRequest::Kill: {
            send_sig(abi::kSigKill, &task);
            return 0;
        }
        case PtraceRequest::Detach:
            return detach(task, data);
        case PtraceRequest::SetOptions:
        case PtraceRequest::OldSetOptions:
            return set_options(task, data);
        case PtraceRequest::Interrupt:
            return interrupt(task);
        case PtraceRequest::Listen:
            return listen(task);
        case PtraceRequest::GetSigMask:
            return get_sigmask(task, address, data);
        case PtraceRequest::SetSigMask:
            return set_sigmask(task, address, data);
        case PtraceRequest::GetRegs:
            return get_regs(task, data);
        case PtraceRequest::SetRegs:
            return set_regs(task, data);
        case PtraceRequest::GetFpRegs:
            TRY(put_user(UserPtr<fxregs_state>(data), get_fpregs(task)));
            return 0;
        case PtraceRequest::SetFpRegs:
            return set_fp(task, data);
        default:
            return ptrace_info_request(task, request, address, data);
    }
}

}  // namespace guest
