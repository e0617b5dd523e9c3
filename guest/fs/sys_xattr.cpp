// Extended attributes: no file system here has any. The arguments are checked as if one had, and a list is
// empty.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr size_t kXattrNameMax = 255, kXattrSizeMax = 65536;
enum class Follow : uint8_t { No, Yes };

Result<> check_name(UserPtr<const char> name) {
    char text[kXattrNameMax + 1];
    const size_t length = TRY(strncpy_from_user(text, name, sizeof(text)));
    if (length == 0 || length == sizeof(text)) return Errno::Range;
    return {};
}

Result<> check_path(UserPath name, Follow follow) {
    const KBuffer text = TRY(getname(name));
    (void)TRY(user_path_at(abi::kAtFdCwd, text.data(), {.follow = follow == Follow::Yes}));
    return {};
}

// The file is to be changed.
Result<> check_path_to_change(UserPath name, Follow follow) {
    const KBuffer text = TRY(getname(name));
    return mnt_may_write(
        *TRY(user_path_at(abi::kAtFdCwd, text.data(), {.follow = follow == Follow::Yes})).mnt);
}

Result<> check_fd(int fd) {
    (void)TRY(current_file(fd));
    return {};
}

Result<> check_value(UserPtr<const char> name, size_t bytes, int flags) {
    constexpr int kKnown = 3;  // XATTR_CREATE, XATTR_REPLACE
    if ((flags & ~kKnown) != 0) return Errno::Inval;
    TRY(check_name(name));
    if (bytes > kXattrSizeMax) return Errno::TooBig;
    return {};
}

}  // namespace

Result<long> sys_setxattr(UserPath path, UserPtr<const char> name, VirtAddr, size_t bytes, int flags) {
    TRY(check_value(name, bytes, flags));
    TRY(check_path_to_change(path, Follow::Yes));
    return Errno::OpNotSupp;
}

Result<long> sys_lsetxattr(UserPath path, UserPtr<const char> name, VirtAddr, size_t bytes, int flags) {
    TRY(check_value(name, bytes, flags));
    TRY(check_path_to_change(path, Follow::No));
    return Errno::OpNotSupp;
}

Result<long> sys_fsetxattr(int fd, UserPtr<const char> name, VirtAddr, size_t bytes, int flags) {
    TRY(check_value(name, bytes, flags));
    TRY(check_fd(fd));
    return Errno::OpNotSupp;
}

Result<long> sys_getxattr(UserPath path, UserPtr<const char> name, VirtAddr, size_t) {
    TRY(check_name(name));
    TRY(check_path(path, Follow::Yes));
    return Errno::OpNotSupp;
}

Result<long> sys_lgetxattr(UserPath path, UserPtr<const char> name, VirtAddr, size_t) {
    TRY(check_name(name));
    TRY(check_path(path, Follow::No));
    return Errno::OpNotSupp;
}

Result<long> sys_fgetxattr(int fd, UserPtr<const char> name, VirtAddr, size_t) {
    TRY(check_name(name));
    TRY(check_fd(fd));
    return Errno::OpNotSupp;
}

Result<long> sys_listxattr(UserPath path, VirtAddr, size_t) {
    TRY(check_path(path, Follow::Yes));
    return 0;
}

Result<long> sys_llistxattr(UserPath path, VirtAddr, size_t) {
    TRY(check_path(path, Follow::No));
    return 0;
}

Result<long> sys_flistxattr(int fd, VirtAddr, size_t) {
    TRY(check_fd(fd));
    return 0;
}

Result<long> sys_removexattr(UserPath path, UserPtr<const char> name) {
    TRY(check_name(name));
    TRY(check_path(path, Follow::Yes));
    return Errno::OpNotSupp;
}

Result<long> sys_lremovexattr(UserPath path, UserPtr<const char> name) {
    TRY(check_name(name));
    TRY(check_path(path, Follow::No));
    return Errno::OpNotSupp;
}

Result<long> sys_fremovexattr(int fd, UserPtr<const char> name) {
    TRY(check_name(name));
    TRY(check_fd(fd));
    return Errno::OpNotSupp;
}

}  // namespace guest
