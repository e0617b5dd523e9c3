// Sockets of AF_UNIX: what they are, and what holds between them (man 7 unix).
//
// One lock, unix_lock, guards everything in all sockets: pairs change together. Nothing sleeps under it, so
// no message, reference or path is let go there: what a function takes out under the lock lives in a variable
// that is declared before the guard.
#pragma once

#include "guest/abi/socket.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/path.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/new.hpp"
#include "guest/net/scm.hpp"

namespace guest {

struct inode;
struct unix_sock;

extern spinlock_t unix_lock;

inline constexpr uint32_t kRcvShutdown = 1, kSendShutdown = 2, kShutdownMask = 3;

// A name: pathname, abstract, or (null instead of one) none.
struct unix_address : RefCounted<unix_address> {
    uint32_t len = 0;  // bytes, the family included
    abi::SockaddrUn name{};
    [[nodiscard]] bool is_abstract() const { return len > abi::kUnixPathOffset && name.path[0] == '\0'; }
};

// A message, or a stretch of a stream, on its way. It counts against its sender's buffer until it ends.
struct unix_skb {
    KMEM_CACHED()
    unix_skb(RefPtr<unix_sock> sender, KBuffer bytes, size_t length);
    unix_skb(const unix_skb&) = delete;
    unix_skb& operator=(const unix_skb&) = delete;
    ~unix_skb();
    [[nodiscard]] size_t left() const { return len - consumed; }

    list_head node;
    const RefPtr<unix_sock> from;
    RefPtr<unix_address> from_name;  // when it was sent
    KBuffer data;
    size_t len;           // bytes
    size_t consumed = 0;  // of a stream: already received
    scm_cookie scm;
    bool inflight = false;  // its files are counted by the collector
};
using unix_queue = IntrusiveList<unix_skb, &unix_skb::node>;

enum class SockState : uint8_t { Close, Established, Listen };

struct unix_sock : RefCounted<unix_sock> {
    KMEM_CACHED()
    explicit unix_sock(uint32_t its_type);
    unix_sock(const unix_sock&) = delete;
    unix_sock& operator=(const unix_sock&) = delete;
    ~unix_sock();

    [[nodiscard]] bool is_connection() const { return type != abi::kSockDgram; }
    // Room enough that it is worth telling (Linux: three quarters of the buffer are free).
    [[nodiscard]] bool writable() const { return state != SockState::Listen && wmem * 4 <= sndbuf; }
    [[nodiscard]] bool recvq_full() const {
        return (state == SockState::Listen ? nr_pending : nr_queued) > max_ack_backlog;
    }

    // err, which is told now. unix_lock is held.
    Result<> take_error() {
        const int what = std::exchange(err, 0);
        return what == 0 ? Result<>() : static_cast<Errno>(what);
    }

    const uint32_t type;
    file* owner = nullptr;  // its description, which holds a reference; null before accept and after close
    SockState state = SockState::Close;
    bool dead = false;
    uint32_t shutdown = 0;   // kRcvShutdown, kSendShutdown
    int err = 0;             // an Errno that the next call is told, once
    RefPtr<unix_sock> peer;  // where its messages go
    RefPtr<unix_address> addr;
    path place;         // of a pathname: keeps the inode
    list_head by_name;  // while it can be found by its name
    list_head all;      // in the list of all sockets
    unix_queue receive_queue;
    size_t nr_queued = 0;
    list_head pending_node;  // of a socket that waits to be accepted, which holds a reference
    list_head pending;       // of a listening one: those
    size_t nr_pending = 0;
    size_t max_ack_backlog = 10;  // messages or connections that may wait (Linux: net.unix.max_dgram_qlen)
    size_t wmem = 0;              // bytes of its messages that nobody received yet
    wait_queue_head wait;         // something came, or there is room
    wait_queue_head peer_wait;    // of those who wait for room in its queue
    mutex iolock;                 // one reader at a time

    size_t sndbuf = 212992, rcvbuf = 212992;                // bytes
    uint64_t rcvtimeo = kNoTimeout, sndtimeo = kNoTimeout;  // ns
    int rcvlowat = 1;
    int peek_off =
        -1;  // SO_PEEK_OFF: bytes that MSG_PEEK passes over, and moves on; below 0: peeks begin at the front
    bool passcred = false;
    uint32_t flags = 0;  // options that change nothing, by number
    int priority = 0;
    abi::Linger linger{};
    unix_creds peercred;  // of who listens, connected, or made the pair

