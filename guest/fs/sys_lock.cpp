// fcntl's lock commands and flock: what the caller says, in the terms of locks.hpp.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/locks.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

bool is_ofd(uint32_t command) {
    return command == abi::kFOfdGetLk || command == abi::kFOfdSetLk || command == abi::kFOfdSetLkW;
}

Result<abi::loff_t> whence_base(const file& f, int16_t whence) {
    switch (static_cast<uint32_t>(whence)) {
        case abi::kSeekSet:
            return abi::loff_t{0};
        case abi::kSeekCur:
            return f.f_pos;
        case abi::kSeekEnd:
            return f.node().i_size;
        default:
            return Errno::Inval;
    }
}

// The range. l_len below 0 means the bytes before l_start.
Result<> range_from(const file& f, const abi::Flock& from, file_lock& to) {
    const abi::loff_t base = TRY(whence_base(f, from.l_whence));
    if (from.l_start > kOffsetMax - base) return Errno::Overflow;
    to.fl_start = base + from.l_start;
    if (to.fl_start < 0) return Errno::Inval;
    if (from.l_len > 0) {
        if (from.l_len - 1 > kOffsetMax - to.fl_start) return Errno::Overflow;
        to.fl_end = to.fl_start + from.l_len - 1;
    } else if (from.l_len < 0) {
        if (to.fl_start + from.l_len < 0) return Errno::Inval;
        to.fl_end = to.fl_start - 1;
        to.fl_start += from.l_len;
    } else {
        to.fl_end = kOffsetMax;
    }
    return {};
}

Result<> request_from(const file& f, uint32_t command, const abi::Flock& from, file_lock& to) {
    TRY(range_from(f, from, to));
    if (from.l_type != abi::kFRdLck && from.l_type != abi::kFWrLck && from.l_type != abi::kFUnLck)
        return Errno::Inval;
    to.fl_type = from.l_type;
    to.fl_inode = &f.node();
    to.fl_pid = current()->group_leader->thread_pid;
    if (is_ofd(command)) {
        if (from.l_pid != 0) return Errno::Inval;
        to.fl_kind = LockKind::Ofd;
        to.fl_owner = &f;
    } else {
        to.fl_owner = current()->files.get();
    }
    return {};
}

// -1: a description holds it.
int32_t pid_shown(const file_lock& lock) {
    return lock.fl_kind == LockKind::Ofd ? -1 : pid_vnr(lock.fl_pid.get());
}

Result<long> get_lock(file& f, uint32_t command, abi::Flock& lock, UserPtr<abi::Flock> out) {
    if (lock.l_type != abi::kFRdLck && lock.l_type != abi::kFWrLck) return Errno::Inval;
    file_lock request;
    TRY(request_from(f, command, lock, request));
    file_lock holder;
    if (posix_test_lock(f.node(), request, holder)) {
        lock.l_type = holder.fl_type;
        lock.l_whence = abi::kSeekSet;
        lock.l_start = holder.fl_start;
        lock.l_len = holder.fl_end == kOffsetMax ? 0 : holder.fl_end - holder.fl_start + 1;
        lock.l_pid = pid_shown(holder);
    } else {
        lock.l_type = abi::kFUnLck;
    }
    TRY(put_user(out, lock));
    return 0;
}

Result<long> set_lock(int fd, file& f, uint32_t command, const abi::Flock& lock) {
    file_lock request;
    TRY(request_from(f, command, lock, request));
    if (request.fl_type == abi::kFRdLck && (f.f_mode & file::kRead) == 0) return Errno::BadF;
    if (request.fl_type == abi::kFWrLck && (f.f_mode & file::kWrite) == 0) return Errno::BadF;
    const bool waits = command == abi::kFSetLkW || command == abi::kFOfdSetLkW;
    TRY(posix_lock_file(f.node(), request, waits ? LockWait::Yes : LockWait::No));
    if (request.fl_type == abi::kFUnLck || request.fl_kind == LockKind::Ofd) return 0;
    // Another thread may have closed the descriptor meanwhile, and given back the process's locks before this
    // one was there.
    if (fget_raw(*current()->files, fd).get() == &f) return 0;
    locks_remove_posix(f, request.fl_owner);
    return Errno::BadF;
}

}  // namespace

Result<long> fcntl_lock(int fd, file& f, uint32_t command, UserPtr<abi::Flock> argument) {
    abi::Flock lock = TRY(get_user(argument));
    if (command == abi::kFGetLk || command == abi::kFOfdGetLk) return get_lock(f, command, lock, argument);
    return set_lock(fd, f, command, lock);
}

Result<long> sys_flock(int fd, uint32_t operation) {
    // Linux no longer has these locks, and still takes the call.
    if ((operation & abi::kLockMand) != 0) return 0;
    file_lock request;
    switch (operation & ~abi::kLockNb) {
        case abi::kLockSh:
            request.fl_type = abi::kFRdLck;
            break;
        case abi::kLockEx:
            request.fl_type = abi::kFWrLck;
            break;
        case abi::kLockUn:
            request.fl_type = abi::kFUnLck;
            break;
        default:
            return Errno::Inval;
    }
    const RefPtr<file> f = TRY(current_file(fd));
    const bool opened = (f->f_mode & (file::kRead | file::kWrite)) != 0;
    if (request.fl_type != abi::kFUnLck && !opened) return Errno::BadF;
    request.fl_kind = LockKind::Flock;
    request.fl_owner = f.get();
    request.fl_inode = &f->node();
    request.fl_pid = current()->group_leader->thread_pid;
    TRY(flock_lock_file(f->node(), request, (operation & abi::kLockNb) != 0 ? LockWait::No : LockWait::Yes));
    return 0;
}

}  // namespace guest
