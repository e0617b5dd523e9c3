// Names of sockets: paths, which are inodes of the file system, and abstract ones.
#include "guest/net/af_unix.hpp"

#include "guest/fs/fs_struct.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/namei.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

// Whatever can be found by a name. Guarded by unix_lock.
constinit IntrusiveList<unix_sock, &unix_sock::by_name> bound_sockets;
constinit uint32_t next_autobind = 0;
constexpr uint32_t kAutobindNames = 0x100000;
constexpr size_t kAutobindLength = 6;  // a zero and five digits

bool is_path(const abi::SockaddrUn& name) { return name.path[0] != '\0'; }

// The path of name closed by a zero, and len as far as that.
void close_path(abi::SockaddrUn& name, size_t& len, char (&text)[abi::kUnixPathMax + 1]) {
    const size_t given = len - abi::kUnixPathOffset;
    memcpy(text, name.path, given);
    text[given] = '\0';
    len = abi::kUnixPathOffset + strlen(text) + 1;
}

Result<RefPtr<unix_address>> make_address(const abi::SockaddrUn& name, size_t len) {
    RefPtr<unix_address> addr = TRY(make_ref<unix_address>());
    addr->len = static_cast<uint32_t>(len);
    // A path of all 108 bytes is closed by a zero that does not fit.
    memcpy(&addr->name, &name, len < sizeof(name) ? len : sizeof(name));
    return addr;
}

unix_sock* find_abstract(const unix_address& addr, uint32_t type) {
    for (unix_sock& sock : bound_sockets) {
        if (sock.type == type && sock.addr->len == addr.len && sock.addr->is_abstract() &&
            memcmp(&sock.addr->name, &addr.name, addr.len) == 0) {
            return &sock;
        }
    }
    return nullptr;
}

unix_sock* find_by_inode(const inode& node) {
    for (unix_sock& sock : bound_sockets) {
        if (sock.place && sock.place.dentry->d_inode.get() == &node) return &sock;
    }
    return nullptr;
}

// Gives sock its name, if it has none. Inval, AddrInUse.
Result<> set_name(unix_sock& sock, RefPtr<unix_address> addr, path place) {
    const spinlock_guard guard(unix_lock);
    if (sock.addr) return Errno::Inval;
    if (!place && find_abstract(*addr, sock.type) != nullptr) return Errno::AddrInUse;
    std::swap(sock.addr, addr);
    std::swap(sock.place, place);
    bound_sockets.push_back(sock);
    return {};
}

Result<> bind_path(unix_sock& sock, abi::SockaddrUn& name, size_t len) {
    char text[abi::kUnixPathMax + 1];
    close_path(name, len, text);
    RefPtr<unix_address> addr = TRY(make_address(name, len));
    const walk_start start = TRY(start_walk_at(abi::kAtFdCwd, text));
    const abi::umode_t mode = abi::kIfSock | (0777 & ~current()->fs->umask);
    Result<path> made = vfs_create_node(start, text, mode, 0);
    if (!made.ok()) return made.error() == Errno::Exist ? Errno::AddrInUse : made.error();
    Result<> named = set_name(sock, std::move(addr), made.release_value());
    if (!named.ok()) (void)vfs_unlinkat(start, text).ok();
    return named;
}

Result<RefPtr<unix_sock>> found(unix_sock* sock, uint32_t type) {
    if (sock == nullptr) return Errno::ConnRefused;
    if (sock->type != type) return Errno::ProtoType;
    return RefPtr<unix_sock>(sock);
}

Result<RefPtr<unix_sock>> find_path(abi::SockaddrUn& name, size_t len, uint32_t type) {
    char text[abi::kUnixPathMax + 1];
    close_path(name, len, text);
    const path place = TRY(user_path_at(abi::kAtFdCwd, text));
    const inode& node = *place.dentry->d_inode;
    TRY(inode_permission(node, abi::kWriteOk));
    if (!abi::is_sock(node.i_mode)) return Errno::ConnRefused;
    const spinlock_guard guard(unix_lock);
    return found(find_by_inode(node), type);
}

}  // namespace

Result<> unix_check_name(const abi::SockaddrUn& name, size_t len) {
    if (len <= abi::kUnixPathOffset || len > sizeof(name) || name.family != abi::kAfUnix) return Errno::Inval;
    return {};
}

Result<> unix_bind(unix_sock& sock, abi::SockaddrUn& name, size_t len) {
    if (len == abi::kUnixPathOffset && name.family == abi::kAfUnix) return unix_autobind(sock);
    TRY(unix_check_name(name, len));
    if (is_path(name)) return bind_path(sock, name, len);
    RefPtr<unix_address> addr = TRY(make_address(name, len));
    return set_name(sock, std::move(addr), path());
}

Result<> unix_autobind(unix_sock& sock) {
    if (sock.addr) return {};
    abi::SockaddrUn name{.family = abi::kAfUnix, .path = {}};
    for (uint32_t attempt = 0; attempt < kAutobindNames; ++attempt) {
        char digits[kAutobindLength];
        uint32_t number;
        {
            const spinlock_guard guard(unix_lock);
            number = next_autobind++ % kAutobindNames;
        }
        (void)snprintf(digits, sizeof(digits), "%05x", number);
        memcpy(name.path + 1, digits, kAutobindLength - 1);
        RefPtr<unix_address> addr = TRY(make_address(name, abi::kUnixPathOffset + kAutobindLength));
        Result<> named = set_name(sock, std::move(addr), path());
        if (named.ok() || named.error() != Errno::AddrInUse) return named;
    }
    return Errno::NoSpc;
}

Result<RefPtr<unix_sock>> unix_find(abi::SockaddrUn& name, size_t len, uint32_t type) {
    if (is_path(name)) return find_path(name, len, type);
    const RefPtr<unix_address> addr = TRY(make_address(name, len));
    const spinlock_guard guard(unix_lock);
    return found(find_abstract(*addr, type), type);
}

}  // namespace guest
