// openat2: open that refuses what it does not know, and walks within bounds.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kKnownFlags = abi::kOAccMode | abi::kOCreat | abi::kOExcl | abi::kONoCtty | abi::kOTrunc |
                                 abi::kOAppend | abi::kONonBlock | abi::kOSync | abi::kOAsync |
                                 abi::kODirect | abi::kOLargeFile | abi::kODirectory | abi::kONoFollow |
                                 abi::kONoAtime | abi::kOCloExec | abi::kOPath | abi::kOTmpFile;
constexpr uint64_t kKnownResolve = abi::kResolveNoXdev | abi::kResolveNoMagicLinks | abi::kResolveNoSymlinks |
                                   abi::kResolveBeneath | abi::kResolveInRoot | abi::kResolveCached;

// As copy_struct_from_user: who knows more may as long as it is all zero.
Result<abi::OpenHow> copy_how(UserPtr<const abi::OpenHow> from, size_t bytes) {
    if (bytes < sizeof(abi::OpenHow)) return Errno::Inval;
    if (bytes > kPageSize) return Errno::TooBig;
    for (size_t at = sizeof(abi::OpenHow); at < bytes; ++at) {
        if (TRY(get_user(UserPtr<const uint8_t>(from.raw() + at))) != 0) return Errno::TooBig;
    }
    return get_user(from);
}

Result<> check_how(const abi::OpenHow& how) {
    constexpr uint64_t kWithPath = abi::kOPath | abi::kODirectory | abi::kONoFollow | abi::kOCloExec;
    if ((how.flags & ~kKnownFlags) != 0 || (how.resolve & ~kKnownResolve) != 0) return Errno::Inval;
    constexpr uint64_t kScopes = abi::kResolveBeneath | abi::kResolveInRoot;
    if ((how.resolve & kScopes) == kScopes) return Errno::Inval;
    const bool makes = (how.flags & (abi::kOCreat | abi::kOTmpFile)) != 0;
    if ((how.mode & ~uint64_t{makes ? abi::kIAllUgo : 0}) != 0) return Errno::Inval;
    if ((how.flags & abi::kOPath) != 0 && (how.flags & ~kWithPath) != 0) return Errno::Inval;
    // All is in memory, but what changes the file system is refused all the same.
    const bool changes = (how.flags & (abi::kOCreat | abi::kOTrunc | abi::kOTmpFile)) != 0;
    if ((how.resolve & abi::kResolveCached) != 0 && changes) return Errno::Again;
    return {};
}

}  // namespace

Result<long> sys_openat2(int dirfd, UserPath name, UserPtr<const abi::OpenHow> user, size_t bytes) {
    const abi::OpenHow how = TRY(copy_how(user, bytes));
    TRY(check_how(how));
    const auto flags = static_cast<uint32_t>(how.flags);
    const KBuffer text = TRY(getname(name));
    ReservedFd fd = TRY(reserve_fd(flags & abi::kOCloExec));
    // Within a scope an absolute name begins at the directory as well.
    const bool in_root = (how.resolve & abi::kResolveInRoot) != 0;
    walk_start start = TRY(start_walk_at(dirfd, in_root && text.data()[0] == '/' ? "." : text.data()));
    start.resolve = static_cast<uint32_t>(how.resolve);
    if ((how.resolve & (abi::kResolveBeneath | abi::kResolveInRoot)) != 0) start.root = start.base;
    const abi::umode_t allowed = static_cast<uint32_t>(how.mode) & ~current()->fs->umask;
    return fd.install(TRY(do_filp_open(start, text.data(), flags | abi::kOLargeFile, allowed)));
}

}  // namespace guest
