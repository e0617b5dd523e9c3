// Who a task acts as. A cred is constant once it is installed: changing one means making a copy and
// committing it, so that readers need no lock.
#pragma once

#include <stdint.h>

#include "guest/lib/refcount.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

using uid_t = uint32_t;
using gid_t = uint32_t;

// What is counted for all tasks of one user.
struct user_struct : RefCounted<user_struct> {
    KMEM_CACHED()
    explicit user_struct(uid_t its_uid) : uid(its_uid) {}
    void release();

    uid_t uid;
    Atomic<int64_t> processes{0};  // tasks, against RLIMIT_NPROC
    Atomic<int64_t> sigpending{0};
    Atomic<int64_t> unix_inflight{0};  // files in messages that nobody received yet
    uint64_t locked_shm = 0;           // pages of segments under SHM_LOCK; guarded by their ids' lock
    uint64_t mq_bytes = 0;             // of POSIX message queues, against RLIMIT_MSGQUEUE
    list_head users;                   // in the list of all
};

// The user_struct of uid, made if there is none. NoMem.
Result<RefPtr<user_struct>> alloc_uid(uid_t uid);

// Whether the user has more tasks than current's RLIMIT_NPROC; never so for root.
[[nodiscard]] bool is_over_process_limit(const user_struct& user);

// One task in its user's count, for as long as this lives.
class ProcessCharge {
public:
    constexpr ProcessCharge() = default;
    ProcessCharge(const ProcessCharge&) = delete;
    ProcessCharge& operator=(const ProcessCharge&) = delete;
    ~ProcessCharge() { release(); }
    void charge(RefPtr<user_struct> user) {
        release();
        user_ = std::move(user);
        user_->processes.fetch_add(1);
    }
    void release() {
        if (user_) user_->processes.fetch_sub(1);
        user_.reset();
    }

private:
    RefPtr<user_struct> user_;
};

// Supplementary groups.
struct group_info : RefCounted<group_info> {
    static constexpr unsigned kMax = 32;
    uint32_t ngroups = 0;
    gid_t gid[kMax] = {};
};

inline constexpr unsigned kCapChown = 0, kCapDacOverride = 1, kCapDacReadSearch = 2, kCapFowner = 3,
                          kCapFsetid = 4, kCapKill = 5, kCapSetgid = 6, kCapSetuid = 7, kCapSetpcap = 8,
                          kCapNetAdmin = 12, kCapIpcLock = 14, kCapIpcOwner = 15, kCapSysChroot = 18,
                          kCapSysPtrace = 19, kCapSysAdmin = 21, kCapSysBoot = 22, kCapSysNice = 23,
                          kCapSysResource = 24, kCapSysTime = 25, kCapSysTtyConfig = 26, kCapMknod = 27,
                          kCapAuditControl = 30, kCapSyslog = 34, kCapWakeAlarm = 35,
                          kCapCheckpointRestore = 40, kCapLast = 40;
inline constexpr uint64_t kCapFullSet = (uint64_t{2} << kCapLast) - 1;

struct cred : RefCounted<cred> {
    KMEM_CACHED()
    cred() = default;
    // A copy with one reference.
    cred(const cred& other)
        : RefCounted<cred>(),
          uid(other.uid),
          gid(other.gid),
          suid(other.suid),
          sgid(other.sgid),
          euid(other.euid),
          egid(other.egid),
          fsuid(other.fsuid),
          fsgid(other.fsgid),
          securebits(other.securebits),
          cap_inheritable(other.cap_inheritable),
          cap_permitted(other.cap_permitted),
          cap_effective(other.cap_effective),
          cap_bset(other.cap_bset),
          cap_ambient(other.cap_ambient),
          user(other.user),
          groups(other.groups) {}

    uid_t uid = 0;  // real
    gid_t gid = 0;
    uid_t suid = 0;  // saved
    gid_t sgid = 0;
    uid_t euid = 0;  // effective
    gid_t egid = 0;
    uid_t fsuid = 0;  // for files
    gid_t fsgid = 0;
    uint32_t securebits = 0;
    uint64_t cap_inheritable = 0;  // bit n is capability n
    uint64_t cap_permitted = kCapFullSet;
    uint64_t cap_effective = kCapFullSet;
    uint64_t cap_bset = kCapFullSet;
    uint64_t cap_ambient = 0;  // a subset of permitted and of inheritable
    RefPtr<user_struct> user;
    RefPtr<group_info> groups;  // null: none
};

// Whether current may do what the capability is for.
[[nodiscard]] bool capable(unsigned capability);
[[nodiscard]] bool in_group_p(gid_t gid);
// current's, valid while it does not change its own.
[[nodiscard]] const cred& current_cred();

// A changeable copy of current's cred, for commit_creds(). NoMem.
Result<RefPtr<cred>> prepare_creds();
void commit_creds(RefPtr<cred> changed);

}  // namespace guest
