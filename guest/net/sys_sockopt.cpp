// Options of sockets (man 7 socket). Those that mean nothing between processes of one machine are kept and
// told.
#include "guest/fs/timeout.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/net/syscalls.hpp"
#include "guest/net/user_address.hpp"

namespace guest {

namespace {

using abi::SockOpt;

// Of /proc/sys/net/core/[rw]mem_max, and the least that Linux gives. Bytes.
constexpr size_t kBufferMax = 212992, kMinSndBuf = 4608, kMinRcvBuf = 2304;

// What is asked for is doubled: half is for what the kernel needs beside the bytes.
size_t buffer_size(int wanted, size_t least, bool forced) {
    auto bytes = static_cast<size_t>(static_cast<unsigned>(wanted));
    if (!forced && bytes > kBufferMax) bytes = kBufferMax;
    if (bytes > INT32_MAX / 2) bytes = INT32_MAX / 2;
    bytes *= 2;
    return bytes < least ? least : bytes;
}

bool is_stored_flag(SockOpt option) {
    switch (option) {
        case SockOpt::Debug:
        case SockOpt::ReuseAddr:
        case SockOpt::DontRoute:
        case SockOpt::Broadcast:
        case SockOpt::KeepAlive:
        case SockOpt::OobInline:
        case SockOpt::ReusePort:
        case SockOpt::Timestamp:
            return true;
        default:
            return false;
    }
}

uint32_t flag_bit(SockOpt option) { return 1U << static_cast<unsigned>(option); }

Result<> set_timeout(uint64_t& ns, VirtAddr value, size_t len) {
    if (len < sizeof(abi::Timeval)) return Errno::Inval;
    const abi::Timeval time = TRY(get_user(UserPtr<const abi::Timeval>(value)));
    if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::Dom;
    // None is for ever; less than none is no time at all.
    if (time.seconds < 0) {
        ns = 0;
    } else {
        const uint64_t wanted = to_ns(time.seconds, time.microseconds * 1000);
        ns = wanted == 0 ? kNoTimeout : wanted;
    }
    return {};
}

Result<> set_number(unix_sock& sock, SockOpt option, int value) {
    switch (option) {
        case SockOpt::SndBuf:
        case SockOpt::RcvBuf:
            if (value < 0) value = INT32_MAX;
            (option == SockOpt::SndBuf ? sock.sndbuf : sock.rcvbuf) =
                buffer_size(value, option == SockOpt::SndBuf ? kMinSndBuf : kMinRcvBuf, false);
            return {};
        case SockOpt::SndBufForce:
        case SockOpt::RcvBufForce:
            if (!capable(kCapNetAdmin)) return Errno::Perm;
            (option == SockOpt::SndBufForce ? sock.sndbuf : sock.rcvbuf) = buffer_size(
                value < 0 ? 0 : value, option == SockOpt::SndBufForce ? kMinSndBuf : kMinRcvBuf, true);
            return {};
        case SockOpt::PassCred:
            sock.passcred = value != 0;
            return {};
        case SockOpt::RcvLowat:
            sock.rcvlowat = value < 0 ? INT32_MAX : value != 0 ? value : 1;
            return {};
        case SockOpt::PeekOff:
            sock.peek_off = value;
            return {};
        case SockOpt::Priority:
            if ((value < 0 || value > 6) && !capable(kCapNetAdmin)) return Errno::Perm;
            sock.priority = value;
            return {};
        case SockOpt::Type:
        case SockOpt::Protocol:
        case SockOpt::Domain:
        case SockOpt::Error:
        case SockOpt::AcceptConn:
        case SockOpt::PeerCred:
        case SockOpt::SndLowat:
            return Errno::NoProtoOpt;
        default:
            break;
    }
    if (!is_stored_flag(option)) return Errno::NoProtoOpt;
    sock.flags = value != 0 ? sock.flags | flag_bit(option) : sock.flags & ~flag_bit(option);
    return {};
}

// What an option has to tell.
struct OptionValue {
    union {
        int32_t number;
        abi::Timeval time;
        abi::Ucred creds;
        abi::Linger linger;
    };
    size_t bytes = sizeof(number);
    OptionValue() : time{} {}
};

OptionValue time_value(uint64_t ns) {
    OptionValue out;
    out.bytes = sizeof(out.time);
    if (ns == kNoTimeout) return out;
    out.time.seconds = static_cast<int64_t>(ns / kNsPerSecond);
    out.time.microseconds = static_cast<int64_t>(ns % kNsPerSecond / 1000);
    return out;
}

Result<int> number_of(unix_sock& sock, SockOpt option) {
    switch (option) {
        case SockOpt::Type:
            return static_cast<int>(sock.type);
        case SockOpt::Domain:
            return int{abi::kAfUnix};
        case SockOpt::Protocol:
            return 0;
        case SockOpt::Error: {
            const spinlock_guard guard(unix_lock);
            return std::exchange(sock.err, 0);
        }
        case SockOpt::AcceptConn:
            return sock.state == SockState::Listen ? 1 : 0;
        case SockOpt::SndBuf:
            return static_cast<int>(sock.sndbuf);
        case SockOpt::RcvBuf:
            return static_cast<int>(sock.rcvbuf);
        case SockOpt::PassCred:
            return sock.passcred ? 1 : 0;
        case SockOpt::RcvLowat:
            return int{sock.rcvlowat};
        case SockOpt::PeekOff:
            return int{sock.peek_off};
        case SockOpt::SndLowat:
            return 1;
        case SockOpt::Priority:
            return int{sock.priority};
        default:
            break;
    }
    if (!is_stored_flag(option)) return Errno::NoProtoOpt;
    return (sock.flags & flag_bit(option)) != 0 ? 1 : 0;
}

Result<OptionValue> value_of(unix_sock& sock, SockOpt option) {
    OptionValue out;
    switch (option) {
        case SockOpt::RcvTimeo:
        case SockOpt::RcvTimeoNew:
            return time_value(sock.rcvtimeo);
        case SockOpt::SndTimeo:
        case SockOpt::SndTimeoNew:
            return time_value(sock.sndtimeo);
        case SockOpt::PeerCred: {
            unix_creds peer;
            {
                const spinlock_guard guard(unix_lock);
                peer = sock.peercred;
            }
            // Nobody's are not mapped: no process, and ids of all ones.
            out.creds = {peer.pid ? pid_vnr(peer.pid.get()) : 0, peer.uid, peer.gid};
            out.bytes = sizeof(out.creds);
            return out;
        }
        case SockOpt::Linger:
            out.linger = sock.linger;
            out.bytes = sizeof(out.linger);
            return out;
        default:
            out.number = TRY(number_of(sock, option));
            return out;
    }
}

}  // namespace

Result<long> sys_setsockopt(int fd, int level, int option, VirtAddr value, int len) {
    const socket_ref socket = TRY(socket_from(fd));
    if (len < 0) return Errno::Inval;
    if (level != abi::kSolSocket) return Errno::OpNotSupp;
    const auto bytes = static_cast<size_t>(len);
    unix_sock& sock = *socket.sock;
    if (bytes < sizeof(int32_t)) return Errno::Inval;
    const int32_t number = TRY(get_user(UserPtr<const int32_t>(value)));
    switch (static_cast<SockOpt>(option)) {
        case SockOpt::RcvTimeo:
        case SockOpt::RcvTimeoNew:
            TRY(set_timeout(sock.rcvtimeo, value, bytes));
            return 0;
        case SockOpt::SndTimeo:
        case SockOpt::SndTimeoNew:
            TRY(set_timeout(sock.sndtimeo, value, bytes));
            return 0;
        case SockOpt::Linger:
            if (bytes < sizeof(abi::Linger)) return Errno::Inval;
            sock.linger = TRY(get_user(UserPtr<const abi::Linger>(value)));
            sock.linger.on = sock.linger.on != 0 ? 1 : 0;
            return 0;
        default:
            TRY(set_number(sock, static_cast<SockOpt>(option), number));
            return 0;
    }
}

Result<long> sys_getsockopt(int fd, int level, int option, VirtAddr value, UserPtr<int32_t> len) {
    const socket_ref socket = TRY(socket_from(fd));
    if (level != abi::kSolSocket) return Errno::OpNotSupp;
    const int32_t room = TRY(get_user(len));
    if (room < 0) return Errno::Inval;
    const OptionValue told = TRY(value_of(*socket.sock, static_cast<SockOpt>(option)));
    const size_t bytes = told.bytes < static_cast<size_t>(room) ? told.bytes : static_cast<size_t>(room);
    TRY(copy_to_user(value, &told.number, bytes));
    TRY(put_user(len, static_cast<int32_t>(bytes)));
    return 0;
}

}  // namespace guest
