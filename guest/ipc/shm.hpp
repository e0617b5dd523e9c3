// System V shared memory: segments, which are nameless files of shmem, and their attachments, which are areas
// that map them.
#pragma once

#include <stdint.h>

#include "guest/fs/file.hpp"
#include "guest/ipc/ids.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

inline constexpr uint64_t kShmMin = 1;

struct shmid_kernel : kern_ipc_perm {
    KMEM_CACHED()
    shmid_kernel() = default;
    shmid_kernel(const shmid_kernel&) = delete;
    shmid_kernel& operator=(const shmid_kernel&) = delete;

    RefPtr<ipc_namespace> ns;  // that it is in
    RefPtr<file> shm_file;
    uint64_t shm_segsz = 0;                            // bytes, as asked for
    uint64_t shm_nattch = 0;                           // areas that map it, and attachments being made
    int64_t shm_atim = 0, shm_dtim = 0, shm_ctim = 0;  // s
    pid_nr_t shm_cprid = 0, shm_lprid = 0;             // maker; who attached or detached last
    RefPtr<user_struct> mlock_user;                    // charged for SHM_LOCK

    [[nodiscard]] uint64_t pages() const { return pages_for(shm_segsz); }
};

// What maps a segment: its file's private_data is the segment.
extern const file_operations shm_file_operations;
[[nodiscard]] bool is_shm_area(const vm_area_struct& vma);

// All of these want the lock of the segments' ipc_ids held.

[[nodiscard]] uint64_t shm_resident_pages(const shmid_kernel& segment);

Result<shmid_kernel*> shm_obtain_object(const ipc_namespace& ns, int shmid);
// An attachment, or what was to become one, is gone. The last one of a segment that was removed ends it.
void shm_detach(shmid_kernel& segment);
// IPC_RMID: at once, or with the last attachment. Its key is free either way.
void shm_remove(shmid_kernel& segment);
// SHM_LOCK, SHM_UNLOCK. NoMem over RLIMIT_MEMLOCK.
Result<> shm_lock(shmid_kernel& segment);
void shm_unlock(shmid_kernel& segment);

}  // namespace guest
