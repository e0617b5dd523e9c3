// Exceptions: a program's become signals, the kernel's own end the machine.
#include "guest/arch/traps.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/debugreg.hpp"
#include "guest/arch/extable.hpp"
#include "guest/arch/irq.hpp"
#include "guest/arch/process.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

struct TrapInfo {
    Vector vector;
    int signal;
    int32_t code;  // si_code
    const char* name;
};

constexpr TrapInfo kTraps[] = {
    {Vector::DivideError, abi::kSigFpe, abi::kFpeIntDiv, "divide error"},
    {Vector::Debug, abi::kSigTrap, abi::kTrapTrace, "debug"},
    {Vector::Breakpoint, abi::kSigTrap, abi::kSiKernel, "int3"},
    {Vector::Overflow, abi::kSigSegv, abi::kSiKernel, "overflow"},
    {Vector::BoundRange, abi::kSigSegv, abi::kSiKernel, "bounds"},
    {Vector::InvalidOpcode, abi::kSigIll, abi::kIllOpn, "invalid opcode"},
    {Vector::DeviceNotAvailable, abi::kSigFpe, abi::kSiKernel, "device not available"},
    {Vector::DoubleFault, 0, 0, "double fault"},
    {Vector::InvalidTss, abi::kSigSegv, abi::kSiKernel, "invalid TSS"},
    {Vector::SegmentNotPresent, abi::kSigBus, abi::kSiKernel, "segment not present"},
    {Vector::StackFault, abi::kSigBus, abi::kSiKernel, "stack segment"},
    {Vector::GeneralProtection, abi::kSigSegv, abi::kSiKernel, "general protection fault"},
    {Vector::X87Error, abi::kSigFpe, abi::kFpeFltInv, "x87 floating point exception"},
    {Vector::AlignmentCheck, abi::kSigBus, abi::kBusAdrAln, "alignment check"},
    {Vector::MachineCheck, 0, 0, "machine check"},
    {Vector::SimdError, abi::kSigFpe, abi::kFpeFltInv, "SIMD floating point exception"},
};

const TrapInfo* find_trap(uint32_t vector) {
    for (const TrapInfo& trap : kTraps) {
        if (static_cast<uint32_t>(trap.vector) == vector) return &trap;
    }
    return nullptr;
}

// Which exception it was, by the flags that are set and not masked. Intel SDM vol. 1, 8.5 and 11.5.
int32_t fpu_exception_code(Vector vector) {
    {
        const IrqGuard guard;
        fpu_save_current();
    }
    const fxregs_state& fpu = current()->thread.fpu;
    const uint32_t raised =
        vector == Vector::X87Error ? fpu.swd & ~uint32_t{fpu.cwd} : fpu.mxcsr & ~(fpu.mxcsr >> 7);
    if ((raised & 1) != 0) return abi::kFpeFltInv;
    if ((raised & 4) != 0) return abi::kFpeFltDiv;
    if ((raised & 8) != 0) return abi::kFpeFltOvf;
    if ((raised & 0x12) != 0) return abi::kFpeFltUnd;  // denormal operand, underflow
    return (raised & 0x20) != 0 ? abi::kFpeFltRes : 0;
}

// Vectors whose siginfo names the instruction.
bool has_address(Vector vector) {
    return vector == Vector::DivideError || vector == Vector::InvalidOpcode || vector == Vector::SimdError ||
           vector == Vector::X87Error || vector == Vector::Debug;
}

void do_trap(pt_regs& regs, const TrapInfo& trap, uint64_t error_code) {
    if (trap.vector == Vector::Debug && do_debug(regs)) return;
    task_struct* task = current();
    if (!user_mode(regs)) {
        if (fixup_exception(regs)) return;
        panic_with_regs(regs, "%s in the kernel, error code %lx", trap.name, error_code);
    }
    if (trap.signal == 0) panic_with_regs(regs, "%s", trap.name);
    task->thread.error_code = error_code;
    task->thread.trap_nr = static_cast<uint64_t>(trap.vector);
    siginfo info{};
    info.signo = trap.signal;
    info.code = trap.code;
    if (trap.vector == Vector::X87Error || trap.vector == Vector::SimdError) {
        info.code = fpu_exception_code(trap.vector);
        // The flags were cleared by another handler already.
        if (info.code == 0) return;
    }
    if (has_address(trap.vector)) info.fault.address = regs.rip;
    const bool unhandled = task->sighand->action[trap.signal - 1].handler <= abi::kSigIgn;
    if (unhandled && trap.vector == Vector::GeneralProtection) {
        pr_info("%s[%d] general protection fault ip:%lx sp:%lx error:%lx\n", task->comm, task->pid, regs.rip,
                regs.rsp, error_code);
    }
    force_sig_info(trap.signal, info, task);
}

}  // namespace

// From entry.S, interrupts off, for every vector.
extern "C" void do_interrupt(pt_regs* frame, uint32_t vector) {
    pt_regs& regs = *frame;
    const uint64_t error_code = regs.orig_rax;
    // What is on the stack in this place for a system call is its number; this is none.
    regs.orig_rax = ~uint64_t{0};
    if (vector >= static_cast<uint32_t>(Vector::FirstIrq)) {
        do_irq(regs, vector);
    } else {
        // CR2 before interrupts come on: another fault would overwrite it.
        const VirtAddr address = read_cr2();
        const bool were_on = (regs.eflags & kFlagsIf) != 0;
        if (were_on) local_irq_enable();
        if (vector == static_cast<uint32_t>(Vector::PageFault)) {
            do_page_fault(regs, error_code, address);
        } else if (vector == static_cast<uint32_t>(Vector::Nmi)) {
            pr_warn("unexpected NMI\n");
        } else if (const TrapInfo* trap = find_trap(vector)) {
            do_trap(regs, *trap, error_code);
        } else {
            panic_with_regs(regs, "unexpected exception %u", vector);
        }
        if (were_on) local_irq_disable();
    }
    if (user_mode(regs)) exit_to_user_mode(regs);
}

void exit_to_user_mode(pt_regs& regs) {
    for (;;) {
        if (this_cpu().need_resched) {
            local_irq_enable();
            schedule();
            local_irq_disable();
            continue;
        }
        if ((current()->stack.info()->flags & TIF_SIGPENDING) != 0) {
            local_irq_enable();
            do_signal(regs);
            local_irq_disable();
            continue;
        }
        // IRET and SYSRET themselves would fault on such an address, in the kernel and with the program's GS.
        if (regs.rip >= kTaskSize.raw()) {
            force_sig(abi::kSigSegv, current());
            regs.rip = 0;
            continue;
        }
        return;
    }
}

}  // namespace guest