    // The collector's: descriptions of it in messages that nobody received, and its list of such sockets.
    size_t inflight = 0;
    list_head inflight_node;
    size_t gc_refs = 0;
    list_head gc_node;
};

extern IntrusiveList<unix_sock, &unix_sock::all> unix_sockets;

// unix_sock.cpp
Result<RefPtr<unix_sock>> unix_create(uint32_t type);
// Its last description is closed: the peer is told, and everything that it was sent goes.
void unix_release(unix_sock& sock);
Result<> unix_shutdown(unix_sock& sock, int how);
[[nodiscard]] uint32_t unix_poll(file& f, poll_table* table);
// Both ends of a pair.
void unix_pair(unix_sock& a, unix_sock& b);
[[nodiscard]] unix_creds current_peercred();
// Everything queued, out of the queue. unix_lock is held.
void take_queue(unix_sock& sock, unix_queue& into);
void free_queue(unix_queue& queue);
// A receiver's queue has room again. unix_lock is held.
void wake_senders(unix_sock& sock);

// How long a call on f waits, of timeo.
[[nodiscard]] inline uint64_t sock_timeo(const file& f, uint32_t flags, uint64_t timeo) {
    return f.nonblocking() || (flags & abi::kMsgDontWait) != 0 ? 0 : timeo;
}
// Sleeps until ready() holds; ns becomes what is left. Again: none is. RestartSys, or Intr with a limit.
template <typename Ready>
Result<> sock_wait(wait_queue_head& queue, uint64_t& ns, Ready ready,
                   const char* where = __builtin_FUNCTION()) {
    if (ns == 0) return ready() ? Result<>() : Errno::Again;
    Result<uint64_t> left = wait_event_timeout_state(queue, TaskState::Interruptible, ns, ready, where);
    if (!left.ok()) return ns == kNoTimeout ? Errno::RestartSys : Errno::Intr;
    ns = left.value();
    return ns == 0 ? Errno::Again : Result<>();
}

// unix_name.cpp. name: what the caller gave, len bytes of it with the family.
Result<> unix_bind(unix_sock& sock, abi::SockaddrUn& name, size_t len);
Result<> unix_autobind(unix_sock& sock);
// Who is bound to that name. ConnRefused, ProtoType: it is of another type; what the path walk gives.
Result<RefPtr<unix_sock>> unix_find(abi::SockaddrUn& name, size_t len, uint32_t type);
// Inval: no address of this family.
Result<> unix_check_name(const abi::SockaddrUn& name, size_t len);

// unix_connect.cpp
Result<> unix_connect(file& f, unix_sock& sock, abi::SockaddrUn& name, size_t len);
Result<> unix_listen(unix_sock& sock, int backlog);
Result<RefPtr<unix_sock>> unix_accept(file& f, unix_sock& sock);

// unix_send.cpp, unix_recv.cpp. How many bytes were moved.
struct unix_message {
    abi::SockaddrUn name{};  // where to, where from
    size_t namelen = 0;      // bytes; 0: none
    scm_cookie scm;
    uint32_t flags = 0;  // of a received one: kMsgTrunc
};
Result<size_t> unix_sendmsg(file& f, iov_iter& from, unix_message& message, uint32_t flags);
Result<size_t> unix_recvmsg(file& f, iov_iter& to, unix_message& message, uint32_t flags);

// unix_gc.cpp. The files of a message that is queued, or taken out, are counted. unix_lock is held.
void unix_inflight(unix_skb& skb);
void unix_notinflight(unix_skb& skb);
// Ends sockets that only messages in each other's queues refer to.
void unix_gc();

// sockfs.cpp. Makes a description of sock. NFile, NoMem.
Result<RefPtr<file>> sock_alloc_file(RefPtr<unix_sock> sock, uint32_t flags);
// NotSock.
Result<unix_sock*> sock_of(const file& f);
Result<int64_t> sock_ioctl(file& f, uint32_t request, uint64_t argument);
// The file system that sockets live in. Ends in a panic without memory.
void sock_init();

}  // namespace guest
