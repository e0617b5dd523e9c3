// The machine's side of tasks: kernel stacks, the registers of a new task, the switch.
#include "guest/arch/process.hpp"

#include "guest/abi/clone.hpp"
#include "guest/arch/cpu.hpp"
#include "guest/arch/debugreg.hpp"
#include "guest/arch/tsc.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

extern "C" {
void __switch_to_asm(uint64_t* save_sp, uint64_t load_sp);
void ret_from_fork();
}

namespace guest {

namespace {

// What __switch_to_asm pops.
struct inactive_task_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t return_address;
};

void fxsave(fxregs_state& to) { asm volatile("fxsave64 %0" : "=m"(to)); }
void fxrstor(const fxregs_state& from) { asm volatile("fxrstor64 %0" : : "m"(from)); }

}  // namespace

pt_regs* task_pt_regs(task_struct* task) { return task->stack.regs(); }

bool KernelStack::allocate() {
    page* block = alloc_pages(kThreadOrder, FrameUse::KernelStack);
    if (block == nullptr) return false;
    base_ = static_cast<char*>(page_address(block));
    return true;
}

KernelStack::~KernelStack() {
    if (base_ != nullptr && !fixed_) put_page(virt_to_page(base_));
}

void init_thread_info(task_struct& task) {
    thread_info* info = task.stack.info();
    info->task = &task;
    info->flags = 0;
    info->canary = kStackEndMagic;
}

Result<> copy_thread(task_struct& child, const CloneArguments& args) {
    pt_regs* regs = task_pt_regs(&child);
    auto* frame = reinterpret_cast<inactive_task_frame*>(regs) - 1;
    memset(frame, 0, sizeof(*frame));
    frame->return_address = reinterpret_cast<uint64_t>(ret_from_fork);
    child.thread.sp = reinterpret_cast<uint64_t>(frame);
    if (args.kernel_function != nullptr) {
        memset(regs, 0, sizeof(*regs));
        frame->rbx = reinterpret_cast<uint64_t>(args.kernel_function);
        frame->r12 = reinterpret_cast<uint64_t>(args.kernel_argument);
        return {};
    }
    task_struct& parent = *current();
    *regs = *task_pt_regs(&parent);
    regs->rax = 0;
    // Single steps of the caller's are not the child's (P12; init_thread_info cleared what else traces it).
    if ((parent.stack.info()->flags & TIF_FORCED_TF) != 0) regs->eflags &= ~kFlagsTf;
    if (!args.stack.is_null()) regs->rsp = args.stack.raw();
    const bool has_tls = (args.flags & abi::kCloneSetTls) != 0;
    // WRMSR faults for an address that is not canonical.
    if (has_tls && args.tls >= kTaskSize.raw()) return Errno::Perm;
    child.thread.fsbase = has_tls ? args.tls : parent.thread.fsbase;
    child.thread.gsbase = parent.thread.gsbase;
    child.thread.no_tsc = parent.thread.no_tsc;
    // The parent's live state, which is newer than what was saved of it.
    fxsave(child.thread.fpu);
    return {};
}

void fpu_save_current() {
    if (!current()->is_kthread()) fxsave(current()->thread.fpu);
}
void fpu_load_current() { fxrstor(current()->thread.fpu); }

void load_user_bases() {
    const thread_struct& thread = current()->thread;
    wrmsr(kMsrFsBase, thread.fsbase);
    wrmsr(kMsrKernelGsBase, thread.gsbase);
}

void flush_thread() {
    flush_debugregs();
    const IrqGuard guard;
    thread_struct& thread = current()->thread;
    thread.fsbase = 0;
    thread.gsbase = 0;
    thread.fpu = fxregs_state{};
    load_user_bases();
    fpu_load_current();
    const uint16_t none = 0;
    // Selectors a program loaded would shine through; loading null keeps the bases out of the way of SWAPGS.
    asm volatile("movw %0, %%ds; movw %0, %%es; movw %0, %%fs" : : "r"(none));
    wrmsr(kMsrFsBase, 0);
}

void start_thread(pt_regs& regs, VirtAddr entry, VirtAddr stack) {
    // The call that leads here is execve to whoever traces it.
    const uint64_t orig_rax = regs.orig_rax;
    const uint64_t rax = regs.rax;
    regs = pt_regs{};
    regs.rip = entry.raw();
    regs.rsp = stack.raw();
    regs.cs = kUserCs;
    regs.ss = kUserDs;
    regs.eflags = kFlagsIf;
    regs.orig_rax = orig_rax;
    regs.rax = rax;
}

void switch_to(task_struct& prev, task_struct& next) {
    if (!prev.is_kthread()) fxsave(prev.thread.fpu);
    if (!next.is_kthread()) {
        fxrstor(next.thread.fpu);
        wrmsr(kMsrFsBase, next.thread.fsbase);
        wrmsr(kMsrKernelGsBase, next.thread.gsbase);
    }
    switch_debugregs(prev.thread, next.thread);
    switch_tsc(prev.thread, next.thread);
    this_cpu().current = &next;
    set_kernel_stack(next.stack.top());
    __switch_to_asm(&prev.thread.sp, next.thread.sp);
}

}  // namespace guest
