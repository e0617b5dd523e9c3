// Memory as a file, with a name that nobody can open, and seals on it (man 2 memfd_create).
#include "guest/fs/memfd.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/shmem.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Bytes of a name, without the closing zero: with "memfd:" before it it is as long as a name may be.
constexpr size_t kMostName = abi::kNameMax - 6;
constexpr uint32_t kExecutable = 0111;

size_t memfd_dname(const dentry& d, char* buffer, size_t size) {
    return scnprintf(buffer, size, "/memfd:%s (deleted)", d.d_long_name);
}
constexpr dentry_operations kMemfdDentry{.d_dname = memfd_dname};

// i_mmap_mutex is held.
bool is_mapped_writable(address_space& mapping) {
    for (list_head* node = mapping.i_mmap.next; node != &mapping.i_mmap; node = node->next) {
        const auto* vma = list_entry<vm_area_struct, &vm_area_struct::shared>(node);
        constexpr uint64_t kWritable = VM_SHARED | VM_MAYWRITE;
        if ((vma->vm_flags & kWritable) == kWritable) return true;
    }
    return false;
}

Result<KBuffer> copy_name(UserPtr<const char> from) {
    KBuffer name = TRY(KBuffer::allocate(kMostName + 1));
    if (TRY(strncpy_from_user(name.data(), from, name.size())) == name.size()) return Errno::Inval;
    return name;
}

// The dentry has no name yet. NoMem.
Result<> set_name(dentry& d, const char* name) {
    const size_t bytes = strlen(name) + 1;
    d.d_long_name = static_cast<char*>(kmalloc(bytes));
    if (d.d_long_name == nullptr) return Errno::NoMem;
    memcpy(d.d_long_name, name, bytes);
    return {};
}

}  // namespace

Result<> shmem_mmap(file& f, vm_area_struct& area) {
    // Once this is free, nobody else runs until the area is linked under it: a seal finds the mapping, or the
    // mapping the seal.
    const mutex_guard guard(f.f_mapping->i_mmap_mutex);
    if (f.f_mapping->write_sealed() && (area.vm_flags & VM_SHARED) != 0) {
        if ((area.vm_flags & VM_WRITE) != 0) return Errno::Perm;
        area.vm_flags &= ~VM_MAYWRITE;
    }
    return generic_file_mmap(f, area);
}

Result<long> memfd_get_seals(const file& f) {
    if (!f.f_mapping->is_shmem) return Errno::Inval;
    return f.f_mapping->seals;
}

Result<long> memfd_add_seals(file& f, uint32_t seals) {
    if ((f.f_mode & file::kWrite) == 0) return Errno::Perm;
    if ((seals & ~abi::kSealAll) != 0 || !f.f_mapping->is_shmem) return Errno::Inval;
    inode& node = f.node();
    address_space& mapping = *f.f_mapping;
    const mutex_guard guard(node.i_mutex);
    if ((mapping.seals & abi::kSealSeal) != 0) return Errno::Perm;
    // Code that is there to be run does not change either.
    if ((seals & abi::kSealExec) != 0 && (node.i_mode & kExecutable) != 0)
        seals |= abi::kSealShrink | abi::kSealGrow | abi::kSealWrite | abi::kSealFutureWrite;
    const mutex_guard mmap_guard(mapping.i_mmap_mutex);
    const bool forbids_writing = (seals & ~mapping.seals & abi::kSealWrite) != 0;
    if (forbids_writing && is_mapped_writable(mapping)) return Errno::Busy;
    mapping.seals |= seals;
    return 0;
}

Result<long> sys_memfd_create(UserPath user_name, uint32_t flags) {
    constexpr uint32_t kKnown =
        abi::kMfdCloExec | abi::kMfdAllowSealing | abi::kMfdHugeTlb | abi::kMfdNoExecSeal | abi::kMfdExec;
    // With huge pages, the upper bits tell their size.
    const uint32_t size_bits = (flags & abi::kMfdHugeTlb) != 0 ? 0xfc000000 : 0;
    if ((flags & ~(kKnown | size_bits)) != 0) return Errno::Inval;
    const bool no_exec = (flags & abi::kMfdNoExecSeal) != 0;
    if (no_exec && (flags & abi::kMfdExec) != 0) return Errno::Inval;
    const KBuffer name = TRY(copy_name(user_name));
    if ((flags & abi::kMfdHugeTlb) != 0) return Errno::NoSys;  // as a kernel without huge pages
    ReservedFd fd = TRY(reserve_fd((flags & abi::kMfdCloExec) != 0 ? abi::kOCloExec : 0));
    RefPtr<file> f = TRY(shmem_named_file_setup(kMemfdDentry));
    TRY(set_name(*f->f_path.dentry, name.data()));
    f->f_flags |= abi::kOLargeFile;
    address_space& mapping = *f->f_mapping;
    if (no_exec || (flags & abi::kMfdAllowSealing) != 0) mapping.seals = 0;
    if (no_exec) {
        mapping.seals = abi::kSealExec;
        f->node().i_mode &= ~kExecutable;
    }
    return fd.install(std::move(f));
}

}  // namespace guest
