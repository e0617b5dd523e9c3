// Single steps. TIF_FORCED_TF tells a trap flag that the tracer set from one that the program set itself:
// only the former is hidden and taken back.
#include "guest/arch/step.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/traps.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

void user_enable_single_step(task_struct& task) {
    uint32_t& flags = task.stack.info()->flags;
    pt_regs& regs = *task_pt_regs(&task);
    flags |= TIF_SINGLESTEP;
    if ((regs.eflags & kFlagsTf) != 0) return;
    regs.eflags |= kFlagsTf;
    flags |= TIF_FORCED_TF;
}

void user_disable_single_step(task_struct& task) {
    uint32_t& flags = task.stack.info()->flags;
    flags &= ~TIF_SINGLESTEP;
    if ((flags & TIF_FORCED_TF) == 0) return;
    flags &= ~TIF_FORCED_TF;
    task_pt_regs(&task)->eflags &= ~kFlagsTf;
}

void user_single_step_report(pt_regs& regs) {
    task_struct* task = current();
    task->thread.trap_nr = static_cast<uint64_t>(Vector::Debug);
    task->thread.error_code = 0;
    siginfo info{};
    info.signo = abi::kSigTrap;
    info.code = abi::kTrapBrkpt;
    info.fault.address = regs.rip;
    force_sig_info(abi::kSigTrap, info, task);
}

}  // namespace guest
