// prctl(2): what is about the task.
#include "guest/syscalls/prctl.hpp"

#include "guest/kernel/capability.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

Result<long> sys_prctl(int option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5) {
    task_struct& task = *current();
    switch (static_cast<abi::Prctl>(option)) {
        case abi::Prctl::SetPdeathsig:
            if (arg2 > static_cast<uint64_t>(abi::kNsig)) return Errno::Inval;
            task.pdeath_signal = static_cast<int>(arg2);
            return 0;
        case abi::Prctl::GetPdeathsig:
            TRY(put_user(UserPtr<int32_t>(arg2), static_cast<int32_t>(task.pdeath_signal)));
            return 0;
        case abi::Prctl::SetName: {
            char name[kCommLength] = {};
            TRY(strncpy_from_user(name, UserPtr<const char>(arg2), sizeof(name) - 1));
            set_task_comm(&task, name);
            return 0;
        }
        case abi::Prctl::GetName:
            TRY(copy_to_user(VirtAddr(arg2), task.comm, sizeof(task.comm)));
            return 0;
        case abi::Prctl::GetDumpable:
            return task.mm->dumpable.load();
        case abi::Prctl::SetDumpable:
            if (arg2 > 1) return Errno::Inval;
            task.mm->dumpable.store(static_cast<int>(arg2));
            return 0;
        case abi::Prctl::CapbsetRead:
        case abi::Prctl::CapbsetDrop:
        case abi::Prctl::GetSecurebits:
        case abi::Prctl::SetSecurebits:
        case abi::Prctl::GetKeepcaps:
        case abi::Prctl::SetKeepcaps:
        case abi::Prctl::CapAmbient:
            return cap_prctl(static_cast<abi::Prctl>(option), arg2, arg3, arg4, arg5);
        case abi::Prctl::SetNoNewPrivs:
            if (arg2 != 1 || arg3 != 0 || arg4 != 0 || arg5 != 0) return Errno::Inval;
            task.no_new_privs = true;
            return 0;
        case abi::Prctl::GetNoNewPrivs:
            if (arg2 != 0 || arg3 != 0 || arg4 != 0 || arg5 != 0) return Errno::Inval;
            return task.no_new_privs ? 1 : 0;
        case abi::Prctl::SetChildSubreaper:
            task.signal->is_child_subreaper = arg2 != 0;
            return 0;
        case abi::Prctl::GetChildSubreaper:
            TRY(put_user(UserPtr<int32_t>(arg2), int32_t{task.signal->is_child_subreaper}));
            return 0;
        case abi::Prctl::GetTiming:
            return 0;  // statistical, as ever
        case abi::Prctl::SetTiming:
            if (arg2 != 0) return Errno::Inval;
            return 0;
        case abi::Prctl::GetTidAddress:
            TRY(put_user(UserPtr<uint64_t>(arg2), task.clear_child_tid.raw()));
            return 0;
        case abi::Prctl::SetTimerslack:
            task.se.timer_slack_ns = arg2 > 0 ? arg2 : 50000;
            return 0;
        case abi::Prctl::GetTimerslack:
            return static_cast<long>(task.se.timer_slack_ns);
        default:
            return prctl_memory(static_cast<abi::Prctl>(option), arg2, arg3, arg4, arg5);
    }
}

}  // namespace guest
