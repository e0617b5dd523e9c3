// What can be done with an open file or an inode, whoever asks: the system calls, execve, the kernel.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/iov_iter.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// At most this many bytes are moved by one call (Linux: MAX_RW_COUNT).
inline constexpr size_t kMaxRwCount = 0x7ffff000;

// Check the mode (BadF), then move bytes at pos.
Result<size_t> vfs_read(file& f, iov_iter& to, abi::loff_t& pos);
Result<size_t> vfs_write(file& f, iov_iter& from, abi::loff_t& pos);
// The same at the file's own offset.
Result<size_t> vfs_read_at_pos(file& f, iov_iter& to);
Result<size_t> vfs_write_at_pos(file& f, iov_iter& from);
Result<abi::loff_t> vfs_llseek(file& f, abi::loff_t offset, uint32_t whence);
Result<> vfs_fsync(file& f);
Result<> iterate_dir(file& f, dir_context& ctx);
[[nodiscard]] uint32_t vfs_poll(file& f, poll_table* wait);

// Into kernel memory at offset, which moves along. Fewer bytes only at the end of the file.
Result<size_t> kernel_read(file& f, abi::loff_t& offset, void* buffer, size_t bytes);
// From kernel memory. Fewer bytes when the file system is full.
Result<size_t> kernel_write(file& f, abi::loff_t& offset, const void* buffer, size_t bytes);

// What stat shows.
void vfs_getattr(const inode& node, abi::Stat& out);
// Each checks the caller's right. Perm, Access.
Result<> vfs_chmod(inode& node, abi::umode_t mode);
inline constexpr uint32_t kKeepId = ~0U;  // of vfs_chown: as it is
Result<> vfs_chown(inode& node, uint32_t uid, uint32_t gid);
// A tv_nsec may be kUtimeNow or kUtimeOmit. Inval.
Result<> vfs_utimes(inode& node, abi::Timespec atime, abi::Timespec mtime);
// truncate(2): checks the caller's right to write. Inval, IsDir, FBig, TxtBsy ...
Result<> vfs_truncate(inode& node, abi::loff_t length);
// The length alone; the caller may write. Inval, FBig.
Result<> do_truncate(inode& node, abi::loff_t length);
Result<> vfs_statfs(super_block& sb, abi::Statfs& out);

// For files whose contents are in their page cache.
Result<size_t> generic_file_read(file& f, iov_iter& to, abi::loff_t& pos);
Result<size_t> generic_file_write(file& f, iov_iter& from, abi::loff_t& pos);
// Of files that have no offset, but whose lseek succeeds.
Result<abi::loff_t> noop_llseek(file& f, abi::loff_t offset, uint32_t whence);
Result<abi::loff_t> generic_file_llseek(file& f, abi::loff_t offset, uint32_t whence);
Result<> generic_file_mmap(file& f, vm_area_struct& area);
Result<> noop_fsync(file& f);
// Before such a file grows: bytes past its end, in its last page, may have been written through a mapping,
// and are to read as zeros. Its i_mutex is held.
void clear_past_end(inode& node);
// For directories.
Result<size_t> generic_read_dir(file& f, iov_iter& to, abi::loff_t& pos);  // IsDir
// For directories whose names are all in the dentry tree.
Result<> dcache_readdir(file& f, dir_context& ctx);
Result<abi::loff_t> dcache_dir_llseek(file& f, abi::loff_t offset, uint32_t whence);

// Makes the root tmpfs, unpacks the initramfs into it and brings up pipes and the memory devices. A bad
// archive ends in a panic of one line. The result is where init's fs_struct begins, and the namespace of its
// mounts.
struct vfs_root {
    RefPtr<struct mnt_namespace> ns;
    path root;
};
vfs_root vfs_init(const void* initramfs, size_t bytes);

}  // namespace guest
