// Memory without a name that looks like a file.
#include "guest/fs/shmem.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/fallocate.hpp"
#include "guest/fs/memfd.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/format.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

namespace {

constexpr uint64_t kTmpfsMagic = 0x01021994;

size_t shmem_dname(const dentry&, char* buffer, size_t size) {
    return scnprintf(buffer, size, "/dev/zero (deleted)");
}

constexpr dentry_operations kShmemDentry{.d_dname = shmem_dname};
constexpr super_operations kShmemSuper{};
constexpr inode_operations kShmemInode{};
constexpr file_operations kShmemFile{.llseek = generic_file_llseek,
                                     .read = generic_file_read,
                                     .write = generic_file_write,
                                     .mmap = shmem_mmap,
                                     .fsync = noop_fsync,
                                     .fallocate = shmem_fallocate};

Result<RefPtr<dentry>> shmem_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kShmemSuper, kTmpfsMagic));
    return d_make_root(TRY(new_inode(*sb, nullptr, abi::kIfDir | 01777)));
}

constexpr file_system_type kShmemType{"tmpfs", shmem_mount};

// Never let go.
constinit vfsmount* shm_mnt = nullptr;

Result<> mount_shmem() {
    RefPtr<dentry> root = TRY(shmem_mount(kShmemType, nullptr));
    shm_mnt = TRY(make_ref<vfsmount>(std::move(root))).leak();
    return {};
}

}  // namespace

void shmem_init() {
    if (!mount_shmem()) panic("too little memory for shared memory");
}

Result<RefPtr<file>> shmem_kernel_file_setup(abi::loff_t bytes, const dentry_operations& name, uint64_t ino,
                                             void* i_private, ShmemPromise promise) {
    if (bytes < 0) return Errno::Inval;
    RefPtr<inode> node = TRY(make_ref<inode>(shm_mnt->mnt_root->sb(), ino, abi::kIfReg | 0777));
    node->i_uid = current_cred().fsuid;
    node->i_gid = current_cred().fsgid;
    node->i_atime = node->i_mtime = node->i_ctime = current_time();
    node->i_op = &kShmemInode;
    node->i_fop = &kShmemFile;
    node->i_nlink = 0;
    node->i_data.is_shmem = true;
    node->i_size = bytes;
    if (promise == ShmemPromise::Whole) {
        const uint64_t pages = pages_for(static_cast<uint64_t>(bytes));
        TRY(security_vm_enough_memory(current()->mm.get(), pages));
        node->i_data.promised = pages;
    }
    node->i_private = i_private;
    RefPtr<dentry> root = TRY(d_make_root(std::move(node), &name));
    path place(RefPtr<vfsmount>(shm_mnt), std::move(root));
    return alloc_file(std::move(place), file::kRead | file::kWrite | file::kSeek, abi::kORdWr, kShmemFile);
}

Result<RefPtr<file>> shmem_file_setup(abi::loff_t bytes, ShmemPromise promise) {
    return shmem_kernel_file_setup(bytes, kShmemDentry, shm_mnt->mnt_root->sb().s_next_ino.fetch_add(1),
                                   nullptr, promise);
}

Result<RefPtr<file>> shmem_named_file_setup(const dentry_operations& name) {
    return shmem_kernel_file_setup(0, name, shm_mnt->mnt_root->sb().s_next_ino.fetch_add(1), nullptr,
                                   ShmemPromise::ByPage);
}

}  // namespace guest
