// shmctl.
#include "guest/fs/inode.hpp"
#include "guest/ipc/shm.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

ipc_namespace& current_ns() { return *current()->nsproxy->ipc_ns; }

Result<long> shm_limits(UserPtr<abi::ShmInfo64> out) {
    abi::ShmInfo64 info{};
    const ipc_limits& limits = current_ns().limits;
    info.shmmax = limits.shmmax;
    info.shmmin = kShmMin;
    info.shmmni = info.shmseg = static_cast<uint64_t>(limits.shmmni);
    info.shmall = limits.shmall;
    TRY(put_user(out, info));
    ipc_ids& ids = current_ns().shm_ids;
    const mutex_guard guard(ids.lock);
    return ipc_max_index(ids);
}

Result<long> shm_info(UserPtr<abi::ShmInfo> out) {
    ipc_namespace& ns = current_ns();
    abi::ShmInfo info{};
    int highest;
    {
        const mutex_guard guard(ns.shm_ids.lock);
        info.used_ids = ns.shm_ids.in_use;
        info.shm_tot = ns.shm_tot;
        for_each_ipc(ns.shm_ids, [&](const kern_ipc_perm& object) {
            info.shm_rss += shm_resident_pages(static_cast<const shmid_kernel&>(object));
        });
        highest = ipc_max_index(ns.shm_ids);
    }
    TRY(put_user(out, info));
    return highest;
}

// IPC_STAT names a segment by its identifier, the others by its place.
Result<long> shm_stat(int shmid, int command, UserPtr<abi::ShmidDs> out) {
    ipc_namespace& ns = current_ns();
    abi::ShmidDs shown{};
    long result = 0;
    {
        const mutex_guard guard(ns.shm_ids.lock);
        const bool by_id = command == abi::kIpcStat;
        kern_ipc_perm* found =
            by_id ? TRY(ipc_obtain_object(ns.shm_ids, shmid)) : TRY(ipc_obtain_index(ns.shm_ids, shmid));
        const auto& segment = static_cast<const shmid_kernel&>(*found);
        if (command != abi::kShmStatAny) TRY(ipcperms(segment, kMayRead));
        shown.shm_perm = to_abi_perm(segment);
        shown.shm_segsz = segment.shm_segsz;
        shown.shm_atime = segment.shm_atim;
        shown.shm_dtime = segment.shm_dtim;
        shown.shm_ctime = segment.shm_ctim;
        shown.shm_cpid = segment.shm_cprid;
        shown.shm_lpid = segment.shm_lprid;
        shown.shm_nattch = segment.shm_nattch;
        if (!by_id) result = segment.id;
    }
    TRY(put_user(out, shown));
    return result;
}

Result<long> shm_down(int shmid, int command, UserPtr<const abi::ShmidDs> from) {
    abi::ShmidDs wanted{};
    if (command == abi::kIpcSet) wanted = TRY(get_user(from));
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.shm_ids.lock);
    shmid_kernel& segment = *TRY(shm_obtain_object(ns, shmid));
    TRY(ipc_check_owner(segment));
    if (command == abi::kIpcRmid) {
        shm_remove(segment);
        return 0;
    }
    TRY(ipc_update_perm(segment, wanted.shm_perm));
    segment.shm_ctim = ipc_now();
    return 0;
}

// There is no swap: a lock changes what is shown and charged.
Result<long> shm_lock_command(int shmid, int command) {
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.shm_ids.lock);
    shmid_kernel& segment = *TRY(shm_obtain_object(ns, shmid));
    if (!capable(kCapIpcLock)) {
        const uint32_t euid = current_cred().euid;
        if (euid != segment.uid && euid != segment.cuid) return Errno::Perm;
        if (command == abi::kShmLock && rlimit(abi::Rlimit::MemLock) == 0) return Errno::Perm;
    }
    if (command == abi::kShmLock) {
        TRY(shm_lock(segment));
    } else {
        shm_unlock(segment);
    }
    return 0;
}

}  // namespace

Result<long> sys_shmctl(int shmid, int command, UserPtr<abi::ShmidDs> argument) {
    if (command < 0 || shmid < 0) return Errno::Inval;
    switch (command) {
        case abi::kIpcInfo:
            return shm_limits(argument.cast<abi::ShmInfo64>());
        case abi::kShmInfo:
            return shm_info(argument.cast<abi::ShmInfo>());
        case abi::kIpcStat:
        case abi::kShmStat:
        case abi::kShmStatAny:
            return shm_stat(shmid, command, argument);
        case abi::kIpcSet:
        case abi::kIpcRmid:
            return shm_down(shmid, command, argument.cast<const abi::ShmidDs>());
        case abi::kShmLock:
        case abi::kShmUnlock:
            return shm_lock_command(shmid, command);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
