// Message queues: made, woken, removed; and the messages themselves.
#include "guest/ipc/msg.hpp"

#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

DEFINE_KMEM_CACHE(msg_queue)

Result<OwnPtr<msg_msg>> alloc_msg(size_t bytes) {
    void* memory = kmalloc(sizeof(msg_msg) + bytes);
    if (memory == nullptr) return Errno::NoMem;
    OwnPtr<msg_msg> message(new (memory) msg_msg);
    message->m_ts = bytes;
    return message;
}

Result<OwnPtr<msg_msg>> load_msg(VirtAddr from, size_t bytes) {
    auto message = TRY(alloc_msg(bytes));
    TRY(copy_from_user(message->data(), from, bytes));
    return message;
}

Result<msg_queue*> msq_obtain_object(const ipc_namespace& ns, int msqid) {
    return static_cast<msg_queue*>(TRY(ipc_obtain_object(ns.msg_ids, msqid)));
}

void msg_unlink(ipc_namespace& ns, msg_queue& queue, msg_msg& message) {
    message.m_list.unlink();
    --queue.q_qnum;
    queue.q_cbytes -= message.m_ts;
    --ns.msg_hdrs;
    ns.msg_bytes -= message.m_ts;
}

void expunge_all(msg_queue& queue, Errno why) {
    while (msg_receiver* receiver = queue.q_receivers.pop_front()) {
        receiver->error = why;
        receiver->done = true;
        wake_up_all(receiver->wait);
    }
}

void ss_wakeup(msg_queue& queue, bool removed) {
    while (msg_sender* sender = queue.q_senders.pop_front()) {
        sender->removed = removed;
        sender->done = true;
        wake_up_all(sender->wait);
    }
}

void freeque(ipc_namespace& ns, msg_queue& queue) {
    expunge_all(queue, Errno::IdRm);
    ss_wakeup(queue, true);
    while (msg_msg* message = queue.q_messages.front()) {
        msg_unlink(ns, queue, *message);
        delete message;
    }
    ipc_rmid(ns.msg_ids, queue);
    delete &queue;
}

Result<long> sys_msgget(int key, int flags) {
    ipc_namespace& ns = *current()->nsproxy->ipc_ns;
    return TRY(ipcget(
        ns.msg_ids, key, flags,
        [&]() -> Result<int> {
            auto queue = TRY(make_owned<msg_queue>());
            queue->q_ctime = ipc_now();
            queue->q_qbytes = static_cast<uint64_t>(ns.limits.msgmnb);
            TRY(ipc_addid(ns.msg_ids, *queue, key, flags, ns.limits.msgmni));
            return queue.leak()->id;
        },
        [](const kern_ipc_perm&) { return Result<>(); }));
}

}  // namespace guest
