// clone3: clone with its arguments in memory, where later kernels append to them.
#include "guest/abi/clone.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

using abi::CloneArgs;

constexpr uint64_t kLegacyFlags = 0xffffffff;
constexpr uint64_t kMaxSetTid = 32;  // numbers; more than there can be levels of pid namespaces

// A caller from a newer time may pass more, as long as it asks for nothing with it. TooBig, Inval, Fault.
Result<CloneArgs> copy_arguments(UserPtr<CloneArgs> from, uint64_t bytes) {
    if (bytes > kPageSize) return Errno::TooBig;
    if (bytes < abi::kCloneArgsSizeVer0) return Errno::Inval;
    const VirtAddr at = from;
    for (uint64_t i = sizeof(CloneArgs); i < bytes; ++i) {
        if (TRY(get_user(UserPtr<uint8_t>(at + i))) != 0) return Errno::TooBig;
    }
    CloneArgs args{};
    TRY(copy_from_user(&args, at, bytes < sizeof(args) ? bytes : sizeof(args)));
    return args;
}

Result<> check_stack(const CloneArgs& args) {
    if ((args.stack == 0) != (args.stack_size == 0)) return Errno::Inval;
    if (args.stack != 0 && !access_ok(VirtAddr(args.stack), args.stack_size)) return Errno::Inval;
    return {};
}

// What is of the arguments' form; what the flags mean together is copy_process's to check.
Result<> check_arguments(const CloneArgs& args, uint64_t bytes) {
    const auto has = [&args](uint64_t flag) { return (args.flags & flag) != 0; };
    if (args.set_tid_size > kMaxSetTid || (args.set_tid == 0) != (args.set_tid_size == 0))
        return Errno::Inval;
    if (args.exit_signal > static_cast<uint64_t>(abi::kNsig)) return Errno::Inval;
    constexpr uint64_t kIntMax = 0x7fffffff;
    if (has(abi::kCloneIntoCgroup) && (args.cgroup > kIntMax || bytes < abi::kCloneArgsSizeVer2))
        return Errno::Inval;
    if ((args.flags & ~(kLegacyFlags | abi::kCloneClearSighand | abi::kCloneIntoCgroup)) != 0)
        return Errno::Inval;
    if (has(abi::kCloneDetached | (abi::kCSignal & ~abi::kCloneNewTime))) return Errno::Inval;
    if (has(abi::kCloneSighand) && has(abi::kCloneClearSighand)) return Errno::Inval;
    if (has(abi::kCloneThread | abi::kCloneParent) && args.exit_signal != 0) return Errno::Inval;
    return check_stack(args);
}

// Namespaces that are not there, and whose numbers mean something else to clone (row C18).
Result<> check_namespaces(const CloneArgs& args) {
    const uint64_t wanted = args.flags & (abi::kCloneNewCgroup | abi::kCloneNewTime);
    if (wanted == 0) return {};
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    pr_info("clone3: namespace flags %lx are not supported\n", wanted);
    return Errno::Inval;
}

}  // namespace

Result<long> sys_clone3(UserPtr<CloneArgs> user_args, uint64_t bytes) {
    const CloneArgs args = TRY(copy_arguments(user_args, bytes));
    TRY(check_arguments(args, bytes));
    TRY(check_namespaces(args));
    // No descriptor leads to a control group.
    if ((args.flags & abi::kCloneIntoCgroup) != 0) return Errno::BadF;
    const bool both = (args.flags & abi::kClonePidfd) != 0 && (args.flags & abi::kCloneParentSetTid) != 0;
    if (both && args.pidfd == args.parent_tid) return Errno::Inval;
    pid_nr_t set_tid[kMaxSetTid];
    TRY(copy_from_user(set_tid, VirtAddr(args.set_tid), args.set_tid_size * sizeof(pid_nr_t)));
    CloneArguments out;
    out.flags = args.flags | args.exit_signal;
    if (args.stack != 0) out.stack = VirtAddr(args.stack + args.stack_size);
    out.parent_tid = UserPtr<int32_t>(args.parent_tid);
    out.child_tid = UserPtr<int32_t>(args.child_tid);
    out.pidfd = UserPtr<int32_t>(args.pidfd);
    out.tls = args.tls;
    out.set_tid = {set_tid, static_cast<unsigned>(args.set_tid_size)};
    return do_fork(out);
}

}  // namespace guest
