// Tracing (ptrace(2)): who traces whom, and the stops in which a tracee waits for its tracer.
//
// A tracee is linked in its tracer's `ptraced` list and has the tracer (a thread) as `parent`; real_parent
// stays. Links and task_struct::ptrace are guarded by tasklist_lock, the stops by the tracee's siglock.
#pragma once

#include <stdint.h>

#include "guest/abi/ptrace.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/lib/handle.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

struct task_struct;

// task_struct::ptrace: 0 if nobody traces it. Options follow from bit PT_OPT_FLAG_SHIFT on.
inline constexpr uint32_t PT_PTRACED = 1, PT_SEIZED = 0x10000;
inline constexpr unsigned PT_OPT_FLAG_SHIFT = 3;
constexpr uint32_t PT_EVENT_FLAG(unsigned event) { return 1u << (PT_OPT_FLAG_SHIFT + event); }
inline constexpr uint32_t PT_TRACESYSGOOD = PT_EVENT_FLAG(0);
inline constexpr uint32_t PT_EXITKILL = static_cast<uint32_t>(abi::kPtraceOExitKill) << PT_OPT_FLAG_SHIFT;
inline constexpr uint32_t PT_OPTIONS = static_cast<uint32_t>(abi::kPtraceOMask) << PT_OPT_FLAG_SHIFT;

// Traced by somebody other than the process of its parent.
[[nodiscard]] bool ptrace_reparented(const task_struct& task);
[[nodiscard]] bool ptrace_event_enabled(const task_struct& task, unsigned event);

// ptrace_link.cpp. Whether current may trace task: Perm.
Result<> ptrace_may_attach(const task_struct& task);
// The same by the ids that count for files: whether current may look into it through /proc.
[[nodiscard]] bool ptrace_may_access(const task_struct& task);
Result<> ptrace_traceme();
Result<> ptrace_attach(task_struct& task, abi::PtraceRequest request, uint64_t address, uint64_t flags);
Result<> ptrace_detach(task_struct& task, uint64_t sig);
// Inval if an option is not known.
Result<> check_ptrace_options(uint64_t options);
// P16: a new task is traced as current is. tasklist_lock and current's siglock are held.
void ptrace_init_task(task_struct& child);
// task, which somebody traces, has its own parent again, and goes on. tasklist_lock is held.
void ptrace_unlink(task_struct& task);
// A tracer ends: its tracees go on or, with EXITKILL, die. Those that have ended and that nobody will wait
// for are linked into `dead` by ptrace_entry. tasklist_lock is held.
void exit_ptrace(task_struct& tracer, list_head& dead);

// ptrace_stop.cpp. All of these are for current, and wait until the tracer lets it go on.
// Reports `code`, which is SIGTRAP with an event or a mark in its upper bits. The signal to go on with.
int ptrace_notify(int code, uint64_t message);
// Reports the event if the tracer asked for it.
void ptrace_event(unsigned event, uint64_t message);
// A signal is about to be delivered: what the tracer wants delivered instead, 0 for nothing. siglock is held
// on entry and not on return.
int ptrace_signal(int sig, siginfo& info, spinlock_guard& guard);
// The trap that jobctl says current owes. siglock is held on entry and not on return.
void do_jobctl_trap(spinlock_guard& guard);
// The group's stop or continuation is news for a seized tracee. siglock is held.
void ptrace_trap_notify(task_struct& task);
// Wakes task for what its tracer or its job control wants; `from_trap`: also out of a trap. siglock is held.
enum class FromTrap { No, Yes };
void ptrace_signal_wake_up(task_struct& task, FromTrap from_trap);

// Stops at the entry to a system call and at its end; Skip: the call is not to be made.
enum class SyscallEntry { Make, Skip };
SyscallEntry syscall_trace_enter(pt_regs& regs);
void syscall_trace_exit(pt_regs& regs);

// ptrace_access.cpp. Reads or writes another address space, against its areas' rights where ptrace may (a
// private page is copied first). How many bytes could be.
enum class Access { Read, Write };
size_t access_process_vm(task_struct& task, VirtAddr at, void* buffer, size_t bytes, Access access);
size_t access_remote_vm(mm_struct& mm, VirtAddr at, void* buffer, size_t bytes, Access access);

// ptrace_request.cpp. A request on a tracee of current's that is stopped where the request wants it so.
Result<long> ptrace_request(task_struct& task, abi::PtraceRequest request, uint64_t address, uint64_t data);

}  // namespace guest
