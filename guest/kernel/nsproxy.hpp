// Namespaces: which names and numbers a task sees. One nsproxy may be shared by many tasks.
#pragma once

#include "guest/abi/process.hpp"
#include "guest/ipc/ids.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/refcount.hpp"

namespace guest {

struct task_struct;
struct fs_struct;
struct mnt_namespace;  // fs/mount.hpp

struct uts_namespace : RefCounted<uts_namespace> {
    KMEM_CACHED()
    abi::UtsName name{};
};

// System V objects. Each kind's totals are guarded by the lock of its identifiers.
// What /proc/sys/kernel sets of an IPC namespace; at first as on Linux.
struct ipc_limits {
    int64_t msgmax = 8192;   // bytes of one message
    int64_t msgmnb = 16384;  // bytes in one queue that is made
    int64_t msgmni = 32000;  // queues
    int64_t semmsl = 32000, semmns = 1'024'000'000, semopm = 500,
            semmni = 32000;                       // in a set, in all, at once, sets
    uint64_t shmmax = ~uint64_t{0} - (1U << 24);  // bytes of one segment
    uint64_t shmall = ~uint64_t{0} - (1U << 24);  // pages of all
    int64_t shmmni = 4096;                        // segments
};

struct ipc_namespace : RefCounted<ipc_namespace> {
    KMEM_CACHED()
    ipc_ids sem_ids;
    ipc_ids msg_ids;
    ipc_ids shm_ids;
    int used_sems = 0;       // semaphores in all sets
    uint64_t msg_bytes = 0;  // in all queues
    uint64_t msg_hdrs = 0;   // messages in all queues
    uint64_t shm_tot = 0;    // pages of all segments
    ipc_limits limits;
};

inline constexpr pid_nr_t kPidMax = 32768;
// Numbers from here on are not given out; at most kPidMax.
extern pid_nr_t pid_max;

struct pid_namespace : RefCounted<pid_namespace> {
    KMEM_CACHED()
    unsigned level = 0;
    RefPtr<pid_namespace> parent;
    task_struct* child_reaper = nullptr;  // its init: gets the orphans
    pid_nr_t last_pid = 0;
    uint64_t nr_pids = 0;
    uint64_t pidmap[kPidMax / 64] = {};  // bit set: number in use
};

struct nsproxy : RefCounted<nsproxy> {
    KMEM_CACHED()
    nsproxy();
    ~nsproxy();

    RefPtr<uts_namespace> uts_ns;
    RefPtr<ipc_namespace> ipc_ns;
    RefPtr<mnt_namespace> mnt_ns;
    RefPtr<pid_namespace> pid_ns_for_children;
};

extern pid_namespace init_pid_ns;
extern nsproxy init_nsproxy;

// The pid namespace that task itself is in.
[[nodiscard]] pid_namespace& task_active_pid_ns(const task_struct* task);
// The namespace for the children of a task whose children are in `old`: with CLONE_NEWPID a new one below the
// caller's own. NoMem, NoSpc (too many levels), Inval (old is not the caller's).
Result<RefPtr<pid_namespace>> copy_pid_ns(uint64_t flags, pid_namespace& old);
// The last thread of ns's init is ending: kills all others in it and waits until they are gone. May sleep.
void zap_pid_ns_processes(pid_namespace& ns);

// current's namespaces, with new ones where CLONE_NEW* flags say so; a new mount namespace moves fs into it.
// Perm, NoMem, Inval (a kind that this kernel does not have).
Result<RefPtr<nsproxy>> create_new_namespaces(uint64_t flags, fs_struct& fs);

}  // namespace guest
