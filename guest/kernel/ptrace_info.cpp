// The requests whose answer has a form of its own: siginfo, system calls, register sets.
#include "guest/kernel/ptrace_info.hpp"

#include "guest/abi/file.hpp"
#include "guest/arch/process.hpp"
#include "guest/arch/regset.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

using abi::PtraceRequest;

// Inval: the stop is none that a signal or the kernel's own report made.
Result<siginfo> last_siginfo(const task_struct& task) {
    const spinlock_guard guard(task.sighand->siglock);
    if (task.last_siginfo == nullptr) return Errno::Inval;
    return siginfo(*task.last_siginfo);
}

Result<long> get_siginfo(const task_struct& task, uint64_t data) {
    const siginfo info = TRY(last_siginfo(task));
    TRY(put_user(UserPtr<siginfo>(data), info));
    return 0;
}

Result<long> set_siginfo(task_struct& task, uint64_t data) {
    const siginfo info = TRY(get_user(UserPtr<siginfo>(data)));
    const spinlock_guard guard(task.sighand->siglock);
    if (task.last_siginfo == nullptr) return Errno::Inval;
    *task.last_siginfo = info;
    return 0;
}

// The entry at place `index` of a queue; false beyond its end.
bool peek_queue(const task_struct& task, bool shared, uint64_t index, siginfo& out) {
    const spinlock_guard guard(task.sighand->siglock);
    const sigpending& pending = shared ? task.signal->shared_pending : task.pending;
    for (const sigqueue& entry : pending.list) {
        if (index-- > 0) continue;
        out = entry.info;
        return true;
    }
    return false;
}

// How many were there.
Result<long> peek_siginfo(const task_struct& task, uint64_t address, uint64_t data) {
    const abi::PtracePeekSigInfo wanted = TRY(get_user(UserPtr<abi::PtracePeekSigInfo>(address)));
    if ((wanted.flags & ~abi::kPeekSigInfoShared) != 0 || wanted.nr < 0) return Errno::Inval;
    const bool shared = (wanted.flags & abi::kPeekSigInfoShared) != 0;
    long done = 0;
    siginfo info{};
    while (done < wanted.nr && peek_queue(task, shared, wanted.off + static_cast<uint64_t>(done), info)) {
        if (!put_user(UserPtr<siginfo>(data) + static_cast<uint64_t>(done), info)) {
            if (done == 0) return Errno::Fault;
            break;
        }
        ++done;
        if (signal_pending(current())) break;
    }
    return done;
}

// What of `out` says something about the call that the tracee is in, in bytes.
size_t describe_syscall(task_struct& task, abi::PtraceSyscallInfo& out) {
    const pt_regs& regs = *task_pt_regs(&task);
    out.arch = abi::kAuditArchX86_64;
    out.instruction_pointer = regs.rip;
    out.stack_pointer = regs.rsp;
    // Only stops that the mark of TRACESYSGOOD tells from others.
    constexpr int32_t kSyscallStop = abi::kSigTrap | 0x80;
    if (task.last_siginfo == nullptr || task.last_siginfo->code != kSyscallStop)
        return __builtin_offsetof(abi::PtraceSyscallInfo, entry);
    if (task.ptrace_message == abi::kPtraceEventMsgEntry) {
        out.op = abi::kSyscallInfoEntry;
        out.entry = {regs.orig_rax, {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9}};
        return __builtin_offsetof(abi::PtraceSyscallInfo, entry) + sizeof(out.entry);
    }
    constexpr int64_t kMaxErrno = 4095;
    out.op = abi::kSyscallInfoExit;
    out.exit.rval = static_cast<int64_t>(regs.rax);
    out.exit.is_error = out.exit.rval < 0 && out.exit.rval >= -kMaxErrno ? 1 : 0;
    return __builtin_offsetof(abi::PtraceSyscallInfo, exit.is_error) + 1;
}

