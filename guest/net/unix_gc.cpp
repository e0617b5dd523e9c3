// Sockets that carry each other. A description of a socket can travel in a message to that same socket, or to
// one that travels in a message to it: then both are closed by everybody and yet referred to. Whenever a
// socket is closed, those are looked for whose every reference is a message, and that no message in a socket
// outside leads to.
#include "guest/net/af_unix.hpp"

namespace guest {

namespace {

// With at least one description in flight. Guarded by unix_lock, as all here.
constinit IntrusiveList<unix_sock, &unix_sock::inflight_node> inflight_sockets;
using gc_list = IntrusiveList<unix_sock, &unix_sock::gc_node>;

unix_sock* socket_of(const file& f) {
    Result<unix_sock*> sock = sock_of(f);
    return sock.ok() ? sock.value() : nullptr;
}

// Calls visit(queue's owner, message) for what sock would receive, or who it would accept.
template <typename Visit>
void for_each_message(unix_sock& sock, Visit visit) {
    for (unix_skb& skb : sock.receive_queue) visit(sock, skb);
    for (list_head* node = sock.pending.next; node != &sock.pending; node = node->next) {
        unix_sock& embryo = *list_entry<unix_sock, &unix_sock::pending_node>(node);
        for (unix_skb& skb : embryo.receive_queue) visit(embryo, skb);
    }
}

// Calls visit(socket) for each candidate that sock's messages lead to.
template <typename Visit>
void for_each_child(unix_sock& sock, Visit visit) {
    for_each_message(sock, [&](unix_sock&, unix_skb& skb) {
        for (unsigned i = 0; skb.scm.files && i < skb.scm.files->count; ++i) {
            unix_sock* child = socket_of(*skb.scm.files->fp[i]);
            if (child != nullptr && child->gc_node.is_linked()) visit(*child);
        }
    });
}

void find_candidates(gc_list& candidates) {
    for (unix_sock& sock : inflight_sockets) {
        if (sock.owner == nullptr || static_cast<size_t>(sock.owner->ref_count()) != sock.inflight) continue;
        sock.gc_refs = sock.inflight;
        candidates.push_back(sock);
    }
}

// Takes out of `candidates` what something else leads to.
void keep_reachable(gc_list& candidates) {
    gc_list reached;
    for (unix_sock& sock : candidates) for_each_child(sock, [](unix_sock& child) { --child.gc_refs; });
    for (unix_sock& sock : candidates) {
        if (sock.gc_refs == 0) continue;
        gc_list::remove(sock);
        reached.push_back(sock);
    }
    while (unix_sock* sock = reached.pop_front()) {
        for_each_child(*sock, [&](unix_sock& child) {
            gc_list::remove(child);
            reached.push_back(child);
        });
    }
}

}  // namespace

void unix_inflight(unix_skb& skb) {
    if (!skb.scm.files || skb.inflight) return;
    skb.inflight = true;
    scm_fp_list& files = *skb.scm.files;
    files.user->unix_inflight.fetch_add(files.count);
    for (unsigned i = 0; i < files.count; ++i) {
        unix_sock* sock = socket_of(*files.fp[i]);
        if (sock != nullptr && sock->inflight++ == 0) inflight_sockets.push_back(*sock);
    }
}

void unix_notinflight(unix_skb& skb) {
    if (!skb.inflight) return;
    skb.inflight = false;
    scm_fp_list& files = *skb.scm.files;
    files.user->unix_inflight.fetch_sub(files.count);
    for (unsigned i = 0; i < files.count; ++i) {
        unix_sock* sock = socket_of(*files.fp[i]);
        if (sock != nullptr && --sock->inflight == 0) sock->inflight_node.unlink();
    }
}

void unix_gc() {
    unix_queue garbage;
    {
        const spinlock_guard guard(unix_lock);
        if (inflight_sockets.empty()) return;
        gc_list candidates;
        find_candidates(candidates);
        keep_reachable(candidates);
        while (unix_sock* sock = candidates.pop_front()) {
            for_each_message(*sock, [&](unix_sock& queued_at, unix_skb& skb) {
                if (!skb.scm.files) return;
                unix_notinflight(skb);
                skb.node.unlink();
                --queued_at.nr_queued;
                garbage.push_back(skb);
            });
        }
    }
    free_queue(garbage);
}

}  // namespace guest
