// capget and capset.
#include "guest/kernel/capability.hpp"

#include "guest/abi/capability.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// How many abi::CapUserData the header's version has. One that is not known is answered with the newest, in
// the header. Inval, Fault.
Result<unsigned> words_of_version(UserPtr<abi::CapUserHeader> header) {
    const UserPtr<uint32_t> version(header.address());
    switch (TRY(get_user(version))) {
        case abi::kCapabilityVersion1:
            return 1U;
        case abi::kCapabilityVersion2:
        case abi::kCapabilityVersion3:
            return 2U;
        default:
            TRY(put_user(version, abi::kCapabilityVersion3));
            return Errno::Inval;
    }
}

Result<int32_t> pid_in(UserPtr<abi::CapUserHeader> header) {
    return get_user(UserPtr<int32_t>(header.address() + sizeof(uint32_t)));
}

uint32_t word_of(uint64_t set, unsigned word) { return static_cast<uint32_t>(set >> (32 * word)); }

Result<RefPtr<const cred>> creds_of(int pid) {
    if (pid < 0) return Errno::Inval;
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = pid == 0 ? current() : find_task_by_vpid(pid);
    if (task == nullptr) return Errno::Srch;
    return task->real_cred;
}

}  // namespace

Result<long> sys_capget(UserPtr<abi::CapUserHeader> header, UserPtr<abi::CapUserData> data) {
    Result<unsigned> words = words_of_version(header);
    if (!words.ok()) {
        // Without a place for the sets it was only a question for the version.
        if (!data && words.error() == Errno::Inval) return 0;
        return words.error();
    }
    if (!data) return 0;
    const RefPtr<const cred> who = TRY(creds_of(TRY(pid_in(header))));
    for (unsigned i = 0; i < words.value(); ++i) {
        const abi::CapUserData part{word_of(who->cap_effective, i), word_of(who->cap_permitted, i),
                                    word_of(who->cap_inheritable, i)};
        TRY(put_user(data + i, part));
    }
    return 0;
}

Result<long> sys_capset(UserPtr<abi::CapUserHeader> header, UserPtr<const abi::CapUserData> data) {
    const unsigned words = TRY(words_of_version(header));
    const int32_t pid = TRY(pid_in(header));
    if (pid != 0 && pid != task_pid_vnr(current())) return Errno::Perm;
    uint64_t effective = 0, permitted = 0, inheritable = 0;
    for (unsigned i = 0; i < words; ++i) {
        const abi::CapUserData part = TRY(get_user(data + i));
        effective |= uint64_t{part.effective} << (32 * i);
        permitted |= uint64_t{part.permitted} << (32 * i);
        inheritable |= uint64_t{part.inheritable} << (32 * i);
    }
    RefPtr<cred> changed = TRY(prepare_creds());
    TRY(cap_capset(*changed, effective & kCapFullSet, permitted & kCapFullSet, inheritable & kCapFullSet));
    commit_creds(std::move(changed));
    return 0;
}

}  // namespace guest
