// Shared-memory segments: made, attached to, removed.
#include "guest/ipc/shm.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/fallocate.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/shmem.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/format.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

DEFINE_KMEM_CACHE(shmid_kernel)

namespace {

// As /proc/<pid>/maps shows it.
size_t shm_dname(const dentry& d, char* buffer, size_t size) {
    const auto key = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(d.d_inode->i_private));
    return scnprintf(buffer, size, "/SYSV%08x (deleted)", key);
}
constexpr dentry_operations kShmDentry{.d_dname = shm_dname};

shmid_kernel& segment_of(const vm_area_struct& vma) {
    return *static_cast<shmid_kernel*>(vma.vm_file->private_data);
}

void attach(shmid_kernel& segment) {
    segment.shm_atim = ipc_now();
    segment.shm_lprid = task_tgid_vnr(current());
    ++segment.shm_nattch;
}

// mmap_sem is held, or nobody else uses the address space.
void shm_open(vm_area_struct& vma) {
    shmid_kernel& segment = segment_of(vma);
    const mutex_guard guard(segment.ns->shm_ids.lock);
    attach(segment);
}

void shm_close(vm_area_struct& vma) {
    shmid_kernel& segment = segment_of(vma);
    // The segment may be gone before its lock is.
    const RefPtr<ipc_namespace> ns = segment.ns;
    const mutex_guard guard(ns->shm_ids.lock);
    segment.shm_dtim = ipc_now();
    segment.shm_lprid = task_tgid_vnr(current());
    shm_detach(segment);
}

constexpr vm_operations kShmVmOps{.open = shm_open, .close = shm_close};

Result<> shm_mmap(file&, vm_area_struct& area) {
    area.vm_ops = &kShmVmOps;
    shm_open(area);
    return {};
}

void destroy(shmid_kernel& segment) {
    shm_unlock(segment);
    const RefPtr<ipc_namespace> ns = segment.ns;
    ns->shm_tot -= segment.pages();
    ipc_rmid(ns->shm_ids, segment);
    delete &segment;
}

Result<int> newseg(ipc_namespace& ns, abi::key_t key, size_t bytes, int flags) {
    if (bytes < kShmMin || bytes > ns.limits.shmmax || (flags & abi::kShmHugeTlb) != 0) return Errno::Inval;
    const uint64_t pages = pages_for(bytes);
    if (ns.shm_tot + pages < pages || ns.shm_tot + pages > ns.limits.shmall) return Errno::NoSpc;
    const bool reserved = (flags & abi::kShmNoReserve) == 0 || sysctl_overcommit.memory == Overcommit::Never;
    auto segment = TRY(make_owned<shmid_kernel>());
    segment->ns = RefPtr<ipc_namespace>(&ns);
    segment->shm_segsz = bytes;
    segment->shm_cprid = task_tgid_vnr(current());
    segment->shm_ctim = ipc_now();
    TRY(ipc_addid(ns.shm_ids, *segment, key, flags, ns.limits.shmmni));
    // Only now is the number known that the file shows.
    Result<RefPtr<file>> made = shmem_kernel_file_setup(
        static_cast<abi::loff_t>(bytes), kShmDentry, static_cast<uint64_t>(segment->id),
        reinterpret_cast<void*>(uintptr_t{static_cast<uint32_t>(key)}),
        reserved ? ShmemPromise::Whole : ShmemPromise::ByPage);
    if (!made.ok()) {
        ipc_rmid(ns.shm_ids, *segment);
        return made.error();
    }
    segment->shm_file = made.release_value();
    ns.shm_tot += pages;
    return segment.leak()->id;
}

}  // namespace

constinit const file_operations shm_file_operations{
    .mmap = shm_mmap, .fsync = noop_fsync, .fallocate = shmem_fallocate};

bool is_shm_area(const vm_area_struct& vma) { return vma.vm_ops == &kShmVmOps; }

Result<shmid_kernel*> shm_obtain_object(const ipc_namespace& ns, int shmid) {
    return static_cast<shmid_kernel*>(TRY(ipc_obtain_object(ns.shm_ids, shmid)));
}

uint64_t shm_resident_pages(const shmid_kernel& segment) {
    address_space& mapping = *segment.shm_file->f_mapping;
    const spinlock_guard guard(mapping.tree_lock);
    return mapping.pages.count();
}

void shm_detach(shmid_kernel& segment) {
    --segment.shm_nattch;
    if (segment.shm_nattch == 0 && (segment.mode & abi::kShmDest) != 0) destroy(segment);
}

void shm_remove(shmid_kernel& segment) {
    if (segment.shm_nattch == 0) {
        destroy(segment);
        return;
    }
    segment.mode |= abi::kShmDest;
    segment.key = abi::kIpcPrivate;
}

Result<> shm_lock(shmid_kernel& segment) {
    if ((segment.mode & abi::kShmLocked) != 0) return {};
    const RefPtr<user_struct>& user = current()->cred->user;
    const uint64_t limit = rlimit(abi::Rlimit::MemLock) >> kPageShift;
    if (user->locked_shm + segment.pages() > limit && !capable(kCapIpcLock)) return Errno::NoMem;
    user->locked_shm += segment.pages();
    segment.mlock_user = user;
    segment.mode |= abi::kShmLocked;
    return {};
}

void shm_unlock(shmid_kernel& segment) {
    if ((segment.mode & abi::kShmLocked) == 0) return;
    segment.mlock_user->locked_shm -= segment.pages();
    segment.mlock_user.reset();
    segment.mode &= ~abi::kShmLocked;
}

Result<long> sys_shmget(int key, size_t bytes, int flags) {
    ipc_namespace& ns = *current()->nsproxy->ipc_ns;
    return TRY(ipcget(
        ns.shm_ids, key, flags, [&] { return newseg(ns, key, bytes, flags); },
        [&](const kern_ipc_perm& found) -> Result<> {
            if (static_cast<const shmid_kernel&>(found).shm_segsz < bytes) return Errno::Inval;
            return {};
        }));
}

}  // namespace guest
