// msgsnd and msgrcv.
#include "guest/ipc/msg.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

bool matches(int64_t type, int64_t wanted, MsgSearch mode) {
    switch (mode) {
        case MsgSearch::Any:
        case MsgSearch::Number:
            return true;
        case MsgSearch::Equal:
            return type == wanted;
        case MsgSearch::NotEqual:
            return type != wanted;
        case MsgSearch::LessEqual:
            return type <= wanted;
    }
    return false;
}

// Gives the message to the first receiver that waits for one like it. False: nobody does.
bool pipelined_send(msg_queue& queue, msg_msg& message) {
    for (msg_receiver& receiver : queue.q_receivers) {
        if (!matches(message.m_type, receiver.type, receiver.mode)) continue;
        receiver.node.unlink();
        const bool fits = message.m_ts <= receiver.max_bytes;
        if (fits) {
            queue.q_lrpid = receiver.pid;
            queue.q_rtime = ipc_now();
            receiver.message = &message;
        } else {
            receiver.error = Errno::TooBig;
        }
        receiver.done = true;
        wake_up_all(receiver.wait);
        if (fits) return true;
    }
    return false;
}

// Puts the message into the queue, and takes it over. Without room: queues the sender, false.
Result<bool> try_send(ipc_namespace& ns, int msqid, OwnPtr<msg_msg>& message, msg_sender& sender, int flags) {
    const mutex_guard guard(ns.msg_ids.lock);
    msg_queue& queue = *TRY(msq_obtain_object(ns, msqid));
    TRY(ipcperms(queue, kMayWrite));
    // Empty messages are counted, too.
    if (message->m_ts + queue.q_cbytes > queue.q_qbytes || queue.q_qnum + 1 > queue.q_qbytes) {
        if ((flags & abi::kIpcNoWait) != 0) return Errno::Again;
        queue.q_senders.push_back(sender);
        return false;
    }
    queue.q_lspid = task_tgid_vnr(current());
    queue.q_stime = ipc_now();
    msg_msg& sent = *message.leak();
    if (pipelined_send(queue, sent)) return true;
    queue.q_messages.push_back(sent);
    ++queue.q_qnum;
    queue.q_cbytes += sent.m_ts;
    ++ns.msg_hdrs;
    ns.msg_bytes += sent.m_ts;
    return true;
}

// A handler's end is never followed by a restart: man 7 signal.
Result<> wait_for_room(ipc_namespace& ns, msg_sender& sender) {
    const bool woken = wait_event_interruptible(sender.wait, sender.done).ok();
    const mutex_guard guard(ns.msg_ids.lock);
    sender.node.unlink();
    if (sender.removed) return Errno::IdRm;
    if (!woken) return Errno::RestartNoHand;
    return {};
}

MsgSearch convert_mode(int64_t& type, int flags) {
    if ((flags & abi::kMsgCopy) != 0) return MsgSearch::Number;
    if (type == 0) return MsgSearch::Any;
    if (type < 0) {
        type = type == INT64_MIN ? INT64_MAX : -type;
        return MsgSearch::LessEqual;
    }
    return (flags & abi::kMsgExcept) != 0 ? MsgSearch::NotEqual : MsgSearch::Equal;
}

msg_msg* find_msg(const msg_queue& queue, int64_t type, MsgSearch mode) {
    msg_msg* found = nullptr;
    int64_t number = 0;
    for (msg_msg& message : queue.q_messages) {
        if (mode == MsgSearch::Number) {
            if (number++ == type) return &message;
        } else if (matches(message.m_type, type, mode)) {
            if (mode != MsgSearch::LessEqual) return &message;
            // The lowest type, and of that the first.
            found = &message;
            type = message.m_type - 1;
        }
    }
    return found;
}

// MSG_COPY: the message stays; its bytes go to the copy.
Result<> copy_msg(msg_msg& from, msg_msg& to) {
    if (from.m_ts > to.m_ts) return Errno::Inval;
    to.m_type = from.m_type;
    to.m_ts = from.m_ts;
    memcpy(to.data(), from.data(), from.m_ts);
    return {};
}

// What one msgrcv wants.
struct Request {
    int64_t type;
    MsgSearch mode;
    size_t bytes;
    int flags;
    OwnPtr<msg_msg> copy;  // room for MSG_COPY
};

