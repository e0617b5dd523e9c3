// Sending and receiving.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/timeout.hpp"
#include "guest/fs/user_segments.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/net/syscalls.hpp"
#include "guest/net/user_address.hpp"

namespace guest {

namespace {

constexpr uint32_t kMsgCompat = 0x80000000;         // MSG_CMSG_COMPAT: from 32-bit programs alone
constexpr uint32_t kMaxMessages = abi::kUioMaxIov;  // of one sendmmsg or recvmmsg
constexpr size_t kMaxRw = 0x7ffff000;               // bytes of one call

size_t limited(size_t bytes) { return bytes < kMaxRw ? bytes : kMaxRw; }

Result<abi::Msghdr> header_from(UserPtr<abi::Msghdr> from) {
    abi::Msghdr header = TRY(get_user(from));
    if (header.name == 0) header.namelen = 0;
    if (header.namelen < 0) return Errno::Inval;
    if (static_cast<size_t>(header.namelen) > abi::kSockaddrStorage)
        header.namelen = static_cast<int32_t>(abi::kSockaddrStorage);
    if (header.iovlen > abi::kUioMaxIov) return Errno::MsgSize;
    return header;
}

Result<UserSegments> segments_of(const abi::Msghdr& header) {
    return UserSegments::copy(UserPtr<const abi::Iovec>(header.iov), static_cast<int64_t>(header.iovlen));
}

Result<size_t> send_one(file& f, UserPtr<abi::Msghdr> from, uint32_t flags) {
    const abi::Msghdr header = TRY(header_from(from));
    unix_message message;
    if (header.namelen != 0) TRY(copy_name_from_user(UserPtr<void>(header.name), header.namelen, message));
    const UserSegments segments = TRY(segments_of(header));
    if (header.controllen > INT32_MAX) return Errno::NoBufs;
    TRY(scm_send(UserPtr<void>(header.control), header.controllen, message.scm));
    iov_iter data(segments.data(), segments.count());
    return unix_sendmsg(f, data, message, flags);
}

// Stores what belongs into the header itself.
Result<> finish_header(UserPtr<abi::Msghdr> to, const abi::Msghdr& header, const scm_room& room,
                       const unix_message& message) {
    if (header.name != 0) {
        TRY(copy_name_to_user(UserPtr<void>(header.name),
                              UserPtr<int32_t>(to.address() + abi::kMsghdrNamelenOffset), message));
    }
    TRY(put_user(UserPtr<uint32_t>(to.address() + abi::kMsghdrFlagsOffset), room.flags | message.flags));
    return put_user(UserPtr<uint64_t>(to.address() + abi::kMsghdrControllenOffset),
                    header.controllen - room.left);
}

Result<size_t> receive_one(const socket_ref& socket, UserPtr<abi::Msghdr> to, uint32_t flags) {
    const abi::Msghdr header = TRY(header_from(to));
    const UserSegments segments = TRY(segments_of(header));
    iov_iter data(segments.data(), segments.count());
    unix_message message;
    const size_t bytes = TRY(unix_recvmsg(*socket.f, data, message, flags));
    scm_room room{UserPtr<void>(header.control), header.controllen, flags & abi::kMsgCmsgCloExec};
    scm_recv(message.scm, room, socket.sock->passcred ? WantCreds::Yes : WantCreds::No);
    TRY(finish_header(to, header, room, message));
    return bytes;
}

UserPtr<abi::Mmsghdr> nth(UserPtr<abi::Mmsghdr> messages, uint32_t n) { return messages + n; }

Result<> put_length(UserPtr<abi::Mmsghdr> message, size_t bytes) {
    return put_user(UserPtr<uint32_t>(message.address() + sizeof(abi::Msghdr)), static_cast<uint32_t>(bytes));
}

// What came before counts; the error is told by the next call.
Result<long> done_or_error(unix_sock& sock, uint32_t done, Errno error) {
    if (done == 0) return error;
    if (error != Errno::Again && error != Errno::RestartSys && error != Errno::Intr) {
        const spinlock_guard guard(unix_lock);
        sock.err = static_cast<int>(error);
    }
    return static_cast<long>(done);
}

}  // namespace

Result<long> sys_sendto(int fd, VirtAddr buffer, size_t bytes, uint32_t flags, UserPtr<void> name, int len) {
    if (!access_ok(buffer, limited(bytes))) return Errno::Fault;
    const socket_ref socket = TRY(socket_from(fd));
    unix_message message;
    if (name) TRY(copy_name_from_user(name, len, message));
    iov_iter from(buffer, limited(bytes));
    return static_cast<long>(TRY(unix_sendmsg(*socket.f, from, message, flags)));
}

Result<long> sys_recvfrom(int fd, VirtAddr buffer, size_t bytes, uint32_t flags, UserPtr<void> name,
                          UserPtr<int32_t> len) {
    if (!access_ok(buffer, limited(bytes))) return Errno::Fault;
    const socket_ref socket = TRY(socket_from(fd));
    unix_message message;
    iov_iter to(buffer, limited(bytes));
    const size_t moved = TRY(unix_recvmsg(*socket.f, to, message, flags));
    if (name) TRY(copy_name_to_user(name, len, message));
    return static_cast<long>(moved);
}

Result<long> sys_sendmsg(int fd, UserPtr<abi::Msghdr> message, uint32_t flags) {
    if ((flags & kMsgCompat) != 0) return Errno::Inval;
    const socket_ref socket = TRY(socket_from(fd));
    return static_cast<long>(TRY(send_one(*socket.f, message, flags)));
}

Result<long> sys_recvmsg(int fd, UserPtr<abi::Msghdr> message, uint32_t flags) {
    if ((flags & kMsgCompat) != 0) return Errno::Inval;
    const socket_ref socket = TRY(socket_from(fd));
    return static_cast<long>(TRY(receive_one(socket, message, flags)));
}

Result<long> sys_sendmmsg(int fd, UserPtr<abi::Mmsghdr> messages, uint32_t count, uint32_t flags) {
    if ((flags & kMsgCompat) != 0) return Errno::Inval;
    const socket_ref socket = TRY(socket_from(fd));
    if (count > kMaxMessages) count = kMaxMessages;
    for (uint32_t done = 0; done < count; ++done) {
        const UserPtr<abi::Mmsghdr> message = nth(messages, done);
        Result<size_t> sent = send_one(*socket.f, message.cast<abi::Msghdr>(), flags);
        if (!sent.ok()) return done != 0 ? Result<long>(done) : sent.error();
        TRY(put_length(message, sent.value()));
    }
    return static_cast<long>(count);
}

Result<long> sys_recvmmsg(int fd, UserPtr<abi::Mmsghdr> messages, uint32_t count, uint32_t flags,
                          UserPtr<abi::Timespec> timeout) {
    if ((flags & kMsgCompat) != 0) return Errno::Inval;
    const uint64_t ns = TRY(timeout_from(timeout));
    const socket_ref socket = TRY(socket_from(fd));
    if (count > kMaxMessages) count = kMaxMessages;
    const uint64_t begin = ktime_get();
    uint64_t left = ns;
    uint32_t done = 0;
    // As on Linux, the time is looked at between messages alone.
    while (done < count && left != 0) {
        const UserPtr<abi::Mmsghdr> message = nth(messages, done);
        const uint32_t its_flags = flags & ~abi::kMsgWaitForOne;
        Result<size_t> got = receive_one(socket, message.cast<abi::Msghdr>(), its_flags);
        if (!got.ok()) return done_or_error(*socket.sock, done, got.error());
        TRY(put_length(message, got.value()));
        ++done;
        if ((flags & abi::kMsgWaitForOne) != 0) flags |= abi::kMsgDontWait;
        if (ns == kNoTimeout) continue;
        const uint64_t passed = ktime_get() - begin;
        left = ns > passed ? ns - passed : 0;
        timeout_left(timeout, left);
    }
    return static_cast<long>(done);
}

}  // namespace guest
