// Page faults, as the CPU reports them. Intel SDM vol. 3A, 4.7 "Page-Fault Exceptions".
#include "guest/arch/cpu.hpp"
#include "guest/arch/extable.hpp"
#include "guest/arch/traps.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/fault_inject.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/oom_kill.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/mm/vmstat.hpp"

namespace guest {

namespace {

constexpr uint64_t kPresent = 1, kWrite = 2, kUser = 4, kReserved = 8, kInstruction = 16;

// A fault that cannot be served: a signal for a program, the fix-up for the kernel's access to user memory.
void bad_area(pt_regs& regs, uint64_t error_code, VirtAddr address, int sig, int32_t code) {
    if (!user_mode(regs)) {
        if (fixup_exception(regs)) return;
        panic_with_regs(regs, "page fault in the kernel at %016lx, error code %lx", address.raw(),
                        error_code);
    }
    task_struct* task = current();
    task->thread.cr2 = address.raw();
    // Whether something is mapped in the kernel's half is not for programs to know.
    task->thread.error_code = error_code | kUser | (address >= kTaskSize ? kPresent : 0);
    task->thread.trap_nr = static_cast<uint64_t>(Vector::PageFault);
    const bool unhandled = task->sighand->action[sig - 1].handler <= abi::kSigIgn;
    if (unhandled) {
        pr_info("%s[%d] %s at %lx ip %lx sp %lx error %lx\n", task->comm, task->pid,
                sig == abi::kSigBus ? "bus error" : "segfault", address.raw(), regs.rip, regs.rsp,
                error_code);
    }
    siginfo info{};
    info.signo = sig;
    info.code = code;
    info.fault.address = address.raw();
    force_sig_info(sig, info, task);
}

// An allocation was made to fail: whoever wanted it gets none, and killing others would not help.
void injected_failure(pt_regs& regs) {
    if (!user_mode(regs) && fixup_exception(regs)) return;
    task_struct* task = current();
    pr_err("Out of memory: killed process %d (%s)\n", task->tgid, task->comm);
    force_sig(abi::kSigKill, task);
}

// As Linux's access_error: an instruction fetch where no page is yet brings one, and is refused by its NX
// bit.
bool access_allowed(const vm_area_struct& vma, uint64_t error_code) {
    if ((error_code & kWrite) != 0) return (vma.vm_flags & VM_WRITE) != 0;
    if ((error_code & kPresent) != 0 && (error_code & kInstruction) != 0)
        return (vma.vm_flags & VM_EXEC) != 0;
    return (vma.vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) != 0;
}

// Faults that no page could serve.
void check_kernel_fault(const pt_regs& regs, uint64_t error_code, VirtAddr address) {
    if ((error_code & kReserved) != 0)
        panic_with_regs(regs, "reserved bit in the page tables at %016lx", address.raw());
    if (user_mode(regs) || address >= kUserEnd) return;
    if (!has_fixup(regs.rip)) {
        panic_with_regs(regs, "the kernel %s user memory at %016lx by itself",
                        (error_code & kInstruction) != 0 ? "executes" : "touches", address.raw());
    }
}

FaultResult serve_fault(pt_regs& regs, mm_struct& mm, uint64_t error_code, VirtAddr address) {
    const read_guard guard(mm.mmap_sem);
    vm_area_struct* vma = find_extend_vma(mm, address);
    if (vma == nullptr || !access_allowed(*vma, error_code)) {
        const int32_t code = vma == nullptr ? abi::kSegvMapErr : abi::kSegvAccErr;
        bad_area(regs, error_code, address, abi::kSigSegv, code);
        return FaultResult::Ok;
    }
    const FaultFlags flags{(error_code & kWrite) != 0, user_mode(regs), (error_code & kInstruction) != 0};
    return handle_mm_fault(*vma, address, flags);
}

}  // namespace

void do_page_fault(pt_regs& regs, uint64_t error_code, VirtAddr address) {
    check_kernel_fault(regs, error_code, address);
    task_struct* task = current();
    mm_struct* mm = task->mm.get();
    // A kernel address, or a moment at which nobody may sleep: no area can help.
    if (address >= kUserEnd || mm == nullptr || preempt_count() != 0) {
        bad_area(regs, error_code, address, abi::kSigSegv, abi::kSegvMapErr);
        return;
    }
    ++task->min_flt;
    ++vm_events.pgfault;
    for (;;) {
        const uint64_t injected = failslab_failures();
        const FaultResult result = serve_fault(regs, *mm, error_code, address);
        if (result == FaultResult::BusError)
            bad_area(regs, error_code, address, abi::kSigBus, abi::kBusAdrErr);
        if (result != FaultResult::OutOfMemory) return;
        if (failslab_failures() != injected) return injected_failure(regs);
        if (pagefault_out_of_memory()) continue;
        // The task dies on its way to user mode; the kernel's own access to its memory has failed.
        if (!user_mode(regs)) BUG_ON(!fixup_exception(regs));
        return;
    }
}

}  // namespace guest
