// The system calls of POSIX message queues.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/inode.hpp"
#include "guest/ipc/mqueue.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// How long until that moment of CLOCK_REALTIME: 0 if it is past. Inval, Fault.
Result<uint64_t> time_until(UserPtr<const abi::Timespec> deadline) {
    if (!deadline) return kNoTimeout;
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(deadline))));
    const uint64_t now = ktime_get_real();
    return ns > now ? ns - now : 0;
}

// A queue that current may use that way (file::kRead, kWrite). BadF.
Result<RefPtr<file>> queue_file(int fd, uint32_t mode) {
    RefPtr<file> f = TRY(current_file(fd));
    TRY(mqueue_of(*f));
    if ((f->f_mode & mode) != mode) return Errno::BadF;
    return f;
}

// What can be told by that. The kernel tells a SIGEV_THREAD of the C library through a netlink socket, which
// there is none of.
Result<> check_notification(const abi::Sigevent& event) {
    constexpr size_t kCookieBytes = 32;
    switch (static_cast<abi::SigevNotify>(event.notify)) {
        case abi::SigevNotify::None:
            return {};
        case abi::SigevNotify::Signal:
            if (event.signo < 0 || event.signo > abi::kNsig) return Errno::Inval;
            return {};
        case abi::SigevNotify::Thread: {
            char cookie[kCookieBytes];
            TRY(copy_from_user(cookie, VirtAddr(event.value.pointer), sizeof(cookie)));
            (void)TRY(current_file(event.signo));
            return Errno::NotSock;
        }
        default:
            return Errno::Inval;
    }
}

}  // namespace

Result<long> sys_mq_open(UserPtr<const char> name, int flags, uint32_t mode,
                         UserPtr<const abi::MqAttr> attr) {
    abi::MqAttr wanted{};
    if (attr) wanted = TRY(get_user(attr));
    const KBuffer text = TRY(getname(name));
    // Queue descriptors do not outlive execve.
    ReservedFd fd = TRY(reserve_fd(abi::kOCloExec));
    const auto how = static_cast<uint32_t>(flags);
    return fd.install(
        TRY(mqueue_open(text.data(), how, mode & ~current()->fs->umask, attr ? &wanted : nullptr)));
}

Result<long> sys_mq_unlink(UserPtr<const char> name) {
    const KBuffer text = TRY(getname(name));
    TRY(mqueue_unlink(text.data()));
    return 0;
}

Result<long> sys_mq_timedsend(int fd, VirtAddr from, size_t bytes, uint32_t priority,
                              UserPtr<const abi::Timespec> deadline) {
    const uint64_t ns = TRY(time_until(deadline));
    if (priority >= abi::kMqPrioMax) return Errno::Inval;
    const RefPtr<file> f = TRY(queue_file(fd, file::kWrite));
    mqueue_inode_info& info = *TRY(mqueue_of(*f));
    if (bytes > static_cast<uint64_t>(info.attr.mq_msgsize)) return Errno::MsgSize;
    OwnPtr<msg_msg> message = TRY(load_msg(from, bytes));
    message->m_type = priority;
    TRY(mqueue_send(info, message, f->nonblocking(), ns));
    inode_update_mtime(f->node());
    return 0;
}

Result<long> sys_mq_timedreceive(int fd, VirtAddr to, size_t bytes, UserPtr<uint32_t> priority,
                                 UserPtr<const abi::Timespec> deadline) {
    const uint64_t ns = TRY(time_until(deadline));
    const RefPtr<file> f = TRY(queue_file(fd, file::kRead));
    mqueue_inode_info& info = *TRY(mqueue_of(*f));
    if (bytes < static_cast<uint64_t>(info.attr.mq_msgsize)) return Errno::MsgSize;
    const OwnPtr<msg_msg> message = TRY(mqueue_receive(info, f->nonblocking(), ns));
    inode_update_atime(f->node());
    // A message that the program's memory refuses is gone.
    if (priority) TRY(put_user(priority, static_cast<uint32_t>(message->m_type)));
    TRY(copy_to_user(to, message->data(), message->m_ts));
    return static_cast<long>(message->m_ts);
}

Result<long> sys_mq_notify(int fd, UserPtr<const abi::Sigevent> event) {
    abi::Sigevent wanted{};
    if (event) {
        wanted = TRY(get_user(event));
        TRY(check_notification(wanted));
    }
    const RefPtr<file> f = TRY(queue_file(fd, 0));
    mqueue_inode_info& info = *TRY(mqueue_of(*f));
    const RefPtr<pid>& me = current()->group_leader->thread_pid;
    const spinlock_guard guard(info.lock);
    if (!event) {
        if (info.notify_owner == me) remove_notification(info);
        return 0;
    }
    if (info.notify_owner) return Errno::Busy;
    info.notify_owner = me;
    info.notify = wanted;
    return 0;
}

Result<long> sys_mq_getsetattr(int fd, UserPtr<const abi::MqAttr> fresh, UserPtr<abi::MqAttr> old) {
    abi::MqAttr wanted{};
    if (fresh) {
        wanted = TRY(get_user(fresh));
        if ((wanted.mq_flags & ~int64_t{abi::kONonBlock}) != 0) return Errno::Inval;
    }
    const RefPtr<file> f = TRY(queue_file(fd, 0));
    mqueue_inode_info& info = *TRY(mqueue_of(*f));
    abi::MqAttr shown;
    {
        const spinlock_guard guard(info.lock);
        shown = info.attr;
        shown.mq_flags = f->f_flags & abi::kONonBlock;
    }
    if (fresh) {
        const spinlock_guard guard(f->f_lock);
        f->f_flags =
            (f->f_flags & ~abi::kONonBlock) | (static_cast<uint32_t>(wanted.mq_flags) & abi::kONonBlock);
    }
    if (old) TRY(put_user(old, shown));
    return 0;
}

}  // namespace guest
