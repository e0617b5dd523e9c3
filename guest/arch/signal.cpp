// Calling handlers: the frame on the program's stack, and the way back. The layout is Linux's x86-64
// rt_sigframe with a 512-byte FXSAVE area; there is no XSAVE state, and its magic numbers are zero to say so.
#include "guest/abi/signal.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/arch/process.hpp"
#include "guest/arch/signal.hpp"
#include "guest/arch/step.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sigaltstack.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kRedZone = 128;  // bytes below RSP that a function may use (System V ABI, 3.2.2)
// What a handler may change of RFLAGS: CF PF AF ZF SF TF DF OF RF AC.
constexpr uint64_t kFixEflags = 0x50dd5;
constexpr uint32_t kMxcsrMask = 0xffff;

struct FramePlace {
    uint64_t fpstate;
    UserPtr<abi::RtSigFrame> frame;
};

// Each part is moved down to where it is aligned.
constexpr uint64_t kFpAlign = 64, kFrameAlign = 16, kReturnAddress = 8;

// Fault: it would not fit on the alternate stack that it is to stand on.
Result<FramePlace> place_frame(const pt_regs& regs, const abi::SigAction& action) {
    const abi::SigAltStack& alternate = current()->sas;
    uint64_t sp = regs.rsp - kRedZone;
    const bool nested = on_sig_stack(alternate, regs.rsp);
    const bool enters = (action.flags & abi::kSaOnStack) != 0 && sas_ss_flags(alternate, sp) == 0;
    if (enters) sp = alternate.sp + alternate.size;
    const uint64_t fpstate = (sp - sizeof(fxregs_state)) & ~(kFpAlign - 1);
    // As after a call: RSP + 8 is a multiple of 16.
    const uint64_t frame = ((fpstate - sizeof(abi::RtSigFrame)) & ~(kFrameAlign - 1)) - kReturnAddress;
    const bool inside = frame > alternate.sp && frame - alternate.sp <= alternate.size;
    if ((nested || enters) && !inside) return Errno::Fault;
    return FramePlace{fpstate, UserPtr<abi::RtSigFrame>(frame)};
}

abi::SigContext save_context(const pt_regs& regs, uint64_t fpstate) {
    const thread_struct& thread = current()->thread;
    abi::SigContext context{};
    context.r8 = regs.r8, context.r9 = regs.r9, context.r10 = regs.r10, context.r11 = regs.r11;
    context.r12 = regs.r12, context.r13 = regs.r13, context.r14 = regs.r14, context.r15 = regs.r15;
    context.rdi = regs.rdi, context.rsi = regs.rsi, context.rbp = regs.rbp, context.rbx = regs.rbx;
    context.rdx = regs.rdx, context.rax = regs.rax, context.rcx = regs.rcx, context.rsp = regs.rsp;
    context.rip = regs.rip, context.eflags = regs.eflags;
    context.cs = static_cast<uint16_t>(regs.cs);
    context.ss = static_cast<uint16_t>(regs.ss);
    context.err = thread.error_code;
    context.trapno = thread.trap_nr;
    context.cr2 = thread.cr2;
    context.oldmask = current()->blocked;
    context.fpstate = fpstate;
    return context;
}

void restore_context(pt_regs& regs, const abi::SigContext& context) {
    regs.r8 = context.r8, regs.r9 = context.r9, regs.r10 = context.r10, regs.r11 = context.r11;
    regs.r12 = context.r12, regs.r13 = context.r13, regs.r14 = context.r14, regs.r15 = context.r15;
    regs.rdi = context.rdi, regs.rsi = context.rsi, regs.rbp = context.rbp, regs.rbx = context.rbx;
    regs.rdx = context.rdx, regs.rax = context.rax, regs.rcx = context.rcx, regs.rsp = context.rsp;
    regs.rip = context.rip;
    regs.eflags = (regs.eflags & ~kFixEflags) | (context.eflags & kFixEflags);
    regs.cs = kUserCs;
    regs.ss = kUserDs;
    regs.orig_rax = ~uint64_t{0};  // no system call to restart
}

// Others would fault on the way back to user mode. Programs that know nothing of SS may leave it 0.
bool has_user_segments(const abi::UContext& context) {
    if ((context.mcontext.cs | 3) != kUserCs) return false;
    return (context.flags & abi::kUcStrictRestoreSs) == 0 || (context.mcontext.ss | 3) == kUserDs;
}

Result<> restore_fpu(uint64_t fpstate) {
    fxregs_state state;
    if (fpstate != 0) {
        TRY(copy_from_user(&state, VirtAddr(fpstate), sizeof(state)));
        if ((state.mxcsr & ~kMxcsrMask) != 0) return Errno::Inval;  // FXRSTOR would fault
    }
    const IrqGuard guard;
    current()->thread.fpu = state;
    fpu_load_current();
    return {};
}

Result<> write_frame(const FramePlace& place, const pt_regs& regs, const ksignal& taken) {
    task_struct& task = *current();
    {
        const IrqGuard guard;
        fpu_save_current();
    }
    TRY(copy_to_user(VirtAddr(place.fpstate), &task.thread.fpu, sizeof(fxregs_state)));
    abi::RtSigFrame frame{};
    frame.pretcode = taken.action.restorer;
    frame.uc.flags = abi::kUcSigContextSs | abi::kUcStrictRestoreSs;
    frame.uc.stack = task.sas;
    frame.uc.mcontext = save_context(regs, place.fpstate);
    frame.uc.sigmask = task.restore_sigmask ? task.saved_sigmask : task.blocked;
    frame.info = taken.info;
    return put_user(place.frame, frame);
}