// The message, or null: the receiver is queued.
Result<OwnPtr<msg_msg>> try_receive(ipc_namespace& ns, int msqid, Request& request, msg_receiver& receiver) {
    const mutex_guard guard(ns.msg_ids.lock);
    msg_queue& queue = *TRY(msq_obtain_object(ns, msqid));
    TRY(ipcperms(queue, kMayRead));
    msg_msg* found = find_msg(queue, request.type, request.mode);
    if (found == nullptr) {
        if ((request.flags & abi::kIpcNoWait) != 0) return Errno::NoMsg;
        queue.q_receivers.push_back(receiver);
        return OwnPtr<msg_msg>();
    }
    if (found->m_ts > request.bytes && (request.flags & abi::kMsgNoError) == 0) return Errno::TooBig;
    if (request.copy) {
        TRY(copy_msg(*found, *request.copy));
        return std::move(request.copy);
    }
    msg_unlink(ns, queue, *found);
    queue.q_rtime = ipc_now();
    queue.q_lrpid = receiver.pid;
    ss_wakeup(queue, false);
    return OwnPtr<msg_msg>(found);
}

// The message that came; null: look again.
Result<OwnPtr<msg_msg>> wait_for_msg(ipc_namespace& ns, msg_receiver& receiver) {
    const bool woken = wait_event_interruptible(receiver.wait, receiver.done).ok();
    const mutex_guard guard(ns.msg_ids.lock);
    receiver.node.unlink();
    // A message that was handed over is not lost to a signal.
    if (receiver.message != nullptr) return OwnPtr<msg_msg>(receiver.message);
    if (receiver.done && receiver.error != Errno::Again) return receiver.error;
    if (!woken) return Errno::RestartNoHand;
    return OwnPtr<msg_msg>();
}

Result<OwnPtr<msg_msg>> receive(ipc_namespace& ns, int msqid, Request& request) {
    for (bool first = true;; first = false) {
        msg_receiver receiver;
        receiver.type = request.type;
        receiver.mode = request.mode;
        receiver.max_bytes = (request.flags & abi::kMsgNoError) != 0 ? SIZE_MAX : request.bytes;
        receiver.pid = task_tgid_vnr(current());
        Result<OwnPtr<msg_msg>> message = try_receive(ns, msqid, request, receiver);
        if (!message.ok()) return !first && message.error() == Errno::Inval ? Errno::IdRm : message.error();
        if (message.value()) return message;
        OwnPtr<msg_msg> handed = TRY(wait_for_msg(ns, receiver));
        if (handed) return handed;
    }
}

}  // namespace

Result<long> sys_msgsnd(int msqid, UserPtr<const int64_t> from, size_t bytes, int flags) {
    const int64_t type = TRY(get_user(from));
    const RefPtr<ipc_namespace> ns = current()->nsproxy->ipc_ns;
    if (bytes > static_cast<uint64_t>(ns->limits.msgmax) || msqid < 0 || type < 1) return Errno::Inval;
    OwnPtr<msg_msg> message = TRY(load_msg(from.address() + sizeof(int64_t), bytes));
    message->m_type = type;
    for (bool first = true;; first = false) {
        msg_sender sender;
        Result<bool> sent = try_send(*ns, msqid, message, sender, flags);
        if (!sent.ok()) return !first && sent.error() == Errno::Inval ? Errno::IdRm : sent.error();
        if (sent.value()) return 0;
        TRY(wait_for_room(*ns, sender));
    }
}

Result<long> sys_msgrcv(int msqid, UserPtr<int64_t> to, size_t bytes, int64_t type, int flags) {
    if (msqid < 0 || bytes > INT64_MAX) return Errno::Inval;
    const RefPtr<ipc_namespace> ns = current()->nsproxy->ipc_ns;
    Request request{type, MsgSearch::Any, bytes, flags, nullptr};
    request.mode = convert_mode(request.type, flags);
    if ((flags & abi::kMsgCopy) != 0) {
        if ((flags & abi::kMsgExcept) != 0 || (flags & abi::kIpcNoWait) == 0) return Errno::Inval;
        const auto most = static_cast<uint64_t>(ns->limits.msgmax);
        request.copy = TRY(alloc_msg(bytes < most ? bytes : most));
    }
    const OwnPtr<msg_msg> message = TRY(receive(*ns, msqid, request));
    const size_t length = message->m_ts < bytes ? message->m_ts : bytes;
    // A message that the program's memory refuses is gone.
    TRY(put_user(to, message->m_type));
    TRY(copy_to_user(to.address() + sizeof(int64_t), message->data(), length));
    return static_cast<long>(length);
}

}  // namespace guest
