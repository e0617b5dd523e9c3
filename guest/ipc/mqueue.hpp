// POSIX message queues. A queue is a file of the mqueue file system; a queue descriptor is a descriptor of
// it, which fork inherits (row F11) and poll understands.
#pragma once

#include <stdint.h>

#include "guest/abi/mqueue.hpp"
#include "guest/fs/file.hpp"
#include "guest/ipc/msg.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/wait.hpp"

namespace guest {

// Linux's defaults (/proc/sys/fs/mqueue); CAP_SYS_RESOURCE goes up to the hard ones.
struct mq_limits {
    uint64_t queues_max = 256;
    int64_t msg_max = 10, msgsize_max = 8192;          // the most that the unprivileged may ask for
    int64_t msg_default = 10, msgsize_default = 8192;  // of who asks for nothing, but at most those
};
extern mq_limits mqueue_limits;
inline constexpr int64_t kMqHardMsgMax = 65536, kMqHardMsgSizeMax = 16 * 1024 * 1024;

// One call that waits, on its task's stack: a sender with the message that it wants to be rid of, or a
// receiver with the one that it was given.
struct mq_waiter {
    list_head node;
    msg_msg* message = nullptr;
    volatile bool done = false;
    wait_queue_head wait;
};

struct mqueue_inode_info {
    KMEM_CACHED()
    mqueue_inode_info() = default;
    mqueue_inode_info(const mqueue_inode_info&) = delete;
    mqueue_inode_info& operator=(const mqueue_inode_info&) = delete;
    ~mqueue_inode_info();

    spinlock_t lock;  // everything below but the charge
    abi::MqAttr attr{};
    uint64_t qsize = 0;                                    // bytes of all messages
    IntrusiveList<msg_msg, &msg_msg::m_list> messages;     // by falling priority; the oldest of one first
    IntrusiveList<mq_waiter, &mq_waiter::node> senders;    // only while the queue is full
    IntrusiveList<mq_waiter, &mq_waiter::node> receivers;  // only while it is empty
    wait_queue_head wait_q;                                // poll
    // Whom to tell, once, that a message came to the empty queue; null: nobody.
    RefPtr<pid> notify_owner;
    abi::Sigevent notify{};

    RefPtr<user_struct> user;  // charged for mq_bytes
    uint64_t mq_bytes = 0;
};

extern const file_operations mqueue_file_operations;
// The queue behind f. BadF: f is something else.
Result<mqueue_inode_info*> mqueue_of(const file& f);

// A queue's first state, charged to current's user. attr null: the defaults. Inval, MFile (RLIMIT_MSGQUEUE),
// NoSpc, NoMem.
Result<OwnPtr<mqueue_inode_info>> mqueue_alloc(const abi::MqAttr* attr);

// Takes the message over when it succeeds. ns: how long to wait for room. Again, TimedOut, RestartSys.
Result<> mqueue_send(mqueue_inode_info& info, OwnPtr<msg_msg>& message, bool nonblocking, uint64_t ns);
// The oldest of the highest priority. The same errors.
Result<OwnPtr<msg_msg>> mqueue_receive(mqueue_inode_info& info, bool nonblocking, uint64_t ns);
// Nobody is told any more; lock is held.
void remove_notification(mqueue_inode_info& info);

// The file system: made once at boot. A queue of that name, opened.
void mqueue_init();
Result<RefPtr<file>> mqueue_open(const char* name, uint32_t flags, abi::umode_t mode,
                                 const abi::MqAttr* attr);
Result<> mqueue_unlink(const char* name);

}  // namespace guest
