// prctl(2): what is about the address space, the machine and clean-up; prctl.cpp asks here for what it has
// not itself.
#include "guest/abi/prctl.hpp"
#include "guest/arch/tsc.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/prctl.hpp"

namespace guest {

namespace {

// The option has no use for the arguments from there on.
bool any_of(uint64_t arg3, uint64_t arg4, uint64_t arg5) { return (arg3 | arg4 | arg5) != 0; }

// What is set stays, as seals do.
Result<long> set_mdwe(mm_struct& mm, uint64_t bits) {
    constexpr uint64_t kKnown = PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT;
    const bool alone = (bits & PR_MDWE_NO_INHERIT) != 0 && (bits & PR_MDWE_REFUSE_EXEC_GAIN) == 0;
    if ((bits & ~kKnown) != 0 || alone) return Errno::Inval;
    if (mm.mdwe != 0 && mm.mdwe != bits) return Errno::Perm;
    mm.mdwe = static_cast<uint32_t>(bits);
    return 0;
}

Result<long> get_auxv(const mm_struct& mm, uint64_t to, uint64_t room) {
    TRY(copy_to_user(VirtAddr(to), mm.saved_auxv,
                     room < sizeof(mm.saved_auxv) ? room : sizeof(mm.saved_auxv)));
    return static_cast<long>(sizeof(mm.saved_auxv));
}

// Memory errors of the hardware do not happen here; who wants to be told how is kept.
Result<long> set_mce_kill(task_struct& task, uint64_t what, uint64_t when) {
    switch (static_cast<abi::PrMceKill>(what)) {
        case abi::PrMceKill::Clear:
            if (when != 0) return Errno::Inval;
            task.flags &= ~(PF_MCE_PROCESS | PF_MCE_EARLY);
            return 0;
        case abi::PrMceKill::Set:
            break;
        default:
            return Errno::Inval;
    }
    if (when > static_cast<uint64_t>(abi::PrMceWhen::Default)) return Errno::Inval;
    task.flags &= ~(PF_MCE_PROCESS | PF_MCE_EARLY);
    if (static_cast<abi::PrMceWhen>(when) == abi::PrMceWhen::Default) return 0;
    task.flags |= PF_MCE_PROCESS;
    if (static_cast<abi::PrMceWhen>(when) == abi::PrMceWhen::Early) task.flags |= PF_MCE_EARLY;
    return 0;
}

abi::PrMceWhen mce_kill_of(const task_struct& task) {
    if ((task.flags & PF_MCE_PROCESS) == 0) return abi::PrMceWhen::Default;
    return (task.flags & PF_MCE_EARLY) != 0 ? abi::PrMceWhen::Early : abi::PrMceWhen::Late;
}

Result<long> restore_timer_ids(signal_struct& signal, uint64_t how) {
    switch (static_cast<abi::PrTimerIds>(how)) {
        case abi::PrTimerIds::Off:
        case abi::PrTimerIds::On:
            signal.restores_timer_ids = static_cast<abi::PrTimerIds>(how) == abi::PrTimerIds::On;
            return 0;
        case abi::PrTimerIds::Get:
            return signal.restores_timer_ids ? 1 : 0;
    }
    return Errno::Inval;
}

}  // namespace

Result<long> prctl_memory(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5) {
    mm_struct& mm = *current()->mm;
    switch (option) {
        case abi::Prctl::SetThpDisable:
            if (any_of(arg3, arg4, arg5)) return Errno::Inval;
            mm.thp_disabled = arg2 != 0;
            return 0;
        case abi::Prctl::GetThpDisable:
            if (arg2 != 0 || any_of(arg3, arg4, arg5)) return Errno::Inval;
            return mm.thp_disabled ? 1 : 0;
        case abi::Prctl::SetMdwe:
            if (any_of(arg3, arg4, arg5)) return Errno::Inval;
            return set_mdwe(mm, arg2);
        case abi::Prctl::GetMdwe:
            if (arg2 != 0 || any_of(arg3, arg4, arg5)) return Errno::Inval;
            return mm.mdwe;
        case abi::Prctl::GetAuxv:
            if ((arg4 | arg5) != 0) return Errno::Inval;
            return get_auxv(mm, arg2, arg3);
        default:
            return prctl_machine(option, arg2, arg3, arg4, arg5);
    }
}

Result<long> prctl_machine(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5) {
    task_struct& task = *current();
    constexpr uint32_t kIoFlusher = PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE;
    switch (option) {
        case abi::Prctl::GetTsc:
            TRY(put_user(UserPtr<int32_t>(arg2), static_cast<int32_t>(tsc_mode(task))));
            return 0;
        case abi::Prctl::SetTsc:
            if (arg2 != static_cast<uint64_t>(abi::PrTsc::Enable) &&
                arg2 != static_cast<uint64_t>(abi::PrTsc::Sigsegv))
                return Errno::Inval;
            set_tsc_mode(static_cast<abi::PrTsc>(arg2));
            return 0;
        case abi::Prctl::MceKill:
            if ((arg4 | arg5) != 0) return Errno::Inval;
            return set_mce_kill(task, arg2, arg3);
        case abi::Prctl::MceKillGet:
            if (arg2 != 0 || any_of(arg3, arg4, arg5)) return Errno::Inval;
            return static_cast<long>(mce_kill_of(task));
        case abi::Prctl::SetIoFlusher:
            if (!capable(kCapSysResource)) return Errno::Perm;
            if (arg2 > 1 || any_of(arg3, arg4, arg5)) return Errno::Inval;
            task.flags = arg2 != 0 ? task.flags | kIoFlusher : task.flags & ~kIoFlusher;
            return 0;
        case abi::Prctl::GetIoFlusher:
            if (!capable(kCapSysResource)) return Errno::Perm;
            if (arg2 != 0 || any_of(arg3, arg4, arg5)) return Errno::Inval;
            return (task.flags & kIoFlusher) == kIoFlusher ? 1 : 0;
        case abi::Prctl::TimerCreateRestoreIds:
            if (any_of(arg3, arg4, arg5)) return Errno::Inval;
            return restore_timer_ids(*task.signal, arg2);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
