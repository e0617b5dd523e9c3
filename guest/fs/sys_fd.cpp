// Calls on descriptors themselves: dup, pipe, fcntl, ioctl, fsync.
#include "guest/abi/lock.hpp"
#include "guest/abi/termios.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/locks.hpp"
#include "guest/fs/memfd.hpp"
#include "guest/fs/pipe.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

Result<long> dup_to(int old_fd, int new_fd, uint32_t flags) {
    RefPtr<file> f = TRY(current_file_raw(old_fd));
    TRY(replace_fd(*current()->files, new_fd, std::move(f), flags, nofile_limit()));
    return new_fd;
}

Result<long> dup_from(RefPtr<file> f, uint64_t start, uint32_t flags) {
    if (start >= nofile_limit()) return Errno::Inval;
    ReservedFd fd = TRY(reserve_fd(flags, static_cast<unsigned>(start)));
    return fd.install(std::move(f));
}

// The status flags that can be changed while a file is open.
Result<long> set_status_flags(int fd, file& f, uint64_t flags) {
    constexpr uint32_t kChangeable = abi::kOAppend | abi::kONonBlock | abi::kONoAtime | abi::kOAsync;
    const auto wanted = static_cast<uint32_t>(flags);
    if ((wanted & ~f.f_flags & abi::kONoAtime) != 0 && !inode_owner_or_capable(f.node())) return Errno::Perm;
    // No file here can be read or written past its page cache.
    if ((wanted & abi::kODirect) != 0) return Errno::Inval;
    const bool asks = (wanted & abi::kOAsync) != 0;
    if (asks != ((f.f_flags & abi::kOAsync) != 0) && f.f_op->fasync != nullptr) f.f_op->fasync(f, fd, asks);
    const spinlock_guard guard(f.f_lock);
    f.f_flags = (f.f_flags & ~kChangeable) | (wanted & kChangeable);
    return 0;
}

// Unlike F_SETFL it says so if nobody could be told.
Result<long> ioctl_async(int fd, file& f, UserPtr<const int32_t> from) {
    const bool on = TRY(get_user(from)) != 0;
    if (on == ((f.f_flags & abi::kOAsync) != 0)) return 0;
    if (f.f_op->fasync == nullptr) return Errno::NoTty;
    f.f_op->fasync(f, fd, on);
    const spinlock_guard guard(f.f_lock);
    f.f_flags ^= abi::kOAsync;
    return 0;
}

void set_nonblocking(file& f, bool on) {
    const spinlock_guard guard(f.f_lock);
    f.f_flags = on ? f.f_flags | abi::kONonBlock : f.f_flags & ~abi::kONonBlock;
}

// What only some descriptions have, and who is told of them.
Result<long> fcntl_of_kind(file& f, uint32_t command, uint64_t argument) {
    if (is_owner_command(command)) return fcntl_owner(f, command, argument);
    switch (command) {
        case abi::kFGetPipeSz:
            return pipe_get_size(f);
        case abi::kFSetPipeSz:
            return pipe_set_size(f, argument);
        case abi::kFDupFdQuery: {
            const RefPtr<file> other = TRY(current_file_raw(static_cast<int>(argument)));
            return other.get() == &f ? 1 : 0;
        }
        case abi::kFCreatedQuery:
            return (f.f_mode & file::kCreated) != 0 ? 1 : 0;
        case abi::kFAddSeals:
            if (argument > UINT32_MAX) return Errno::Inval;
            return memfd_add_seals(f, static_cast<uint32_t>(argument));
        case abi::kFGetSeals:
            return memfd_get_seals(f);
        default:
            return Errno::Inval;
    }
}

// Bytes of a regular file from its offset to its end.
int32_t bytes_ahead(const file& f) { return static_cast<int32_t>(f.node().i_size - f.f_pos); }

}  // namespace

Result<long> sys_dup(int fd) { return dup_from(TRY(current_file_raw(fd)), 0, 0); }

Result<long> sys_dup2(int old_fd, int new_fd) {
    if (old_fd == new_fd) {
        (void)TRY(current_file_raw(old_fd));
        return new_fd;
    }
    return dup_to(old_fd, new_fd, 0);
}

