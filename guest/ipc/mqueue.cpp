// POSIX message queues: their messages, those who wait, and what is charged for them.
#include "guest/ipc/mqueue.hpp"

#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(mqueue_inode_info)

constinit mq_limits mqueue_limits;

namespace {

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

constinit spinlock_t mq_lock;  // the totals
constinit uint64_t mq_queues_count = 0;

// Bytes that Linux counts for a message and for a priority, beside the message itself.
constexpr uint64_t kPerMessage = 48, kPerPriority = 48;

Result<> check_attr(const abi::MqAttr& attr) {
    if (attr.mq_maxmsg <= 0 || attr.mq_msgsize <= 0) return Errno::Inval;
    const bool privileged = capable(kCapSysResource);
    if (attr.mq_maxmsg > (privileged ? kMqHardMsgMax : mqueue_limits.msg_max)) return Errno::Inval;
    if (attr.mq_msgsize > (privileged ? kMqHardMsgSizeMax : mqueue_limits.msgsize_max)) return Errno::Inval;
    return {};
}

uint64_t bytes_of(const abi::MqAttr& attr) {
    const auto messages = static_cast<uint64_t>(attr.mq_maxmsg);
    const uint64_t priorities = messages < abi::kMqPrioMax ? messages : abi::kMqPrioMax;
    return messages * kPerMessage + priorities * kPerPriority +
           messages * static_cast<uint64_t>(attr.mq_msgsize);
}

// lock is held.
void insert(mqueue_inode_info& info, msg_msg& message) {
    msg_msg* before = nullptr;
    for (msg_msg& other : info.messages) {
        if (other.m_type >= message.m_type) continue;
        before = &other;
        break;
    }
    if (before != nullptr) {
        info.messages.insert_before(*before, message);
    } else {
        info.messages.push_back(message);
    }
    ++info.attr.mq_curmsgs;
    info.qsize += message.m_ts;
}

OwnPtr<msg_msg> take_first(mqueue_inode_info& info) {
    msg_msg* first = info.messages.pop_front();
    --info.attr.mq_curmsgs;
    info.qsize -= first->m_ts;
    return OwnPtr<msg_msg>(first);
}

bool is_full(const mqueue_inode_info& info) { return info.attr.mq_curmsgs >= info.attr.mq_maxmsg; }

void finish(mq_waiter& waiter) {
    waiter.done = true;
    wake_up_all(waiter.wait);
}

// Who is to be told, and what: sent without the queue's lock.
struct Notice {
    RefPtr<pid> to;
    siginfo info{};
};

// A message has come to the empty queue. lock is held.
Notice take_notice(mqueue_inode_info& info) {
    Notice notice;
    if (!info.notify_owner) return notice;
    if (static_cast<abi::SigevNotify>(info.notify.notify) == abi::SigevNotify::Signal) {
        notice.info.signo = info.notify.signo;
        notice.info.code = abi::kSiMesgQ;
        notice.info.kill.value = info.notify.value;
        notice.info.kill.uid = current_cred().uid;
        notice.to = info.notify_owner;
    }
    remove_notification(info);
    return notice;
}

void send_notice(Notice& notice) {
    if (!notice.to || notice.info.signo == 0) return;
    const spinlock_guard guard(tasklist_lock);
    task_struct* owner = pid_task(notice.to.get(), PIDTYPE_PID);
    if (owner == nullptr) return;
    notice.info.kill.pid = pid_nr_ns(current()->group_leader->thread_pid.get(), task_active_pid_ns(owner));
    (void)send_sig_info(notice.info.signo, notice.info, owner, SigTarget::Process, SigSource::Kernel).ok();
}

// Sleeps until somebody did what the waiter wants. TimedOut, RestartSys.
Result<> wait_for_turn(mqueue_inode_info& info, mq_waiter& waiter, uint64_t ns) {
    const Result<uint64_t> left = wait_event_interruptible_timeout(waiter.wait, waiter.done, ns);
    const spinlock_guard guard(info.lock);
    if (waiter.done) return {};
    waiter.node.unlink();
    return left.ok() ? Errno::TimedOut : left.error();
}

}  // namespace

mqueue_inode_info::~mqueue_inode_info() {
    while (msg_msg* message = messages.pop_front()) delete message;
    if (!user) return;
    const spinlock_guard guard(mq_lock);
    user->mq_bytes -= mq_bytes;
    --mq_queues_count;
}

Result<OwnPtr<mqueue_inode_info>> mqueue_alloc(const abi::MqAttr* attr) {
    auto info = TRY(make_owned<mqueue_inode_info>());
    info->attr.mq_maxmsg =
        attr != nullptr ? attr->mq_maxmsg : least(mqueue_limits.msg_default, mqueue_limits.msg_max);
    info->attr.mq_msgsize =
        attr != nullptr ? attr->mq_msgsize : least(mqueue_limits.msgsize_default, mqueue_limits.msgsize_max);
    TRY(check_attr(info->attr));
    const uint64_t bytes = bytes_of(info->attr);
    const RefPtr<user_struct>& user = current()->cred->user;
    const bool privileged = capable(kCapSysResource);
    const spinlock_guard guard(mq_lock);
    if (mq_queues_count >= mqueue_limits.queues_max && !privileged) return Errno::NoSpc;
    if (user->mq_bytes + bytes > rlimit(abi::Rlimit::MsgQueue)) return Errno::MFile;
    user->mq_bytes += bytes;
    ++mq_queues_count;
    info->user = user;
    info->mq_bytes = bytes;
    return info;
}

void remove_notification(mqueue_inode_info& info) { info.notify_owner.reset(); }

Result<> mqueue_send(mqueue_inode_info& info, OwnPtr<msg_msg>& message, bool nonblocking, uint64_t ns) {
    mq_waiter waiter;
    Notice notice;
    {
        const spinlock_guard guard(info.lock);
        if (is_full(info)) {
            if (nonblocking) return Errno::Again;
            waiter.message = message.get();
            info.senders.push_back(waiter);
        } else if (mq_waiter* receiver = info.receivers.pop_front()) {
            receiver->message = message.leak();
            finish(*receiver);
        } else {
            insert(info, *message.leak());
            if (info.attr.mq_curmsgs == 1) notice = take_notice(info);
            wake_up_all(info.wait_q);
        }
    }
    if (message) {
        TRY(wait_for_turn(info, waiter, ns));
        (void)message.leak();  // a receiver put it into the queue
    }
    send_notice(notice);
    return {};
}

Result<OwnPtr<msg_msg>> mqueue_receive(mqueue_inode_info& info, bool nonblocking, uint64_t ns) {
    mq_waiter waiter;
    {
        const spinlock_guard guard(info.lock);
        if (!info.messages.empty()) {
            OwnPtr<msg_msg> first = take_first(info);
            if (mq_waiter* sender = info.senders.pop_front()) {
                insert(info, *sender->message);
                finish(*sender);
            } else {
                wake_up_all(info.wait_q);
            }
            return first;
        }
        if (nonblocking) return Errno::Again;
        info.receivers.push_back(waiter);
    }
    TRY(wait_for_turn(info, waiter, ns));
    return OwnPtr<msg_msg>(waiter.message);
}

}  // namespace guest
