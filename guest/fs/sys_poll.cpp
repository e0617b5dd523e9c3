// poll and ppoll.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll_queues.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/timeout.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

uint32_t poll_one(poll_queues& queues, const abi::Pollfd& fd) {
    if (fd.fd < 0) return 0;
    const RefPtr<file> f = fget(*current()->files, fd.fd);
    if (!f) return abi::kPollNval;
    return queues.ask(*f, static_cast<uint16_t>(fd.events));
}

// How many are ready. RestartNoHand when a signal came first; ns: what was left.
Result<long> wait_for_any(abi::Pollfd* fds, size_t count, uint64_t& ns) {
    poll_queues queues;
    for (;;) {
        long ready = 0;
        for (size_t i = 0; i < count; ++i) {
            const uint32_t events = poll_one(queues, fds[i]);
            fds[i].revents = static_cast<int16_t>(events);
            if (events != 0) {
                ++ready;
                queues.stop_joining();
            }
        }
        if (ready != 0 || ns == 0) return ready;
        if (queues.out_of_memory()) return Errno::NoMem;
        if (signal_pending(current())) return Errno::RestartNoHand;
        queues.stop_joining();
        ns = queues.sleep(ns);
    }
}

Result<long> do_poll(UserPtr<abi::Pollfd> user_fds, uint32_t count, uint64_t& ns) {
    if (count > nofile_limit()) return Errno::Inval;
    const size_t bytes = count * sizeof(abi::Pollfd);
    KBuffer memory = TRY(KBuffer::allocate(bytes));
    TRY(copy_from_user(memory.data(), user_fds, bytes));
    auto* fds = reinterpret_cast<abi::Pollfd*>(memory.data());
    const long ready = TRY(wait_for_any(fds, count, ns));
    TRY(copy_to_user(user_fds, fds, bytes));
    return ready;
}

Result<long> poll_until(UserPtr<abi::Pollfd> fds, uint32_t count, uint64_t deadline);

Result<long> poll_restart(restart_block& block) {
    return poll_until(UserPtr<abi::Pollfd>(block.words[0]), static_cast<uint32_t>(block.words[1]),
                      block.expires);
}

// deadline: ns, CLOCK_MONOTONIC. After a stop the call goes on with the time that is left; after a handler it
// has failed.
Result<long> poll_until(UserPtr<abi::Pollfd> fds, uint32_t count, uint64_t deadline) {
    uint64_t ns = kNoTimeout;
    if (deadline != kNoTimeout) {
        const uint64_t now = ktime_get();
        ns = deadline > now ? deadline - now : 0;
    }
    Result<long> ready = do_poll(fds, count, ns);
    if (ready.ok() || ready.error() != Errno::RestartNoHand) return ready;
    restart_block& block = current()->restart;
    block.fn = poll_restart;
    block.expires = deadline;
    block.words[0] = fds.raw();
    block.words[1] = count;
    return Errno::RestartRestartBlock;
}

}  // namespace

Result<long> sys_poll(UserPtr<abi::Pollfd> fds, uint32_t count, int timeout_ms) {
    if (timeout_ms < 0) return poll_until(fds, count, kNoTimeout);
    return poll_until(fds, count, ktime_get() + static_cast<uint64_t>(timeout_ms) * 1'000'000);
}

Result<long> sys_ppoll(UserPtr<abi::Pollfd> fds, uint32_t count, UserPtr<abi::Timespec> timeout,
                       UserPtr<const abi::SigSet> mask, size_t mask_bytes) {
    uint64_t ns = TRY(timeout_from(timeout));
    TemporarySigmask sigmask;
    TRY(sigmask.install(mask.raw(), mask_bytes));
    Result<long> ready = do_poll(fds, count, ns);
    sigmask.finish(!ready.ok() && ready.error() == Errno::RestartNoHand);
    timeout_left(timeout, ns);
    return ready;
}

}  // namespace guest
