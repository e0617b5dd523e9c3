// shmat and shmdt.
#include "guest/fs/inode.hpp"
#include "guest/ipc/shm.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/mmap.hpp"

namespace guest {

namespace {

struct Attachment {
    VirtAddr at;
    uint64_t prot = abi::kProtRead;
    uint64_t map_flags = abi::kMapShared;
    int rights = kMayRead;
    bool replace = false;  // SHM_REMAP: over what is mapped there
};

Result<Attachment> what_is_wanted(VirtAddr address, int flags) {
    Attachment wanted;
    wanted.at = address;
    wanted.replace = (flags & abi::kShmRemap) != 0;
    if (address.is_null()) {
        if (wanted.replace) return Errno::Inval;
    } else {
        if (!address.is_aligned()) {
            if ((flags & abi::kShmRnd) == 0) return Errno::Inval;
            wanted.at = address.align_down();
            if (wanted.at.is_null() && wanted.replace) return Errno::Inval;
        }
        wanted.map_flags |= abi::kMapFixed;
    }
    if ((flags & abi::kShmRdOnly) == 0) {
        wanted.prot |= abi::kProtWrite;
        wanted.rights |= kMayWrite;
    }
    if ((flags & abi::kShmExec) != 0) {
        wanted.prot |= abi::kProtExec;
        wanted.rights |= kMayExec;
    }
    return wanted;
}

// Keeps a segment while an attachment is made.
class Hold {
public:
    static Result<Hold> take(ipc_namespace& ns, int shmid, int rights) {
        const mutex_guard guard(ns.shm_ids.lock);
        shmid_kernel* segment = TRY(shm_obtain_object(ns, shmid));
        TRY(ipcperms(*segment, rights));
        ++segment->shm_nattch;
        return Hold(*segment);
    }
    Hold(Hold&& other) noexcept : segment_(std::exchange(other.segment_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
        if (segment_ == nullptr) return;
        const RefPtr<ipc_namespace> ns = segment_->ns;
        const mutex_guard guard(ns->shm_ids.lock);
        shm_detach(*segment_);
    }
    shmid_kernel& operator*() const { return *segment_; }

private:
    explicit Hold(shmid_kernel& segment) : segment_(&segment) {}
    shmid_kernel* segment_;
};

Result<VirtAddr> map_segment(mm_struct& mm, file& f, const Attachment& wanted, uint64_t bytes) {
    const write_guard guard(mm.mmap_sem);
    if ((wanted.map_flags & abi::kMapFixed) != 0 && !wanted.replace) {
        const VirtAddr end = wanted.at + page_align_up(bytes);
        if (end < wanted.at || has_vma_in(mm, wanted.at, end)) return Errno::Inval;
    }
    return do_mmap(mm, &f, wanted.at, bytes, wanted.prot, wanted.map_flags, 0);
}

// Whether vma maps what an attachment at `address` would have there.
bool belongs_to(const vm_area_struct& vma, VirtAddr address) {
    return is_shm_area(vma) && (vma.vm_start - address) >> kPageShift == vma.vm_pgoff;
}

}  // namespace

Result<long> sys_shmat(int shmid, VirtAddr address, int flags) {
    if (shmid < 0) return Errno::Inval;
    const Attachment wanted = TRY(what_is_wanted(address, flags));
    const Hold held = TRY(Hold::take(*current()->nsproxy->ipc_ns, shmid, wanted.rights));
    shmid_kernel& segment = *held;
    const bool writes = (wanted.prot & abi::kProtWrite) != 0;
    // A description for each attachment: what is left of it after munmap in the middle is known by that.
    const RefPtr<file> f =
        TRY(alloc_file(segment.shm_file->f_path, file::kRead | (writes ? file::kWrite : 0U),
                       writes ? abi::kORdWr : abi::kORdOnly, shm_file_operations));
    f->private_data = &segment;
    return static_cast<long>(TRY(map_segment(*current()->mm, *f, wanted, segment.shm_segsz)).raw());
}

Result<long> sys_shmdt(VirtAddr address) {
    if (!address.is_aligned()) return Errno::Inval;
    mm_struct& mm = *current()->mm;
    const write_guard guard(mm.mmap_sem);
    vm_area_struct* vma = find_vma(mm, address);
    while (vma != nullptr && !belongs_to(*vma, address)) vma = mm.mmap.next(*vma);
    if (vma == nullptr) return Errno::Inval;
    // Parts may have been unmapped, or changed their rights: all that is left of this attachment goes.
    const file* attachment = vma->vm_file.get();
    const uint64_t bytes = page_align_up(static_cast<uint64_t>(attachment->node().i_size));
    while (vma != nullptr && vma->vm_end - address <= bytes) {
        vm_area_struct* next = mm.mmap.next(*vma);
        if (belongs_to(*vma, address) && vma->vm_file.get() == attachment)
            TRY(do_munmap(mm, vma->vm_start, vma->vm_end - vma->vm_start));
        vma = next;
    }
    return 0;
}

}  // namespace guest
