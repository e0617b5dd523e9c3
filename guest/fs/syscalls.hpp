// The system calls on files. Rows in abi/syscalls.def; behaviour and errors are those of the manual pages
// (man 2).
#pragma once

#include "guest/abi/epoll.hpp"
#include "guest/abi/file.hpp"
#include "guest/abi/process.hpp"
#include "guest/abi/signal.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

using UserPath = UserPtr<const char>;

// sys_read_write.cpp
Result<long> sys_read(int fd, VirtAddr buffer, size_t bytes);
Result<long> sys_write(int fd, VirtAddr buffer, size_t bytes);
Result<long> sys_pread64(int fd, VirtAddr buffer, size_t bytes, int64_t offset);
Result<long> sys_pwrite64(int fd, VirtAddr buffer, size_t bytes, int64_t offset);
Result<long> sys_readv(int fd, UserPtr<const abi::Iovec> segments, int count);
Result<long> sys_writev(int fd, UserPtr<const abi::Iovec> segments, int count);
Result<long> sys_preadv(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset);
Result<long> sys_pwritev(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset);
Result<long> sys_preadv2(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset, uint64_t,
                         uint32_t flags);
Result<long> sys_pwritev2(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset, uint64_t,
                          uint32_t flags);
Result<long> sys_lseek(int fd, int64_t offset, uint32_t whence);
Result<long> sys_splice(int in_fd, UserPtr<int64_t> in_offset, int out_fd, UserPtr<int64_t> out_offset,
                        size_t bytes, uint32_t flags);
Result<long> sys_tee(int in_fd, int out_fd, size_t bytes, uint32_t flags);
Result<long> sys_vmsplice(int fd, UserPtr<const abi::Iovec> segments, uint64_t count, uint32_t flags);
Result<long> sys_sendfile(int out_fd, int in_fd, UserPtr<int64_t> offset, size_t bytes);

Result<long> sys_copy_file_range(int in_fd, UserPtr<int64_t> in_offset, int out_fd,
                                 UserPtr<int64_t> out_offset, size_t bytes, uint32_t flags);

// sys_advise.cpp
Result<long> sys_readahead(int fd, int64_t offset, size_t bytes);
Result<long> sys_fadvise64(int fd, int64_t offset, int64_t bytes, int advice);
Result<long> sys_fallocate(int fd, int mode, abi::loff_t offset, abi::loff_t bytes);
Result<long> sys_sync_file_range(int fd, int64_t offset, int64_t bytes, uint32_t flags);

// sys_xattr.cpp
Result<long> sys_setxattr(UserPath path, UserPtr<const char> name, VirtAddr value, size_t bytes, int flags);
Result<long> sys_lsetxattr(UserPath path, UserPtr<const char> name, VirtAddr value, size_t bytes, int flags);
Result<long> sys_fsetxattr(int fd, UserPtr<const char> name, VirtAddr value, size_t bytes, int flags);
Result<long> sys_getxattr(UserPath path, UserPtr<const char> name, VirtAddr value, size_t bytes);
Result<long> sys_lgetxattr(UserPath path, UserPtr<const char> name, VirtAddr value, size_t bytes);
Result<long> sys_fgetxattr(int fd, UserPtr<const char> name, VirtAddr value, size_t bytes);
Result<long> sys_listxattr(UserPath path, VirtAddr list, size_t bytes);
Result<long> sys_llistxattr(UserPath path, VirtAddr list, size_t bytes);
Result<long> sys_flistxattr(int fd, VirtAddr list, size_t bytes);
Result<long> sys_removexattr(UserPath path, UserPtr<const char> name);
Result<long> sys_lremovexattr(UserPath path, UserPtr<const char> name);
Result<long> sys_fremovexattr(int fd, UserPtr<const char> name);

