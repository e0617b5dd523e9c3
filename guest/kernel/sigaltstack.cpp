// The alternate signal stack.
#include "guest/kernel/sigaltstack.hpp"

#include "guest/kernel/sched.hpp"

namespace guest {

Result<> set_altstack(const abi::SigAltStack& wanted, uint64_t sp) {
    task_struct& task = *current();
    if (on_sig_stack(task.sas, sp)) return Errno::Perm;
    const int32_t mode = wanted.flags & ~abi::kSsAutoDisarm;
    if (mode != 0 && mode != abi::kSsDisable && mode != abi::kSsOnStack) return Errno::Inval;
    if (mode == abi::kSsDisable) {
        task.sas = {0, wanted.flags, 0, 0};
        return {};
    }
    if (wanted.size < abi::kMinSigStackSize) return Errno::NoMem;
    task.sas = {wanted.sp, wanted.flags, 0, wanted.size};
    return {};
}

}  // namespace guest
