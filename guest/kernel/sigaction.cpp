// Actions on signals: what sigaction sets, and what execve leaves of it.
#include "guest/kernel/signal_core.hpp"
#include "guest/kernel/signal_sets.hpp"

namespace guest {

namespace {
// Others are cleared, so that a program can find out what the kernel knows (man 2 sigaction,
// "Dynamically probing for flag bit support").
constexpr uint64_t kKnownFlags = abi::kSaNoCldStop | abi::kSaNoCldWait | abi::kSaSigInfo | abi::kSaRestorer |
                                 abi::kSaOnStack | abi::kSaRestart | abi::kSaNoDefer | abi::kSaResetHand |
                                 abi::kSaExposeTagBits;
}  // namespace

Result<void> do_sigaction(int sig, const abi::SigAction* fresh, abi::SigAction* old) {
    if (sig < 1 || sig > abi::kNsig) return Errno::Inval;
    if (fresh != nullptr && (abi::sig_bit(sig) & kUnblockable) != 0) return Errno::Inval;
    task_struct& task = *current();
    const spinlock_guard guard(task.sighand->siglock);
    abi::SigAction& action = task.sighand->action[sig - 1];
    if (old != nullptr) *old = action;
    if (fresh == nullptr) return {};
    action = *fresh;
    action.flags &= kKnownFlags;
    action.mask &= ~kUnblockable;
    // What is ignored from now on is not kept either.
    if (action_ignores(task, sig)) remove_from_all(task, abi::sig_bit(sig));
    return {};
}

void flush_signal_handlers(task_struct* task) {
    for (abi::SigAction& action : task->sighand->action) {
        if (action.handler != abi::kSigIgn) action.handler = abi::kSigDfl;
        action.flags = 0;
        action.mask = 0;
        action.restorer = 0;
    }
}

}  // namespace guest
