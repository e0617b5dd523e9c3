// open and close, and asking whether one could.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// current acts with its real ids for the length of a scope, if `wanted`: what access(2) asks about.
class RealCreds {
public:
    static Result<RealCreds> take(bool wanted) {
        const cred& now = current_cred();
        const uint64_t capabilities = (now.securebits & kSecureNoSetuidFixup) != 0 ? now.cap_effective
                                      : now.uid == 0                               ? now.cap_permitted
                                                                                   : 0;
        if (!wanted || (now.fsuid == now.uid && now.fsgid == now.gid && now.cap_effective == capabilities))
            return RealCreds(nullptr);
        RefPtr<cred> real = TRY(prepare_creds());
        real->fsuid = real->uid;
        real->fsgid = real->gid;
        real->cap_effective = capabilities;
        return RealCreds(std::move(real));
    }
    RealCreds(RealCreds&& other) noexcept : saved_(std::move(other.saved_)) {}
    RealCreds& operator=(RealCreds&&) = delete;
    ~RealCreds() {
        if (saved_) current()->cred = std::move(saved_);
    }

private:
    explicit RealCreds(RefPtr<cred> real) {
        if (real) saved_ = std::exchange(current()->cred, RefPtr<const cred>(std::move(real)));
    }
    RefPtr<const cred> saved_;
};

}  // namespace

Result<long> sys_openat(int dirfd, UserPath name, uint32_t flags, uint32_t mode) {
    const KBuffer text = TRY(getname(name));
    ReservedFd fd = TRY(reserve_fd(flags & abi::kOCloExec));
    const walk_start start = TRY(start_walk_at(dirfd, text.data()));
    const abi::umode_t allowed = mode & abi::kIAllUgo & ~current()->fs->umask;
    RefPtr<file> f = TRY(do_filp_open(start, text.data(), flags | abi::kOLargeFile, allowed));
    return fd.install(std::move(f));
}

Result<long> sys_open(UserPath name, uint32_t flags, uint32_t mode) {
    return sys_openat(abi::kAtFdCwd, name, flags, mode);
}

Result<long> sys_creat(UserPath name, uint32_t mode) {
    return sys_open(name, abi::kOCreat | abi::kOWrOnly | abi::kOTrunc, mode);
}

Result<long> sys_close(int fd) {
    TRY(close_fd(*current()->files, fd));
    return 0;
}

Result<long> sys_close_range(uint32_t first, uint32_t last, uint32_t flags) {
    if ((flags & ~(abi::kCloseRangeUnshare | abi::kCloseRangeCloExec)) != 0) return Errno::Inval;
    if (first > last) return Errno::Inval;
    if ((flags & abi::kCloseRangeUnshare) != 0 && current()->files->ref_count() > 1) {
        RefPtr<files_struct> own = TRY(dup_fd(*current()->files));
        current()->files.reset(own.leak());
    }
    files_struct& files = *current()->files;
    for (int fd = next_open_fd(files, first); fd >= 0 && static_cast<uint32_t>(fd) <= last;
         fd = next_open_fd(files, static_cast<uint32_t>(fd) + 1)) {
        if ((flags & abi::kCloseRangeCloExec) != 0) {
            set_close_on_exec(files, fd, true);
        } else if (RefPtr<file> f = take_fd(files, fd)) {
            filp_close(files, std::move(f));
        }
    }
    return 0;
}

Result<long> sys_faccessat2(int dirfd, UserPath name, uint32_t mode, uint32_t flags) {
    if ((mode & ~7U) != 0) return Errno::Inval;
    if ((flags & ~(abi::kAtEAccess | abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    const KBuffer text = TRY(getname(name));
    const RealCreds real = TRY(RealCreds::take((flags & abi::kAtEAccess) == 0));
    const path found = TRY(user_path_at(
        dirfd, text.data(),
        {.follow = (flags & abi::kAtSymlinkNoFollow) == 0, .empty = (flags & abi::kAtEmptyPath) != 0}));
    const inode& node = *found.dentry->d_inode;
    if (mode != 0) TRY(inode_permission(node, mode));
    const bool stored = abi::is_reg(node.i_mode) || abi::is_dir(node.i_mode) || abi::is_lnk(node.i_mode);
    if ((mode & abi::kWriteOk) != 0 && stored) TRY(mnt_may_write(*found.mnt));
    // A file cannot be run where nothing can.
    const bool no_exec = (found.mnt->mnt_flags & MNT_NOEXEC) != 0 && abi::is_reg(node.i_mode);
    if ((mode & abi::kExecOk) != 0 && no_exec) return Errno::Access;
    return 0;
}

Result<long> sys_faccessat(int dirfd, UserPath name, uint32_t mode) {
    return sys_faccessat2(dirfd, name, mode, 0);
}

Result<long> sys_access(UserPath name, uint32_t mode) { return sys_faccessat2(abi::kAtFdCwd, name, mode, 0); }

}  // namespace guest
