// ptrace.
#include "guest/kernel/ptrace.hpp"

#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

using abi::PtraceRequest;
using TaskRef = Handle<task_struct, put_task_struct>;

TaskRef find_get_task_by_vpid(pid_nr_t nr) {
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(nr);
    if (task != nullptr) get_task_struct(task);
    return TaskRef(task);
}

// Srch: not a tracee of current's, or not in a stop although the request wants one. What follows the check
// may sleep, and a SIGKILL meanwhile takes the tracee out of its stop; the registers and the memory that a
// request then reaches are still there, held by references, and the tracee does not return to user mode with
// them.
Result<> ptrace_check_attach(const task_struct& task, PtraceRequest request) {
    const spinlock_guard guard(tasklist_lock);
    if (task.ptrace == 0 || task.parent != current()) return Errno::Srch;
    if (request == PtraceRequest::Kill || request == PtraceRequest::Interrupt) return {};
    const bool listens = (task.jobctl & JOBCTL_LISTENING) != 0;
    if (task.state.load() != TaskState::Traced || listens || fatal_signal_pending(&task)) return Errno::Srch;
    return {};
}

}  // namespace

Result<long> sys_ptrace(int64_t number, int nr, uint64_t address, uint64_t data) {
    const auto request = static_cast<PtraceRequest>(number);
    if (request == PtraceRequest::TraceMe) {
        TRY(ptrace_traceme());
        return 0;
    }
    const TaskRef task = find_get_task_by_vpid(nr);
    if (!task) return Errno::Srch;
    if (request == PtraceRequest::Attach || request == PtraceRequest::Seize) {
        TRY(ptrace_attach(*task, request, address, data));
        return 0;
    }
    TRY(ptrace_check_attach(*task, request));
    return ptrace_request(*task, request, address, data);
}

}  // namespace guest
