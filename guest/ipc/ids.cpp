// Identifiers, keys, owners and rights of System V objects.
#include "guest/ipc/ids.hpp"

#include "guest/kernel/cred.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr int kFirstCapacity = 16;

int index_of(int id) { return id % kIpcMni; }

Result<> resize(ipc_ids& ids, int capacity) {
    auto** entries = static_cast<kern_ipc_perm**>(kzalloc(static_cast<size_t>(capacity) * sizeof(void*)));
    if (entries == nullptr) return Errno::NoMem;
    const int kept = capacity < ids.capacity ? capacity : ids.capacity;
    if (kept > 0) memcpy(entries, ids.entries, static_cast<size_t>(kept) * sizeof(void*));
    kfree(ids.entries);
    ids.entries = entries;
    ids.capacity = capacity;
    return {};
}

Result<int> free_index(ipc_ids& ids) {
    for (int i = 0; i < ids.capacity; ++i) {
        if (ids.entries[i] == nullptr) return i;
    }
    const int first_new = ids.capacity;
    TRY(resize(ids, ids.capacity == 0 ? kFirstCapacity : 2 * ids.capacity));
    return first_new;
}

// The table shrinks with what is in it, so that objects that are gone leave nothing behind.
void shrink(ipc_ids& ids) {
    if (ids.in_use == 0) {
        kfree(ids.entries);
        ids.entries = nullptr;
        ids.capacity = 0;
        return;
    }
    const int needed = ipc_max_index(ids) + 1;
    // Without the memory for a smaller one the large one stays.
    if (ids.capacity > kFirstCapacity && needed <= ids.capacity / 4) (void)resize(ids, ids.capacity / 2).ok();
}

}  // namespace

Result<> ipc_addid(ipc_ids& ids, kern_ipc_perm& fresh, abi::key_t key, int flags, int64_t limit) {
    if (ids.in_use >= limit) return Errno::NoSpc;
    const int index = TRY(free_index(ids));
    const cred& mine = current_cred();
    fresh.key = key;
    fresh.uid = fresh.cuid = mine.euid;
    fresh.gid = fresh.cgid = mine.egid;
    fresh.mode = static_cast<uint32_t>(flags) & 0777;
    fresh.seq = ids.seq++;
    fresh.id = fresh.seq * kIpcMni + index;
    ids.entries[index] = &fresh;
    ++ids.in_use;
    return {};
}

void ipc_rmid(ipc_ids& ids, const kern_ipc_perm& object) {
    kern_ipc_perm*& entry = ids.entries[index_of(object.id)];
    BUG_ON(entry != &object);
    entry = nullptr;
    --ids.in_use;
    shrink(ids);
}

kern_ipc_perm* ipc_findkey(const ipc_ids& ids, abi::key_t key) {
    kern_ipc_perm* found = nullptr;
    for_each_ipc(ids, [&](kern_ipc_perm& object) {
        if (object.key == key) found = &object;
    });
    return found;
}

Result<kern_ipc_perm*> ipc_obtain_index(const ipc_ids& ids, int index) {
    if (index < 0) return Errno::Inval;
    const int place = index_of(index);
    if (place >= ids.capacity || ids.entries[place] == nullptr) return Errno::Inval;
    return ids.entries[place];
}

Result<kern_ipc_perm*> ipc_obtain_object(const ipc_ids& ids, int id) {
    kern_ipc_perm* found = TRY(ipc_obtain_index(ids, id));
    if (found->id != id) return Errno::Inval;
    return found;
}

int ipc_max_index(const ipc_ids& ids) {
    for (int i = ids.capacity - 1; i > 0; --i) {
        if (ids.entries[i] != nullptr) return i;
    }
    return 0;
}

Result<> ipcperms(const kern_ipc_perm& object, int flags) {
    const uint32_t euid = current_cred().euid;
    const uint32_t wanted = static_cast<uint32_t>(flags >> 6 | flags >> 3 | flags) & 7;
    uint32_t granted = object.mode;
    if (euid == object.cuid || euid == object.uid) {
        granted >>= 6;
    } else if (in_group_p(object.cgid) || in_group_p(object.gid)) {
        granted >>= 3;
    }
    if ((wanted & ~granted) != 0 && !capable(kCapIpcOwner)) return Errno::Access;
    return {};
}

Result<> ipc_check_owner(const kern_ipc_perm& object) {
    const uint32_t euid = current_cred().euid;
    if (euid == object.cuid || euid == object.uid || capable(kCapSysAdmin)) return {};
    return Errno::Perm;
}

Result<> ipc_update_perm(kern_ipc_perm& object, const abi::IpcPerm& from) {
    constexpr uint32_t kNoId = ~0U;
    if (from.uid == kNoId || from.gid == kNoId) return Errno::Inval;
    object.uid = from.uid;
    object.gid = from.gid;
    object.mode = (object.mode & ~0777U) | (from.mode & 0777U);
    return {};
}

abi::IpcPerm to_abi_perm(const kern_ipc_perm& object) {
    abi::IpcPerm out{};
    out.key = object.key;
    out.uid = object.uid;
    out.gid = object.gid;
    out.cuid = object.cuid;
    out.cgid = object.cgid;
    out.mode = object.mode;
    out.seq = object.seq;
    return out;
}

int64_t ipc_now() { return static_cast<int64_t>(ktime_get_real() / kNsInSecond); }

}  // namespace guest
