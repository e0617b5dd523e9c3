// System V message queues.
#pragma once

#include <stdint.h>

#include "guest/ipc/ids.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/list.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct ipc_namespace;

// One message; its bytes follow it. Also POSIX queues hold these.
struct msg_msg {
    list_head m_list;
    int64_t m_type = 0;  // of a POSIX queue: the priority
    size_t m_ts = 0;     // bytes
    [[nodiscard]] char* data() { return reinterpret_cast<char*>(this + 1); }

    static void operator delete(void* memory) noexcept { kfree(memory); }
    static void* operator new(size_t, void* where) noexcept { return where; }
};
// An empty message with room. NoMem.
Result<OwnPtr<msg_msg>> alloc_msg(size_t bytes);
// With the program's bytes in it. NoMem, Fault.
Result<OwnPtr<msg_msg>> load_msg(VirtAddr from, size_t bytes);

// Which message is wanted.
enum class MsgSearch : uint8_t { Any, Equal, NotEqual, LessEqual, Number };

// One call of msgrcv that waits, on its task's stack. Gets a message, or an error, from whoever takes it off.
struct msg_receiver {
    list_head node;
    int64_t type = 0;
    MsgSearch mode = MsgSearch::Any;
    size_t max_bytes = 0;  // a longer message is TooBig for it
    pid_nr_t pid = 0;
    msg_msg* message = nullptr;
    volatile bool done = false;
    Errno error = Errno::Again;  // without a message; Again: look again
    wait_queue_head wait;
};

// One call of msgsnd that waits for room.
struct msg_sender {
    list_head node;
    volatile bool done = false;
    bool removed = false;  // the queue is gone
    wait_queue_head wait;
};

struct msg_queue : kern_ipc_perm {
    KMEM_CACHED()
    msg_queue() = default;
    msg_queue(const msg_queue&) = delete;
    msg_queue& operator=(const msg_queue&) = delete;

    int64_t q_stime = 0, q_rtime = 0, q_ctime = 0;  // s, of the last msgsnd, msgrcv and change
    uint64_t q_cbytes = 0;                          // in the queue
    uint64_t q_qnum = 0;
    uint64_t q_qbytes = 0;  // limit
    pid_nr_t q_lspid = 0, q_lrpid = 0;
    IntrusiveList<msg_msg, &msg_msg::m_list> q_messages;
    IntrusiveList<msg_receiver, &msg_receiver::node> q_receivers;
    IntrusiveList<msg_sender, &msg_sender::node> q_senders;
};

// All of these want the lock of the queues' ipc_ids held.

Result<msg_queue*> msq_obtain_object(const ipc_namespace& ns, int msqid);
// Takes a message out of the books; it is the caller's.
void msg_unlink(ipc_namespace& ns, msg_queue& queue, msg_msg& message);
// Ends the wait of all receivers. Again: they look for a message once more.
void expunge_all(msg_queue& queue, Errno why);
// There may be room: all senders look again.
void ss_wakeup(msg_queue& queue, bool removed);
// IPC_RMID
void freeque(ipc_namespace& ns, msg_queue& queue);

}  // namespace guest
