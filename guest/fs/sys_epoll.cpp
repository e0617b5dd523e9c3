// epoll_create, epoll_ctl, epoll_wait and their variants.
#include "guest/fs/eventpoll.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll_queues.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/timeout.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr int kMaxEvents = static_cast<int>(0x7fffffff / sizeof(abi::EpollEvent));

// What goes together with EPOLLEXCLUSIVE.
constexpr uint32_t kExclusiveOk = abi::kPollIn | abi::kPollOut | abi::kPollErr | abi::kPollHup |
                                  abi::kEpollWakeUp | abi::kEpollEt | abi::kEpollExclusive;

// Waits until something that is watched is ready. How many events; 0 when ns ran out. Intr, Fault.
Result<long> ep_poll(eventpoll& ep, UserPtr<abi::EpollEvent> to, int max, uint64_t ns) {
    for (;;) {
        if (ep_events_available(ep)) {
            const long sent = TRY(ep_send_events(ep, to, max));
            if (sent != 0) return sent;
        }
        if (ns == 0) return 0;
        if (signal_pending(current())) return Errno::Intr;
        // Who is woken goes round once more before it gives up: nobody else was woken for that event.
        wait_queue_entry entry;
        entry.exclusive = true;
        prepare_to_wait(ep.wq, entry, TaskState::Interruptible);
        if (!ep_events_available(ep)) {
            if (ns == kNoTimeout) {
                schedule();
            } else {
                ns = schedule_timeout(ns);
            }
        }
        finish_wait(ep.wq, entry);
    }
}

Result<long> do_epoll_wait(int epfd, UserPtr<abi::EpollEvent> to, int max, uint64_t ns) {
    const RefPtr<file> f = TRY(current_file(epfd));
    if (max <= 0 || max > kMaxEvents) return Errno::Inval;
    if (!access_ok(to.address(), static_cast<size_t>(max) * sizeof(abi::EpollEvent))) return Errno::Fault;
    eventpoll* ep = eventpoll_of(*f);
    if (ep == nullptr) return Errno::Inval;
    return ep_poll(*ep, to, max, ns);
}

Result<long> do_epoll_pwait(int epfd, UserPtr<abi::EpollEvent> to, int max, uint64_t ns,
                            UserPtr<const abi::SigSet> mask, size_t mask_bytes) {
    TemporarySigmask sigmask;
    TRY(sigmask.install(mask.raw(), mask_bytes));
    Result<long> sent = do_epoll_wait(epfd, to, max, ns);
    sigmask.finish(!sent.ok() && sent.error() == Errno::Intr);
    return sent;
}

uint64_t ms_to_ns(int ms) { return ms < 0 ? kNoTimeout : static_cast<uint64_t>(ms) * 1'000'000; }

// An exclusive item is made so and stays so, and does not nest.
Result<> check_exclusive(int op, const file& target, uint32_t events) {
    if (op == abi::kEpollCtlDel || (events & abi::kEpollExclusive) == 0) return {};
    if (op == abi::kEpollCtlMod) return Errno::Inval;
    if (op == abi::kEpollCtlAdd && (eventpoll_of(target) != nullptr || (events & ~kExclusiveOk) != 0))
        return Errno::Inval;
    return {};
}

}  // namespace

Result<long> sys_epoll_create1(uint32_t flags) {
    if ((flags & ~abi::kOCloExec) != 0) return Errno::Inval;
    return eventpoll_getfd(flags);
}

Result<long> sys_epoll_create(int size) {
    if (size <= 0) return Errno::Inval;
    return eventpoll_getfd(0);
}

Result<long> sys_epoll_ctl(int epfd, int op, int fd, UserPtr<const abi::EpollEvent> event) {
    abi::EpollEvent wanted{};
    if (op != abi::kEpollCtlDel) wanted = TRY(get_user(event));
    const RefPtr<file> f = TRY(current_file(epfd));
    const RefPtr<file> target = TRY(current_file(fd));
    if (target->f_op->poll == nullptr) return Errno::Perm;
    // Nothing suspends this machine, so that EPOLLWAKEUP keeps nothing awake.
    wanted.events &= ~abi::kEpollWakeUp;
    eventpoll* ep = eventpoll_of(*f);
    if (ep == nullptr || f == target) return Errno::Inval;
    TRY(check_exclusive(op, *target, wanted.events));
    TRY(eventpoll_ctl(*ep, op, *target, fd, wanted));
    return 0;
}

Result<long> sys_epoll_wait(int epfd, UserPtr<abi::EpollEvent> to, int max, int timeout_ms) {
    return do_epoll_wait(epfd, to, max, ms_to_ns(timeout_ms));
}

Result<long> sys_epoll_pwait(int epfd, UserPtr<abi::EpollEvent> to, int max, int timeout_ms,
                             UserPtr<const abi::SigSet> mask, size_t mask_bytes) {
    return do_epoll_pwait(epfd, to, max, ms_to_ns(timeout_ms), mask, mask_bytes);
}

Result<long> sys_epoll_pwait2(int epfd, UserPtr<abi::EpollEvent> to, int max, UserPtr<abi::Timespec> timeout,
                              UserPtr<const abi::SigSet> mask, size_t mask_bytes) {
    return do_epoll_pwait(epfd, to, max, TRY(timeout_from(timeout)), mask, mask_bytes);
}

}  // namespace guest
