// Connections: listening, connecting, accepting; and the fixed partner of a datagram socket.
#include "guest/net/af_unix.hpp"

namespace guest {

namespace {

// Whether `to` takes what `from` sends: a connected one hears its partner alone.
bool may_send(const unix_sock& from, const unix_sock& to) { return !to.peer || to.peer.get() == &from; }

// A datagram socket gets another partner, or none: what the old one sent is not received any more.
void change_partner(unix_sock& sock, RefPtr<unix_sock> partner) {
    unix_queue dropped;
    {
        const mutex_guard reading(sock.iolock);
        const spinlock_guard guard(unix_lock);
        std::swap(sock.peer, partner);
        if (partner && partner != sock.peer) {
            take_queue(sock, dropped);
            if (partner->peer.get() == &sock && !partner->dead)
                partner->err = static_cast<int>(Errno::ConnReset);
            wake_senders(sock);
            wake_up_all(partner->wait);
        }
        wake_up_all(sock.wait);
    }
    free_queue(dropped);
}

Result<> connect_dgram(unix_sock& sock, abi::SockaddrUn& name, size_t len) {
    if (len < sizeof(name.family)) return Errno::Inval;
    if (name.family == abi::kAfUnspec) {
        change_partner(sock, nullptr);
        return {};
    }
    TRY(unix_check_name(name, len));
    if (sock.passcred) TRY(unix_autobind(sock));
    RefPtr<unix_sock> other = TRY(unix_find(name, len, sock.type));
    {
        const spinlock_guard guard(unix_lock);
        if (other->dead) return Errno::ConnRefused;
        if (!may_send(sock, *other)) return Errno::Perm;
    }
    change_partner(sock, std::move(other));
    return {};
}

// sock and fresh become a connection that waits at `listener`. Again: its queue is full. What connect(2)
// says.
Result<> join_listener(unix_sock& sock, unix_sock& listener, unix_sock& fresh, const unix_creds& mine) {
    const spinlock_guard guard(unix_lock);
    if (listener.state != SockState::Listen || (listener.shutdown & kRcvShutdown) != 0)
        return Errno::ConnRefused;
    if (sock.state == SockState::Established) return Errno::IsConn;
    if (sock.state != SockState::Close || sock.dead) return Errno::Inval;
    if (listener.recvq_full()) return Errno::Again;
    fresh.peer = RefPtr<unix_sock>(&sock);
    fresh.state = SockState::Established;
    fresh.addr = listener.addr;
    fresh.peercred = mine;
    sock.peercred = listener.peercred;
    sock.peer = RefPtr<unix_sock>(&fresh);
    sock.state = SockState::Established;
    sock.shutdown = 0;
    fresh.get();
    list_add_tail(fresh.pending_node, listener.pending);
    ++listener.nr_pending;
    wake_up_poll(listener.wait, abi::kPollReadable);
    return {};
}

bool has_room(const unix_sock& listener) {
    const spinlock_guard guard(unix_lock);
    return listener.state != SockState::Listen || !listener.recvq_full();
}

Result<> connect_stream(file& f, unix_sock& sock, abi::SockaddrUn& name, size_t len) {
    TRY(unix_check_name(name, len));
    if (sock.passcred) TRY(unix_autobind(sock));
    uint64_t ns = sock_timeo(f, 0, sock.sndtimeo);
    const unix_creds mine = current_peercred();
    const RefPtr<unix_sock> fresh = TRY(unix_create(sock.type));
    for (;;) {
        // Each time anew: while this waited another may have taken the name.
        const RefPtr<unix_sock> listener = TRY(unix_find(name, len, sock.type));
        Result<> joined = join_listener(sock, *listener, *fresh, mine);
        if (joined.ok() || joined.error() != Errno::Again) return joined;
        TRY(sock_wait(listener->peer_wait, ns, [&] { return has_room(*listener); }));
    }
}

// The oldest connection that waits; null: none.
RefPtr<unix_sock> take_pending(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    if (list_empty(sock.pending)) return nullptr;
    unix_sock* first = list_entry<unix_sock, &unix_sock::pending_node>(sock.pending.next);
    first->pending_node.unlink();
    --sock.nr_pending;
    wake_senders(sock);
    return RefPtr<unix_sock>::adopt(first);
}

bool is_refused(const unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    return sock.state != SockState::Listen || (sock.shutdown & kRcvShutdown) != 0;
}

}  // namespace

Result<> unix_connect(file& f, unix_sock& sock, abi::SockaddrUn& name, size_t len) {
    if (sock.is_connection()) return connect_stream(f, sock, name, len);
    return connect_dgram(sock, name, len);
}

Result<> unix_listen(unix_sock& sock, int backlog) {
    constexpr size_t kSomaxconn = 4096;
    if (!sock.is_connection()) return Errno::OpNotSupp;
    const auto wanted = static_cast<size_t>(static_cast<unsigned>(backlog));
    const unix_creds mine = current_peercred();
    unix_creds old;
    const spinlock_guard guard(unix_lock);
    if (!sock.addr) return Errno::Inval;
    if (sock.state == SockState::Established || sock.dead) return Errno::Inval;
    sock.max_ack_backlog = wanted < kSomaxconn ? wanted : kSomaxconn;
    sock.state = SockState::Listen;
    old = std::exchange(sock.peercred, mine);
    wake_senders(sock);
    return {};
}

Result<RefPtr<unix_sock>> unix_accept(file& f, unix_sock& sock) {
    if (!sock.is_connection()) return Errno::OpNotSupp;
    if (is_refused(sock)) return Errno::Inval;
    uint64_t ns = sock_timeo(f, 0, sock.rcvtimeo);
    for (;;) {
        if (RefPtr<unix_sock> fresh = take_pending(sock)) return fresh;
        if (is_refused(sock)) return Errno::Inval;
        TRY(sock_wait(sock.wait, ns, [&] { return sock.nr_pending != 0 || is_refused(sock); }));
    }
}

}  // namespace guest