// sys_open.cpp
Result<long> sys_open(UserPath name, uint32_t flags, uint32_t mode);
Result<long> sys_openat(int dirfd, UserPath name, uint32_t flags, uint32_t mode);
// sys_openat2.cpp
Result<long> sys_openat2(int dirfd, UserPath name, UserPtr<const abi::OpenHow> how, size_t bytes);
Result<long> sys_creat(UserPath name, uint32_t mode);
Result<long> sys_close(int fd);
Result<long> sys_close_range(uint32_t first, uint32_t last, uint32_t flags);
Result<long> sys_access(UserPath name, uint32_t mode);
Result<long> sys_faccessat(int dirfd, UserPath name, uint32_t mode);
Result<long> sys_faccessat2(int dirfd, UserPath name, uint32_t mode, uint32_t flags);

// sys_fd.cpp
Result<long> sys_dup(int fd);
Result<long> sys_dup2(int old_fd, int new_fd);
Result<long> sys_dup3(int old_fd, int new_fd, uint32_t flags);
Result<long> sys_pipe(UserPtr<int32_t> fds);
Result<long> sys_pipe2(UserPtr<int32_t> fds, uint32_t flags);
Result<long> sys_fcntl(int fd, uint32_t command, uint64_t argument);
Result<long> sys_flock(int fd, uint32_t operation);  // sys_lock.cpp
Result<long> sys_ioctl(int fd, uint32_t request, uint64_t argument);
Result<long> sys_fsync(int fd);
Result<long> sys_fdatasync(int fd);
Result<long> sys_sync();
Result<long> sys_syncfs(int fd);

// sys_stat.cpp
Result<long> sys_stat(UserPath name, UserPtr<abi::Stat> out);
Result<long> sys_lstat(UserPath name, UserPtr<abi::Stat> out);
Result<long> sys_fstat(int fd, UserPtr<abi::Stat> out);
Result<long> sys_newfstatat(int dirfd, UserPath name, UserPtr<abi::Stat> out, uint32_t flags);
Result<long> sys_statx(int dirfd, UserPath name, uint32_t flags, uint32_t mask, UserPtr<abi::Statx> out);
Result<long> sys_statfs(UserPath name, UserPtr<abi::Statfs> out);
Result<long> sys_fstatfs(int fd, UserPtr<abi::Statfs> out);
Result<long> sys_readlink(UserPath name, VirtAddr buffer, int bytes);
Result<long> sys_readlinkat(int dirfd, UserPath name, VirtAddr buffer, int bytes);

// sys_dir.cpp
Result<long> sys_getdents64(int fd, VirtAddr buffer, uint32_t bytes);
Result<long> sys_getdents(int fd, VirtAddr buffer, uint32_t bytes);
Result<long> sys_getcwd(VirtAddr buffer, size_t bytes);
Result<long> sys_chdir(UserPath name);
Result<long> sys_fchdir(int fd);
Result<long> sys_chroot(UserPath name);
Result<long> sys_umask(uint32_t mask);
Result<long> sys_mount(UserPath source, UserPath target, UserPath type, uint64_t flags,
                       UserPtr<const char> data);
Result<long> sys_umount2(UserPath target, uint32_t flags);

// sys_names.cpp
Result<long> sys_mkdir(UserPath name, uint32_t mode);
Result<long> sys_mkdirat(int dirfd, UserPath name, uint32_t mode);
Result<long> sys_mknod(UserPath name, uint32_t mode, uint32_t rdev);
Result<long> sys_mknodat(int dirfd, UserPath name, uint32_t mode, uint32_t rdev);
Result<long> sys_rmdir(UserPath name);
Result<long> sys_unlink(UserPath name);
Result<long> sys_unlinkat(int dirfd, UserPath name, uint32_t flags);
Result<long> sys_link(UserPath old_name, UserPath new_name);
Result<long> sys_linkat(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name, uint32_t flags);
Result<long> sys_symlink(UserPath target, UserPath name);
Result<long> sys_symlinkat(UserPath target, int dirfd, UserPath name);
Result<long> sys_rename(UserPath old_name, UserPath new_name);
Result<long> sys_renameat(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name);
Result<long> sys_renameat2(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name,
                           uint32_t flags);