Result<> setup_rt_frame(pt_regs& regs, const ksignal& taken) {
    // Programs bring the code that a handler returns to; Linux has none for them on x86-64 either.
    if ((taken.action.flags & abi::kSaRestorer) == 0) return Errno::Fault;
    const FramePlace place = TRY(place_frame(regs, taken.action));
    TRY(write_frame(place, regs, taken));
    // The handler may leave for good: whoever comes next finds no alternate stack in use.
    if ((current()->sas.flags & abi::kSsAutoDisarm) != 0) current()->sas = kNoAltStack;
    const uint64_t frame = place.frame.raw();
    regs.rdi = static_cast<uint64_t>(taken.sig);
    regs.rsi = frame + __builtin_offsetof(abi::RtSigFrame, info);
    regs.rdx = frame + __builtin_offsetof(abi::RtSigFrame, uc);
    regs.rax = 0;
    regs.rip = taken.action.handler;
    regs.rsp = frame;
    regs.cs = kUserCs;
    regs.ss = kUserDs;
    regs.eflags &= ~(kFlagsDf | kFlagsRf | kFlagsTf);
    // A handler starts with fresh FPU state.
    const IrqGuard guard;
    current()->thread.fpu = fxregs_state{};
    fpu_load_current();
    return {};
}

// Whether an interrupted call is made again once the handler has returned.
bool restarts_after(Errno error, const abi::SigAction& action) {
    if (error == Errno::RestartNoIntr) return true;
    return error == Errno::RestartSys && (action.flags & abi::kSaRestart) != 0;
}

void restart_call(pt_regs& regs) {
    regs.rax = regs.orig_rax;
    regs.rip -= 2;  // SYSCALL is two bytes long
}

bool is_restart(Errno error) {
    return error == Errno::RestartSys || error == Errno::RestartNoIntr || error == Errno::RestartNoHand ||
           error == Errno::RestartRestartBlock;
}

// The error that a system call is about to return with, if it asks for a restart.
bool wants_restart(const pt_regs& regs, Errno& error) {
    if (static_cast<int64_t>(regs.orig_rax) < 0) return false;
    error = static_cast<Errno>(-static_cast<int64_t>(regs.rax));
    return is_restart(error);
}

void handle_signal(pt_regs& regs, const ksignal& taken) {
    Errno error{};
    if (wants_restart(regs, error)) {
        if (restarts_after(error, taken.action)) {
            restart_call(regs);
        } else {
            regs.rax = static_cast<uint64_t>(-static_cast<int64_t>(Errno::Intr));
        }
    }
    // A step into the handler ends at its first instruction, which the frame must not show.
    task_struct& task = *current();
    const bool stepping = (task.stack.info()->flags & TIF_SINGLESTEP) != 0;
    if (stepping) user_disable_single_step(task);
    if (setup_rt_frame(regs, taken)) {
        signal_delivered(taken);
        if (stepping) ptrace_notify(abi::kSigTrap, 0);
        return;
    }
    // No room for the frame: the handler of that very signal cannot help either.
    pr_info("%s[%d] bad frame for signal %d at sp %lx\n", task.comm, task.pid, taken.sig, regs.rsp);
    if (taken.sig == abi::kSigSegv) {
        const spinlock_guard guard(task.sighand->siglock);
        task.sighand->action[abi::kSigSegv - 1].handler = abi::kSigDfl;
    }
    force_sig(abi::kSigSegv, &task);
}

}  // namespace

const uint64_t kSignalFrameMost =
    sizeof(fxregs_state) + kFpAlign - 1 + sizeof(abi::RtSigFrame) + kFrameAlign - 1 + kReturnAddress;

void do_signal(pt_regs& regs) {
    ksignal taken;
    if (get_signal(taken)) {
        handle_signal(regs, taken);
        return;
    }
    {
        const spinlock_guard guard(current()->sighand->siglock);
        recalc_sigpending();
    }
    Errno error{};
    if (wants_restart(regs, error)) {
        if (error == Errno::RestartRestartBlock) {
            regs.rax = kRestartSyscallNr;
            regs.rip -= 2;
        } else {
            restart_call(regs);
        }
        regs.orig_rax = ~uint64_t{0};
    }
    if (current()->restore_sigmask) {
        current()->restore_sigmask = false;
        set_current_blocked(current()->saved_sigmask);
    }
}

Result<long> do_rt_sigreturn(pt_regs& regs) {
    task_struct& task = *current();
    // RET has popped pretcode.
    const UserPtr<abi::RtSigFrame> where(regs.rsp - sizeof(uint64_t));
    Result<abi::RtSigFrame> frame = get_user(where);
    if (!frame || !has_user_segments(frame.value().uc) || !restore_fpu(frame.value().uc.mcontext.fpstate)) {
        pr_info("%s[%d] bad frame in rt_sigreturn at sp %lx\n", task.comm, task.pid, regs.rsp);
        force_sig(abi::kSigSegv, &task);
        return 0;
    }
    const abi::UContext& context = frame.value().uc;
    set_current_blocked(context.sigmask);
    restore_context(regs, context.mcontext);
    // As sigaltstack would, and without a word if it would not.
    (void)set_altstack(context.stack, regs.rsp).ok();
    task.restart.fn = nullptr;
    return static_cast<long>(regs.rax);
}

}  // namespace guest
