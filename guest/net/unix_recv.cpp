// Receiving: out of the socket's queue, with what goes along.
#include "guest/net/af_unix.hpp"

#include "guest/lib/string.hpp"

namespace guest {

namespace {

// Where to read next: so many bytes into a message, which `passed` others come before.
struct Place {
    unix_skb* skb;
    size_t skip;
    size_t passed;
};

// The place that lies `skip` bytes behind the first `passed` messages; no message if that is not there yet.
Place place_at(const unix_sock& sock, size_t passed, size_t skip) {
    const spinlock_guard guard(unix_lock);
    Place place{sock.receive_queue.front(), skip, 0};
    const auto pass = [&] {
        place.skb = sock.receive_queue.next(*place.skb);
        ++place.passed;
    };
    while (place.skb != nullptr && place.passed < passed) pass();
    while (place.skb != nullptr && place.skip != 0 && place.skip >= place.skb->left()) {
        place.skip -= place.skb->left();
        pass();
    }
    return place;
}

size_t peek_start(const unix_sock& sock, bool peek) {
    return peek && sock.peek_off > 0 ? static_cast<size_t>(sock.peek_off) : 0;
}
// A peek goes on behind what was peeked at; what is read is not in front of it any more.
void move_peek(unix_sock& sock, size_t bytes, bool peek) {
    if (sock.peek_off < 0) return;
    const int moved = static_cast<int>(bytes);
    sock.peek_off = peek ? sock.peek_off + moved : sock.peek_off > moved ? sock.peek_off - moved : 0;
}

// Sleeps without the reader's lock until more than `seen` messages are there or nothing will come. Both
// errors and the end are found out by the caller.
Result<> wait_for_data(unix_sock& sock, uint64_t& ns, size_t seen = 0) {
    sock.iolock.unlock();
    Result<> woken = sock_wait(sock.wait, ns, [&] {
        const spinlock_guard guard(unix_lock);
        return sock.nr_queued > seen || sock.err != 0 || (sock.shutdown & kRcvShutdown) != 0;
    });
    sock.iolock.lock();
    return woken;
}

// No more comes: an error to be told, or the end. True: the end.
Result<bool> at_end(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    TRY(sock.take_error());
    return (sock.shutdown & kRcvShutdown) != 0;
}

void tell_sender(unix_message& message, const unix_skb& skb) {
    message.namelen = 0;
    if (!skb.from_name) return;
    message.namelen = skb.from_name->len;
    memcpy(&message.name, &skb.from_name->name, sizeof(message.name));
}

// What goes along, for a reader that leaves the message where it is. NoMem.
Result<> peek_scm(unix_message& message, const unix_skb& skb) {
    message.scm.creds = skb.scm.creds;
    if (skb.scm.files) message.scm.files = TRY(scm_fp_dup(*skb.scm.files));
    return {};
}

// The files of a message change hands. unix_lock is held.
OwnPtr<scm_fp_list> detach_files(unix_skb& skb) {
    unix_notinflight(skb);
    return std::move(skb.scm.files);
}

// unix_lock is held.
void dequeue(unix_sock& sock, unix_skb& skb) {
    skb.node.unlink();
    --sock.nr_queued;
}

void take_message(unix_sock& sock, unix_skb& skb, unix_message& message) {
    const spinlock_guard guard(unix_lock);
    const bool was_full = sock.recvq_full();
    message.scm.files = detach_files(skb);
    message.scm.creds = std::move(skb.scm.creds);
    dequeue(sock, skb);
    if (was_full || sock.nr_queued == sock.max_ack_backlog) wake_senders(sock);
}

Result<size_t> receive_message(file& f, unix_sock& sock, iov_iter& to, unix_message& message,
                               uint32_t flags) {
    if (sock.is_connection() && sock.state != SockState::Established) return Errno::NotConn;
    uint64_t ns = sock_timeo(f, flags, sock.rcvtimeo);
    const mutex_guard reading(sock.iolock);
    const bool peek = (flags & abi::kMsgPeek) != 0;
    Place place = place_at(sock, 0, peek_start(sock, peek));
    for (; place.skb == nullptr; place = place_at(sock, 0, peek_start(sock, peek))) {
        const bool end = TRY(at_end(sock));
        if (end && (ns != 0 || sock.is_connection())) return size_t{0};
        TRY(wait_for_data(sock, ns, place.passed));
    }
    unix_skb* skb = place.skb;
    tell_sender(message, *skb);
    const size_t wanted = to.count();
    const size_t left = skb->len - place.skip;
    const size_t bytes = left < wanted ? left : wanted;
    if (left > wanted) message.flags |= abi::kMsgTrunc;
    const size_t result = (flags & abi::kMsgTrunc) != 0 ? left : bytes;
    if (peek) {
        if (to.copy_to(skb->data.data() + place.skip, bytes) != bytes) return Errno::Fault;
        move_peek(sock, bytes, peek);
        TRY(peek_scm(message, *skb));
        return result;
    }
    // A message that cannot be stored is lost, as on Linux.
    take_message(sock, *skb, message);
    move_peek(sock, skb->len, peek);
    const OwnPtr<unix_skb> taken(skb);
    if (to.copy_to(skb->data.data(), bytes) != bytes) return Errno::Fault;
    return result;
}

// One call's way through a stream.
struct StreamRead {
    unix_sock& sock;
    iov_iter& to;
    unix_message& message;
    const bool peek;
    size_t skip;      // bytes that a peek passes over first
    size_t seen = 0;  // stretches that were peeked at
    size_t done = 0;
    bool first = true;