// sys_attr.cpp
Result<long> sys_chmod(UserPath name, uint32_t mode);
Result<long> sys_fchmod(int fd, uint32_t mode);
Result<long> sys_fchmodat(int dirfd, UserPath name, uint32_t mode);
Result<long> sys_fchmodat2(int dirfd, UserPath name, uint32_t mode, uint32_t flags);
Result<long> sys_chown(UserPath name, uint32_t uid, uint32_t gid);
Result<long> sys_lchown(UserPath name, uint32_t uid, uint32_t gid);
Result<long> sys_fchown(int fd, uint32_t uid, uint32_t gid);
Result<long> sys_fchownat(int dirfd, UserPath name, uint32_t uid, uint32_t gid, uint32_t flags);
Result<long> sys_truncate(UserPath name, int64_t length);
Result<long> sys_ftruncate(int fd, int64_t length);
Result<long> sys_utime(UserPath name, UserPtr<const int64_t> times);
Result<long> sys_utimes(UserPath name, UserPtr<const abi::Timeval> times);
Result<long> sys_futimesat(int dirfd, UserPath name, UserPtr<const abi::Timeval> times);
Result<long> sys_utimensat(int dirfd, UserPath name, UserPtr<const abi::Timespec> times, uint32_t flags);

// memfd.cpp
Result<long> sys_memfd_create(UserPath name, uint32_t flags);

// eventfd.cpp
Result<long> sys_eventfd(uint32_t count);
Result<long> sys_eventfd2(uint32_t count, uint32_t flags);

// signalfd.cpp
Result<long> sys_signalfd(int fd, UserPtr<const abi::SigSet> set, size_t set_bytes);
Result<long> sys_signalfd4(int fd, UserPtr<const abi::SigSet> set, size_t set_bytes, uint32_t flags);

// timerfd.cpp
Result<long> sys_timerfd_create(int clock, uint32_t flags);
Result<long> sys_timerfd_settime(int fd, int flags, UserPtr<const abi::Itimerspec> in,
                                 UserPtr<abi::Itimerspec> out);
Result<long> sys_timerfd_gettime(int fd, UserPtr<abi::Itimerspec> out);

// sys_epoll.cpp
Result<long> sys_epoll_create(int size);
Result<long> sys_epoll_create1(uint32_t flags);
Result<long> sys_epoll_ctl(int epfd, int op, int fd, UserPtr<const abi::EpollEvent> event);
Result<long> sys_epoll_wait(int epfd, UserPtr<abi::EpollEvent> to, int max, int timeout_ms);
Result<long> sys_epoll_pwait(int epfd, UserPtr<abi::EpollEvent> to, int max, int timeout_ms,
                             UserPtr<const abi::SigSet> mask, size_t mask_bytes);
Result<long> sys_epoll_pwait2(int epfd, UserPtr<abi::EpollEvent> to, int max, UserPtr<abi::Timespec> timeout,
                              UserPtr<const abi::SigSet> mask, size_t mask_bytes);

// sys_poll.cpp, sys_select.cpp
Result<long> sys_poll(UserPtr<abi::Pollfd> fds, uint32_t count, int timeout_ms);
Result<long> sys_ppoll(UserPtr<abi::Pollfd> fds, uint32_t count, UserPtr<abi::Timespec> timeout,
                       UserPtr<const abi::SigSet> mask, size_t mask_bytes);
Result<long> sys_select(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out, UserPtr<uint64_t> except,
                        UserPtr<abi::Timeval> timeout);
Result<long> sys_pselect6(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out, UserPtr<uint64_t> except,
                          UserPtr<abi::Timespec> timeout, UserPtr<const abi::SigsetArgument> mask);

}  // namespace guest
