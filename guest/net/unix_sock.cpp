// The life of a socket and of a message.
#include "guest/net/af_unix.hpp"

#include "guest/fs/poll.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(unix_sock)
DEFINE_KMEM_CACHE(unix_skb)

constinit spinlock_t unix_lock;
constinit IntrusiveList<unix_sock, &unix_sock::all> unix_sockets;

namespace {

// What Linux counts for a message beside its bytes.
constexpr size_t kOverhead = 768;

constexpr uint32_t kWritable = abi::kPollWritable | abi::kPollWrBand;

void wake_if_writable(unix_sock& sock) {
    if (sock.writable()) wake_up_poll(sock.wait, kWritable);
}

// The peer of a connection hears of the end. `lost`: something that it sent was not received.
void tell_peer(unix_sock& peer, bool lost) {
    peer.shutdown = kShutdownMask;
    if (lost) peer.err = static_cast<int>(Errno::ConnReset);
    wake_up_all(peer.wait);
}

RefPtr<unix_sock> next_embryo(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    if (list_empty(sock.pending)) return nullptr;
    unix_sock* embryo = list_entry<unix_sock, &unix_sock::pending_node>(sock.pending.next);
    embryo->pending_node.unlink();
    --sock.nr_pending;
    return RefPtr<unix_sock>::adopt(embryo);
}

}  // namespace

unix_skb::unix_skb(RefPtr<unix_sock> sender, KBuffer bytes, size_t length)
    : from(std::move(sender)), data(std::move(bytes)), len(length) {
    const spinlock_guard guard(unix_lock);
    from->wmem += len + kOverhead;
    from_name = from->addr;
}

unix_skb::~unix_skb() {
    {
        const spinlock_guard guard(unix_lock);
        from->wmem -= len + kOverhead;
        wake_if_writable(*from);
    }
    scm_close(std::move(scm.files));
}

unix_sock::unix_sock(uint32_t its_type) : type(its_type) {
    const spinlock_guard guard(unix_lock);
    unix_sockets.push_back(*this);
}

unix_sock::~unix_sock() {
    const spinlock_guard guard(unix_lock);
    all.unlink();
}

Result<RefPtr<unix_sock>> unix_create(uint32_t type) { return make_ref<unix_sock>(type); }

void unix_pair(unix_sock& a, unix_sock& b) {
    a.peercred = current_peercred();
    b.peercred = a.peercred;
    const spinlock_guard guard(unix_lock);
    a.peer = RefPtr<unix_sock>(&b);
    b.peer = RefPtr<unix_sock>(&a);
    if (!a.is_connection()) return;
    a.state = b.state = SockState::Established;
}

unix_creds current_peercred() { return current_creds(CredIds::Effective); }

void take_queue(unix_sock& sock, unix_queue& into) {
    for (unix_skb& skb : sock.receive_queue) unix_notinflight(skb);
    into.splice_back(sock.receive_queue);
    sock.nr_queued = 0;
}

void free_queue(unix_queue& queue) {
    while (unix_skb* skb = queue.pop_front()) delete skb;
}

// Those who wait, and those whose poll looks at this queue: they are known by their peer alone.
void wake_senders(unix_sock& sock) {
    wake_up_all(sock.peer_wait);
    if (sock.is_connection()) return;
    for (unix_sock& other : unix_sockets) {
        if (other.peer.get() == &sock) wake_up_poll(other.wait, kWritable);
    }
}

void unix_release(unix_sock& sock) {
    RefPtr<unix_sock> peer;
    path place;
    unix_queue queue;
    {
        const spinlock_guard guard(unix_lock);
        sock.owner = nullptr;
        sock.dead = true;
        sock.state = SockState::Close;
        sock.shutdown = kShutdownMask;
        sock.by_name.unlink();
        const bool lost = !sock.receive_queue.empty();
        take_queue(sock, queue);
        std::swap(peer, sock.peer);
        std::swap(place, sock.place);
        if (peer && sock.is_connection()) tell_peer(*peer, lost);
        wake_senders(sock);
        wake_up_all(sock.wait);
    }
    free_queue(queue);
    // Connections that nobody accepted: whoever made them is told that they are reset.
    while (RefPtr<unix_sock> embryo = next_embryo(sock)) {
        {
            const spinlock_guard guard(unix_lock);
            if (embryo->peer) embryo->peer->err = static_cast<int>(Errno::ConnReset);
        }
        unix_release(*embryo);
    }
    unix_gc();
}

Result<> unix_shutdown(unix_sock& sock, int how) {
    if (how < 0 || how > 2) return Errno::Inval;
    const auto mode = static_cast<uint32_t>(how) + 1;
    const spinlock_guard guard(unix_lock);
    sock.shutdown |= mode;
    wake_up_all(sock.wait);
    wake_senders(sock);
    if (!sock.is_connection() || !sock.peer) return {};
    // What one side does not send, the other does not receive.
    sock.peer->shutdown |= (mode & kRcvShutdown) << 1 | (mode & kSendShutdown) >> 1;
    wake_up_all(sock.peer->wait);
    return {};
}

uint32_t unix_poll(file& f, poll_table* table) {
    unix_sock& sock = *static_cast<unix_sock*>(f.private_data);
    poll_wait(f, sock.wait, table);
    const spinlock_guard guard(unix_lock);
    uint32_t mask = 0;
    if (sock.err != 0) mask |= abi::kPollErr;
    if (sock.shutdown == kShutdownMask) mask |= abi::kPollHup;
    if ((sock.shutdown & kRcvShutdown) != 0) mask |= abi::kPollRdHup | abi::kPollIn | abi::kPollRdNorm;
    if (!sock.receive_queue.empty() || sock.nr_pending != 0) mask |= abi::kPollIn | abi::kPollRdNorm;
    if (sock.is_connection() && sock.state == SockState::Close) mask |= abi::kPollHup;
    const unix_sock* peer = sock.peer.get();
    const bool no_room =
        !sock.is_connection() && peer != nullptr && peer->peer.get() != &sock && peer->recvq_full();
    if (sock.writable() && !no_room) mask |= kWritable;
    return mask;
}

}  // namespace guest