// As much as fits into the caller's room; how much there was.
Result<long> get_syscall_info(task_struct& task, uint64_t room, uint64_t data) {
    abi::PtraceSyscallInfo info{};
    const size_t bytes = describe_syscall(task, info);
    TRY(copy_to_user(VirtAddr(data), &info, bytes < room ? bytes : room));
    return static_cast<long>(bytes);
}

// `bytes` of a set that is `size` long, in whole words, to or from where the iovec says.
Result<long> general_regset(task_struct& task, PtraceRequest request, const abi::Iovec& where, size_t bytes) {
    abi::UserRegs regs = get_user_regs(task);
    if (request == PtraceRequest::GetRegSet) {
        TRY(copy_to_user(VirtAddr(where.iov_base), &regs, bytes));
        return 0;
    }
    TRY(copy_from_user(&regs, VirtAddr(where.iov_base), bytes));
    TRY(set_user_regs(task, 0, reinterpret_cast<const uint64_t*>(&regs),
                      static_cast<unsigned>(bytes / sizeof(uint64_t))));
    return 0;
}

Result<long> fp_regset(task_struct& task, PtraceRequest request, const abi::Iovec& where, size_t bytes) {
    fxregs_state state = get_fpregs(task);
    if (request == PtraceRequest::GetRegSet) {
        TRY(copy_to_user(VirtAddr(where.iov_base), &state, bytes));
        return 0;
    }
    TRY(copy_from_user(&state, VirtAddr(where.iov_base), bytes));
    TRY(set_fpregs(task, state));
    return 0;
}

// GETREGSET and SETREGSET: the iovec's length becomes that of what was moved.
Result<long> regset(task_struct& task, PtraceRequest request, uint64_t type, uint64_t data) {
    const UserPtr<abi::Iovec> user(data);
    abi::Iovec where = TRY(get_user(user));
    // Known, but this machine has none.
    if (type == abi::kNtXState || type == abi::kNtIoPerm) return Errno::NoDev;
    const bool general = type == abi::kNtPrStatus;
    if ((!general && type != abi::kNtPrFpReg) || where.iov_len % sizeof(uint64_t) != 0) return Errno::Inval;
    const size_t size = general ? sizeof(abi::UserRegs) : sizeof(fxregs_state);
    const size_t bytes = where.iov_len < size ? where.iov_len : size;
    TRY(general ? general_regset(task, request, where, bytes) : fp_regset(task, request, where, bytes));
    where.iov_len = bytes;
    TRY(put_user(user, where));
    return 0;
}

// arch_prctl for another task; address and data stand the other way round than in arch_prctl's arguments.
Result<long> ptrace_arch_prctl(task_struct& task, uint64_t argument, uint64_t option) {
    uint64_t& base =
        option == abi::kArchSetFs || option == abi::kArchGetFs ? task.thread.fsbase : task.thread.gsbase;
    switch (static_cast<int>(option)) {
        case abi::kArchSetFs:
        case abi::kArchSetGs:
            if (argument >= kTaskSize.raw()) return Errno::Perm;
            base = argument;
            return 0;
        case abi::kArchGetFs:
        case abi::kArchGetGs:
            TRY(put_user(UserPtr<uint64_t>(argument), base));
            return 0;
        default:
            return Errno::Inval;
    }
}

}  // namespace

Result<long> ptrace_info_request(task_struct& task, PtraceRequest request, uint64_t address, uint64_t data) {
    switch (request) {
        case PtraceRequest::GetEventMsg:
            TRY(put_user(UserPtr<uint64_t>(data), task.ptrace_message));
            return 0;
        case PtraceRequest::GetSigInfo:
            return get_siginfo(task, data);
        case PtraceRequest::SetSigInfo:
            return set_siginfo(task, data);
        case PtraceRequest::PeekSigInfo:
            return peek_siginfo(task, address, data);
        case PtraceRequest::GetSyscallInfo:
            return get_syscall_info(task, address, data);
        case PtraceRequest::GetRegSet:
        case PtraceRequest::SetRegSet:
            return regset(task, request, address, data);
        case PtraceRequest::ArchPrctl:
            return ptrace_arch_prctl(task, address, data);
        default:
            return Errno::Io;
    }
}

}  // namespace guest
