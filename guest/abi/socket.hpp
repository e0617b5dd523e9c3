// Sockets as the Linux x86-64 system-call interface shows them (man 2 socket, man 7 socket, unix, cmsg).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace abi {

// Families. There is one; the others are not supported.
inline constexpr uint16_t kAfUnspec = 0, kAfUnix = 1;

// Types, and the bits that socket(2) and accept4(2) take with them (SOCK_CLOEXEC and SOCK_NONBLOCK are O_*).
inline constexpr uint32_t kSockStream = 1, kSockDgram = 2, kSockRaw = 3, kSockSeqPacket = 5;
inline constexpr uint32_t kSockMax = 11;
inline constexpr uint32_t kSockTypeMask = 0xf;

// What send, recv and their kin take and tell
inline constexpr uint32_t kMsgOob = 1, kMsgPeek = 2, kMsgCTrunc = 8, kMsgTrunc = 0x20, kMsgDontWait = 0x40,
                          kMsgWaitAll = 0x100, kMsgErrQueue = 0x2000, kMsgNoSignal = 0x4000,
                          kMsgWaitForOne = 0x10000, kMsgCmsgCloExec = 0x40000000;

inline constexpr int kSolSocket = 1;
enum class SockOpt : int {
    Debug = 1,
    ReuseAddr = 2,
    Type = 3,
    Error = 4,
    DontRoute = 5,
    Broadcast = 6,
    SndBuf = 7,
    RcvBuf = 8,
    KeepAlive = 9,
    OobInline = 10,
    Priority = 12,
    Linger = 13,
    ReusePort = 15,
    PassCred = 16,
    PeerCred = 17,
    RcvLowat = 18,
    SndLowat = 19,
    RcvTimeo = 20,
    SndTimeo = 21,
    PeerName = 28,
    Timestamp = 29,
    AcceptConn = 30,
    SndBufForce = 32,
    RcvBufForce = 33,
    Protocol = 38,
    Domain = 39,
    PeekOff = 42,
    PeerGroups = 59,
    RcvTimeoNew = 66,
    SndTimeoNew = 67,
};

inline constexpr size_t kSockaddrStorage = 128;  // bytes that an address of any family has at most
inline constexpr size_t kUnixPathMax = 108;
struct SockaddrUn {
    uint16_t family;
    char path[kUnixPathMax];  // of a pathname closed by a zero; abstract if it begins with one
};
inline constexpr size_t kUnixPathOffset = 2;
static_assert(sizeof(SockaddrUn) == 110);

struct Msghdr {
    uint64_t name;  // user addresses, and lengths in bytes
    int32_t namelen;
    int32_t pad0;
    uint64_t iov;
    uint64_t iovlen;  // segments
    uint64_t control;
    uint64_t controllen;
    uint32_t flags;
    uint32_t pad1;
};
static_assert(sizeof(Msghdr) == 56);
inline constexpr size_t kMsghdrNamelenOffset = 8, kMsghdrControllenOffset = 40, kMsghdrFlagsOffset = 48;

struct Mmsghdr {
    Msghdr header;
    uint32_t length;  // bytes that were moved
    uint32_t pad;
};
static_assert(sizeof(Mmsghdr) == 64);

// Before each control message; len counts this header.
struct Cmsghdr {
    uint64_t len;
    int32_t level;
    int32_t type;
};
[[nodiscard]] constexpr size_t cmsg_align(size_t bytes) { return (bytes + 7) & ~size_t{7}; }
inline constexpr int32_t kScmRights = 1, kScmCredentials = 2;
inline constexpr unsigned kScmMaxFd = 253;

struct Ucred {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
inline constexpr uint32_t kOverflowId = 65534;  // of whoever is not told

struct Linger {
    int32_t on;
    int32_t seconds;
};

}  // namespace abi
