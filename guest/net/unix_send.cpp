// Sending: bytes and what goes with them into the receiver's queue.
#include "guest/net/af_unix.hpp"

#include "guest/abi/signal.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// A stretch of a stream has at most this many bytes: what one allocation gives without trouble.
constexpr size_t kStretch = 32 * 1024;

bool can_send(const unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    return sock.wmem < sock.sndbuf || sock.err != 0 || (sock.shutdown & kSendShutdown) != 0;
}

Result<> check_sender(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    if ((sock.shutdown & kSendShutdown) != 0) return Errno::Pipe;
    return sock.take_error();
}

// The next `bytes` of `from` as a message, once the sender's buffer has room.
Result<OwnPtr<unix_skb>> make_skb(unix_sock& sock, iov_iter& from, size_t bytes, uint64_t& ns) {
    TRY(check_sender(sock));
    if (!can_send(sock)) {
        TRY(sock_wait(sock.wait, ns, [&] { return can_send(sock); }));
        TRY(check_sender(sock));
    }
    Result<KBuffer> data = KBuffer::allocate(bytes != 0 ? bytes : 1);
    if (!data.ok()) return Errno::NoBufs;
    if (from.copy_from(data.value().data(), bytes) != bytes) return Errno::Fault;
    return make_owned<unix_skb>(RefPtr<unix_sock>(&sock), data.release_value(), bytes);
}

// Credentials go along if either side asked for them. unix_lock is held.
void add_creds(unix_skb& skb, const unix_sock& from, const unix_sock& to, const unix_creds& mine) {
    if (skb.scm.creds.uid == ~0U && (from.passcred || to.passcred)) skb.scm.creds = mine;
}

// unix_lock is held.
void enqueue(unix_sock& to, OwnPtr<unix_skb>& skb) {
    unix_inflight(*skb);
    to.receive_queue.push_back(*skb.leak());
    ++to.nr_queued;
    wake_up_poll(to.wait, abi::kPollReadable | abi::kPollPri | abi::kPollRdBand);
}

RefPtr<unix_sock> peer_of(const unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    return sock.peer;
}

Result<> queue_stretch(unix_sock& sock, unix_sock& to, OwnPtr<unix_skb>& skb, const unix_creds& mine) {
    const spinlock_guard guard(unix_lock);
    if (to.dead || (to.shutdown & kRcvShutdown) != 0) return Errno::Pipe;
    add_creds(*skb, sock, to, mine);
    enqueue(to, skb);
    return {};
}

Result<size_t> send_stream(file& f, unix_sock& sock, iov_iter& from, unix_message& message, uint32_t flags) {
    if (message.namelen != 0) return sock.state == SockState::Established ? Errno::IsConn : Errno::OpNotSupp;
    const RefPtr<unix_sock> to = peer_of(sock);
    if (!to) return Errno::NotConn;
    uint64_t ns = sock_timeo(f, flags, sock.sndtimeo);
    const unix_creds mine = current_creds(CredIds::Real);
    size_t done = 0;
    while (from.count() != 0) {
        size_t bytes = sock.sndbuf / 2 - 64;
        if (bytes > kStretch) bytes = kStretch;
        if (bytes > from.count()) bytes = from.count();
        Result<OwnPtr<unix_skb>> skb = make_skb(sock, from, bytes, ns);
        Result<> queued = skb.ok() ? Result<>() : skb.error();
        if (skb.ok()) {
            // What is sent with the bytes goes with the first of them.
            skb.value()->scm.creds = message.scm.creds;
            if (done == 0) skb.value()->scm.files = std::move(message.scm.files);
            queued = queue_stretch(sock, *to, skb.value(), mine);
        }
        if (!queued.ok()) {
            if (done != 0) break;
            if (queued.error() == Errno::Pipe && (flags & abi::kMsgNoSignal) == 0)
                send_sig(abi::kSigPipe, current());
            return queued.error();
        }
        done += bytes;
    }
    return done;
}

// Drops the partner of a datagram socket, which is gone.
void forget_partner(unix_sock& sock, const unix_sock& gone) {
    RefPtr<unix_sock> partner;
    const spinlock_guard guard(unix_lock);
    if (sock.peer.get() == &gone) std::swap(partner, sock.peer);
}

bool has_room(const unix_sock& sock, const unix_sock& to) {
    const spinlock_guard guard(unix_lock);
    return to.dead || (to.shutdown & kRcvShutdown) != 0 || &to == &sock || to.peer.get() == &sock ||
           !to.recvq_full();
}

// Again: the receiver's queue is full.
Result<> queue_message(unix_sock& sock, unix_sock& to, OwnPtr<unix_skb>& skb, const unix_creds& mine) {
    const spinlock_guard guard(unix_lock);
    if (to.peer && to.peer.get() != &sock) return Errno::Perm;
    if (to.dead) return Errno::ConnRefused;
    if ((to.shutdown & kRcvShutdown) != 0) return Errno::Pipe;
    if (&to != &sock && to.peer.get() != &sock && to.recvq_full()) return Errno::Again;
    add_creds(*skb, sock, to, mine);
    enqueue(to, skb);
    return {};
}

Result<> check_connection(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    TRY(sock.take_error());
    return sock.state == SockState::Established ? Result<>() : Errno::NotConn;
}

Result<size_t> send_message(file& f, unix_sock& sock, iov_iter& from, unix_message& message, uint32_t flags) {
    const bool named = message.namelen != 0 && !sock.is_connection();
    if (named) TRY(unix_check_name(message.name, message.namelen));
    if (sock.is_connection()) TRY(check_connection(sock));
    RefPtr<unix_sock> to;
    if (!named) {
        to = peer_of(sock);
        if (!to) return Errno::NotConn;
    }
    if (sock.passcred && !sock.addr) TRY(unix_autobind(sock));
    const size_t bytes = from.count();
    if (bytes + 32 > sock.sndbuf) return Errno::MsgSize;
    uint64_t ns = sock_timeo(f, flags, sock.sndtimeo);
    const unix_creds mine = current_creds(CredIds::Real);
    OwnPtr<unix_skb> skb = TRY(make_skb(sock, from, bytes, ns));
    skb->scm = std::move(message.scm);
    for (;;) {
        if (named) to = TRY(unix_find(message.name, message.namelen, sock.type));
        Result<> queued = queue_message(sock, *to, skb, mine);
        if (queued.ok()) return bytes;
        if (queued.error() == Errno::ConnRefused) forget_partner(sock, *to);
        if (queued.error() != Errno::Again) return queued.error();
        TRY(sock_wait(to->peer_wait, ns, [&] { return has_room(sock, *to); }));
    }
}

}  // namespace

Result<size_t> unix_sendmsg(file& f, iov_iter& from, unix_message& message, uint32_t flags) {
    unix_sock& sock = *TRY(sock_of(f));
    if ((flags & abi::kMsgOob) != 0) return Errno::OpNotSupp;
    if (sock.type == abi::kSockStream) return send_stream(f, sock, from, message, flags);
    return send_message(f, sock, from, message, flags);
}

}  // namespace guest