Result<long> sys_dup3(int old_fd, int new_fd, uint32_t flags) {
    if ((flags & ~abi::kOCloExec) != 0 || old_fd == new_fd) return Errno::Inval;
    return dup_to(old_fd, new_fd, flags);
}

Result<long> sys_pipe2(UserPtr<int32_t> fds, uint32_t flags) {
    if ((flags & ~(abi::kOCloExec | abi::kONonBlock)) != 0) return Errno::Inval;
    pipe_ends ends = TRY(create_pipe(flags & abi::kONonBlock));
    ReservedFd read_fd = TRY(reserve_fd(flags & abi::kOCloExec));
    ReservedFd write_fd = TRY(reserve_fd(flags & abi::kOCloExec));
    const int32_t numbers[2] = {read_fd.number(), write_fd.number()};
    TRY(copy_to_user(fds, numbers, sizeof(numbers)));
    read_fd.install(std::move(ends.read));
    write_fd.install(std::move(ends.write));
    return 0;
}

Result<long> sys_pipe(UserPtr<int32_t> fds) { return sys_pipe2(fds, 0); }

Result<long> sys_fcntl(int fd, uint32_t command, uint64_t argument) {
    RefPtr<file> f = TRY(current_file_raw(fd));
    files_struct& files = *current()->files;
    switch (command) {
        case abi::kFDupFd:
            return dup_from(std::move(f), argument, 0);
        case abi::kFDupFdCloExec:
            return dup_from(std::move(f), argument, abi::kOCloExec);
        case abi::kFGetFd:
            return get_close_on_exec(files, fd) ? abi::kFdCloExec : 0;
        case abi::kFSetFd:
            set_close_on_exec(files, fd, (argument & abi::kFdCloExec) != 0);
            return 0;
        case abi::kFGetFl:
            return f->f_flags;
        case abi::kFSetFl:
            if ((f->f_mode & file::kPath) != 0) return Errno::BadF;
            return set_status_flags(fd, *f, argument);
        case abi::kFGetLk:
        case abi::kFOfdGetLk:
        case abi::kFSetLk:
        case abi::kFSetLkW:
        case abi::kFOfdSetLk:
        case abi::kFOfdSetLkW:
            if ((f->f_mode & file::kPath) != 0) return Errno::BadF;
            return fcntl_lock(fd, *f, command, UserPtr<abi::Flock>(argument));
        default:
            if ((f->f_mode & file::kPath) != 0) return Errno::BadF;
            return fcntl_of_kind(*f, command, argument);
    }
}

Result<long> sys_ioctl(int fd, uint32_t request, uint64_t argument) {
    const RefPtr<file> f = TRY(current_file(fd));
    switch (request) {
        case abi::kFioClex:
        case abi::kFioNClex:
            set_close_on_exec(*current()->files, fd, request == abi::kFioClex);
            return 0;
        case abi::kFioNBio:
            set_nonblocking(*f, TRY(get_user(UserPtr<const int32_t>(argument))) != 0);
            return 0;
        case abi::kFioAsync:
            return ioctl_async(fd, *f, UserPtr<const int32_t>(argument));
        case abi::kFioNRead:
            if (!abi::is_reg(f->node().i_mode)) break;
            TRY(put_user(UserPtr<int32_t>(argument), bytes_ahead(*f)));
            return 0;
        default:
            break;
    }
    if (f->f_op->ioctl == nullptr) return Errno::NoTty;
    return TRY(f->f_op->ioctl(*f, request, argument));
}

Result<long> sys_fsync(int fd) {
    const RefPtr<file> f = TRY(current_file(fd));
    TRY(vfs_fsync(*f));
    return 0;
}

Result<long> sys_fdatasync(int fd) { return sys_fsync(fd); }

// All files are in memory: there is nothing to bring up to date.
Result<long> sys_sync() { return 0; }

Result<long> sys_syncfs(int fd) {
    (void)TRY(current_file(fd));
    return 0;
}

}  // namespace guest