    // The stretch to read from next.
    unix_skb* next() {
        const Place place = place_at(sock, seen, skip);
        seen = place.passed;
        skip = place.skip;
        return place.skb;
    }

    // What different processes sent is not read in one piece by who wants to know the sender.
    bool begins_another(const unix_skb& skb) const {
        return !first && sock.passcred && !(skb.scm.creds == message.scm.creds);
    }

    // Moves what is wanted of skb. False: the call ends here.
    Result<bool> read(unix_skb& skb) {
        if (first) {
            tell_sender(message, skb);
            message.scm.creds = skb.scm.creds;
            first = false;
        }
        const size_t left = skb.left() - skip;
        const size_t bytes = left < to.count() ? left : to.count();
        const size_t moved = to.copy_to(skb.data.data() + skb.consumed + skip, bytes);
        if (moved == 0 && bytes != 0) return done != 0 ? Result<bool>(false) : Errno::Fault;
        done += moved;
        skip = 0;
        move_peek(sock, moved, peek);
        if (peek) {
            ++seen;
            const bool with_files = static_cast<bool>(skb.scm.files);
            if (with_files) TRY(peek_scm(message, skb));
            return !with_files && moved == bytes;
        }
        return consume(skb, moved) && moved == bytes;
    }

    bool consume(unix_skb& skb, size_t bytes) {
        OwnPtr<unix_skb> finished;
        const spinlock_guard guard(unix_lock);
        skb.consumed += bytes;
        if (skb.scm.files) message.scm.files = detach_files(skb);
        if (skb.left() != 0) return false;
        dequeue(sock, skb);
        finished = OwnPtr<unix_skb>(&skb);
        // Files mark a place in the stream: what comes after them is for the next call.
        return !message.scm.files;
    }
};

Result<size_t> receive_stream(file& f, unix_sock& sock, iov_iter& to, unix_message& message, uint32_t flags) {
    if (sock.state != SockState::Established) return Errno::Inval;
    const auto lowat = static_cast<size_t>(sock.rcvlowat);
    const bool all = (flags & abi::kMsgWaitAll) != 0 || lowat > to.count();
    const size_t target = all ? to.count() : lowat;
    uint64_t ns = sock_timeo(f, flags, sock.rcvtimeo);
    const mutex_guard reading(sock.iolock);
    const bool peek = (flags & abi::kMsgPeek) != 0;
    StreamRead call{sock, to, message, peek, peek_start(sock, peek)};
    do {
        unix_skb* skb = call.next();
        if (skb == nullptr) {
            if (call.done >= target && call.done != 0) break;
            Result<bool> end = at_end(sock);
            if (!end.ok() && call.done == 0) return end.error();
            if (!end.ok() || end.value()) break;
            Result<> waited = wait_for_data(sock, ns, call.seen);
            if (waited.ok()) continue;
            if (call.done != 0) break;
            return waited.error();
        }
        if (call.begins_another(*skb)) break;
        if (!TRY(call.read(*skb))) break;
    } while (to.count() != 0);
    return call.done;
}

}  // namespace

Result<size_t> unix_recvmsg(file& f, iov_iter& to, unix_message& message, uint32_t flags) {
    unix_sock& sock = *TRY(sock_of(f));
    if ((flags & abi::kMsgErrQueue) != 0) return Errno::Again;
    if ((flags & abi::kMsgOob) != 0) return Errno::OpNotSupp;
    if (sock.type == abi::kSockStream) return receive_stream(f, sock, to, message, flags);
    return receive_message(f, sock, to, message, flags);
}

}  // namespace guest
