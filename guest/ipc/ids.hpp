// What the three kinds of System V objects have in common: identifiers, keys, owners and rights.
#pragma once

#include <stdint.h>

#include "guest/abi/ipc.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// An identifier is sequence number * kIpcMni + place in the table, so that one that was removed is not
// mistaken for the next object in its place.
inline constexpr int kIpcMni = 32768;

// The head of each object. Guarded by the `lock` of its ipc_ids.
struct kern_ipc_perm {
    int id = -1;
    abi::key_t key = abi::kIpcPrivate;
    uint32_t uid = 0, gid = 0;    // owner
    uint32_t cuid = 0, cgid = 0;  // creator
    uint32_t mode = 0;            // nine permission bits, and those of abi::kShmDest's kind
    uint16_t seq = 0;
};

// All objects of one kind. User memory is not touched with `lock` held.
struct ipc_ids {
    mutex lock;
    kern_ipc_perm** entries = nullptr;  // null: free place
    int capacity = 0;                   // places in entries
    int in_use = 0;
    uint16_t seq = 0;  // of the next object

    ipc_ids() = default;
    ipc_ids(const ipc_ids&) = delete;
    ipc_ids& operator=(const ipc_ids&) = delete;
};

// All of these want ids.lock held.

// Gives fresh an identifier, and current as its owner and creator. NoSpc with `limit` objects there. NoMem.
Result<> ipc_addid(ipc_ids& ids, kern_ipc_perm& fresh, abi::key_t key, int flags, int64_t limit);
// The identifier is free again; the object is the caller's to end.
void ipc_rmid(ipc_ids& ids, const kern_ipc_perm& object);
// The object of that key, or null.
[[nodiscard]] kern_ipc_perm* ipc_findkey(const ipc_ids& ids, abi::key_t key);
// Inval: there is none.
Result<kern_ipc_perm*> ipc_obtain_object(const ipc_ids& ids, int id);
// By its place in the table, as the *_STAT commands name it. Inval.
Result<kern_ipc_perm*> ipc_obtain_index(const ipc_ids& ids, int index);
// The highest place in use, 0 if there is none: what the *_INFO commands return.
[[nodiscard]] int ipc_max_index(const ipc_ids& ids);

// Whether current may do what `flags` asks for (permission bits in any of the three places): Access.
Result<> ipcperms(const kern_ipc_perm& object, int flags);
inline constexpr int kMayRead = 0444, kMayWrite = 0222, kMayExec = 0111;  // for ipcperms
// Whether current is owner, creator or privileged, as IPC_SET and IPC_RMID want it: Perm.
Result<> ipc_check_owner(const kern_ipc_perm& object);

// IPC_SET: owner and permission bits. Inval for an id that is none.
Result<> ipc_update_perm(kern_ipc_perm& object, const abi::IpcPerm& from);
[[nodiscard]] abi::IpcPerm to_abi_perm(const kern_ipc_perm& object);

// What msgget, semget and shmget do. make() adds a new object and gives its id; check(object) refuses one
// that is there and does not fit.
template <typename Make, typename Check>
Result<int> ipcget(ipc_ids& ids, abi::key_t key, int flags, Make&& make, Check&& check) {
    const mutex_guard guard(ids.lock);
    if (key == abi::kIpcPrivate) return make();
    kern_ipc_perm* found = ipc_findkey(ids, key);
    if (found == nullptr) {
        if ((flags & abi::kIpcCreat) == 0) return Errno::NoEnt;
        return make();
    }
    if ((flags & abi::kIpcCreat) != 0 && (flags & abi::kIpcExcl) != 0) return Errno::Exist;
    TRY(check(*found));
    TRY(ipcperms(*found, flags));
    return found->id;
}

// Calls visit(object) for each, in the order of the table: for /proc/sysvipc.
template <typename Visit>
void for_each_ipc(const ipc_ids& ids, Visit&& visit) {
    for (int i = 0; i < ids.capacity; ++i) {
        if (ids.entries[i] != nullptr) visit(*ids.entries[i]);
    }
}

// CLOCK_REALTIME, s.
[[nodiscard]] int64_t ipc_now();

}  // namespace guest
