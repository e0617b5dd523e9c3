// Making sockets, naming and connecting them.
#include "guest/fs/fdtable.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/net/syscalls.hpp"
#include "guest/net/user_address.hpp"

namespace guest {

namespace {

// The type without its flags. What socket(2) says.
Result<uint32_t> check_type(int family, uint32_t type, int protocol) {
    constexpr uint32_t kFlags = abi::kOCloExec | abi::kONonBlock;
    const uint32_t bare = type & abi::kSockTypeMask;
    if ((type & ~(abi::kSockTypeMask | kFlags)) != 0 || bare >= abi::kSockMax) return Errno::Inval;
    if (family != abi::kAfUnix) return Errno::AfNoSupport;
    if (protocol != 0 && protocol != abi::kAfUnix) return Errno::ProtoNoSupport;
    switch (bare) {
        case abi::kSockStream:
        case abi::kSockDgram:
        case abi::kSockSeqPacket:
            return uint32_t{bare};
        case abi::kSockRaw:
            return abi::kSockDgram;
        default:
            return Errno::SockTNoSupport;
    }
}

// The name of sock, or (of one without) the family alone.
void name_of(const unix_sock& sock, unix_message& out) {
    const spinlock_guard guard(unix_lock);
    out.name.family = abi::kAfUnix;
    out.namelen = abi::kUnixPathOffset;
    if (!sock.addr) return;
    out.namelen = sock.addr->len;
    memcpy(&out.name, &sock.addr->name, sizeof(out.name));
}

Result<> peer_name_of(const unix_sock& sock, unix_message& out) {
    RefPtr<unix_sock> peer;
    {
        const spinlock_guard guard(unix_lock);
        peer = sock.peer;
    }
    if (!peer) return Errno::NotConn;
    name_of(*peer, out);
    return {};
}

}  // namespace

Result<socket_ref> socket_from(int fd) {
    RefPtr<file> f = TRY(current_file(fd));
    unix_sock* sock = TRY(sock_of(*f));
    return socket_ref{std::move(f), sock};
}

Result<> copy_name_from_user(UserPtr<void> from, int len, unix_message& out) {
    if (len < 0 || static_cast<size_t>(len) > abi::kSockaddrStorage) return Errno::Inval;
    out.namelen = static_cast<size_t>(len);
    // What is longer than any name here is refused by its length.
    const size_t kept = out.namelen < sizeof(out.name) ? out.namelen : sizeof(out.name);
    return copy_from_user(&out.name, from, kept);
}

Result<> copy_name_to_user(UserPtr<void> to, UserPtr<int32_t> len, const unix_message& name) {
    const int32_t room = TRY(get_user(len));
    if (room < 0) return Errno::Inval;
    const size_t fits = name.namelen < static_cast<size_t>(room) ? name.namelen : static_cast<size_t>(room);
    // A path of all 108 bytes counts a zero behind it.
    const size_t stored = fits < sizeof(name.name) ? fits : sizeof(name.name);
    TRY(copy_to_user(to, &name.name, stored));
    TRY(clear_user(to.address() + stored, fits - stored));
    return put_user(len, static_cast<int32_t>(name.namelen));
}

Result<long> sys_socket(int family, uint32_t type, int protocol) {
    const uint32_t bare = TRY(check_type(family, type, protocol));
    RefPtr<unix_sock> sock = TRY(unix_create(bare));
    ReservedFd fd = TRY(reserve_fd(type & abi::kOCloExec));
    return fd.install(TRY(sock_alloc_file(std::move(sock), type)));
}

Result<long> sys_socketpair(int family, uint32_t type, int protocol, UserPtr<int32_t> fds) {
    if ((type & ~(abi::kSockTypeMask | abi::kOCloExec | abi::kONonBlock)) != 0) return Errno::Inval;
    ReservedFd first_fd = TRY(reserve_fd(type & abi::kOCloExec));
    ReservedFd second_fd = TRY(reserve_fd(type & abi::kOCloExec));
    const int32_t numbers[2] = {first_fd.number(), second_fd.number()};
    TRY(copy_to_user(fds, numbers, sizeof(numbers)));
    const uint32_t bare = TRY(check_type(family, type, protocol));
    RefPtr<unix_sock> first = TRY(unix_create(bare));
    RefPtr<unix_sock> second = TRY(unix_create(bare));
    RefPtr<file> first_file = TRY(sock_alloc_file(first, type));
    RefPtr<file> second_file = TRY(sock_alloc_file(second, type));
    unix_pair(*first, *second);
    first_fd.install(std::move(first_file));
    second_fd.install(std::move(second_file));
    return 0;
}

Result<long> sys_bind(int fd, UserPtr<void> name, int len) {
    const socket_ref socket = TRY(socket_from(fd));
    unix_message message;
    TRY(copy_name_from_user(name, len, message));
    TRY(unix_bind(*socket.sock, message.name, message.namelen));
    return 0;
}

Result<long> sys_connect(int fd, UserPtr<void> name, int len) {
    const socket_ref socket = TRY(socket_from(fd));
    unix_message message;
    TRY(copy_name_from_user(name, len, message));
    TRY(unix_connect(*socket.f, *socket.sock, message.name, message.namelen));
    return 0;
}

Result<long> sys_listen(int fd, int backlog) {
    const socket_ref socket = TRY(socket_from(fd));
    TRY(unix_listen(*socket.sock, backlog));
    return 0;
}

Result<long> sys_accept4(int fd, UserPtr<void> name, UserPtr<int32_t> len, uint32_t flags) {
    const socket_ref socket = TRY(socket_from(fd));
    if ((flags & ~(abi::kOCloExec | abi::kONonBlock)) != 0) return Errno::Inval;
    ReservedFd fresh_fd = TRY(reserve_fd(flags & abi::kOCloExec));
    RefPtr<unix_sock> fresh = TRY(unix_accept(*socket.f, *socket.sock));
    unix_sock& accepted = *fresh;
    Result<RefPtr<file>> f = sock_alloc_file(fresh, flags);
    if (!f.ok()) {
        unix_release(accepted);
        return f.error();
    }
    if (name) {
        unix_message peer;
        if (!peer_name_of(accepted, peer).ok()) return Errno::ConnAborted;
        TRY(copy_name_to_user(name, len, peer));
    }
    return fresh_fd.install(f.release_value());
}

Result<long> sys_accept(int fd, UserPtr<void> name, UserPtr<int32_t> len) {
    return sys_accept4(fd, name, len, 0);
}

Result<long> sys_shutdown(int fd, int how) {
    const socket_ref socket = TRY(socket_from(fd));
    TRY(unix_shutdown(*socket.sock, how));
    return 0;
}

Result<long> sys_getsockname(int fd, UserPtr<void> name, UserPtr<int32_t> len) {
    const socket_ref socket = TRY(socket_from(fd));
    unix_message mine;
    name_of(*socket.sock, mine);
    TRY(copy_name_to_user(name, len, mine));
    return 0;
}

Result<long> sys_getpeername(int fd, UserPtr<void> name, UserPtr<int32_t> len) {
    const socket_ref socket = TRY(socket_from(fd));
    unix_message peer;
    TRY(peer_name_of(*socket.sock, peer));
    TRY(copy_name_to_user(name, len, peer));
    return 0;
}

}  // namespace guest
