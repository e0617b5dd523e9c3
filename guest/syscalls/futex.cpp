// futex and robust lists.
#include "guest/kernel/futex.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// Relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET; the result is of CLOCK_MONOTONIC.
Result<uint64_t> wait_deadline(UserPtr<const abi::Timespec> timeout, bool absolute, bool realtime) {
    if (!timeout) return kFutexNoTimeout;
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(timeout))));
    const uint64_t now = ktime_get();
    if (!absolute) return ns < kFutexNoTimeout - 1 - now ? now + ns : kFutexNoTimeout - 1;
    const uint64_t offset = realtime ? ktime_get_real() - now : 0;
    return ns > offset ? ns - offset : 0;
}

Result<long> wait_with_restart(UserPtr<uint32_t> address, bool shared, uint32_t value, uint64_t deadline,
                               uint32_t bitset);

Result<long> futex_wait_restart(restart_block& block) {
    return wait_with_restart(UserPtr<uint32_t>(block.words[0]), block.words[2] != 0,
                             static_cast<uint32_t>(block.words[1]), block.expires,
                             static_cast<uint32_t>(block.words[1] >> 32));
}

// A wait with a time-out goes on after a stop with the same deadline, and ends when a handler has run.
Result<long> wait_with_restart(UserPtr<uint32_t> address, bool shared, uint32_t value, uint64_t deadline,
                               uint32_t bitset) {
    Result<long> outcome = futex_wait(address, shared, value, deadline, bitset);
    if (outcome.ok() || outcome.error() != Errno::RestartSys || deadline == kFutexNoTimeout) return outcome;
    restart_block& block = current()->restart;
    block.fn = futex_wait_restart;
    block.expires = deadline;
    block.words[0] = address.raw();
    block.words[1] = value | uint64_t{bitset} << 32;
    block.words[2] = shared ? 1 : 0;
    return Errno::RestartRestartBlock;
}

}  // namespace

Result<long> sys_futex(UserPtr<uint32_t> address, int operation, uint32_t value, uint64_t timeout_or_count,
                       UserPtr<uint32_t> other, uint32_t value3) {
    const int command = operation & abi::kFutexCmdMask;
    const bool shared = (operation & abi::kFutexPrivateFlag) == 0;
    const bool realtime = (operation & abi::kFutexClockRealtime) != 0;
    const UserPtr<const abi::Timespec> timeout(timeout_or_count);
    const auto count = static_cast<int>(value);
    const auto second_count = static_cast<int>(timeout_or_count);
    switch (command) {
        case abi::kFutexWait:
        case abi::kFutexWaitBitset: {
            const bool with_bitset = command == abi::kFutexWaitBitset;
            const uint32_t bitset = with_bitset ? value3 : abi::kFutexBitsetMatchAny;
            const uint64_t deadline = TRY(wait_deadline(timeout, with_bitset, realtime));
            return wait_with_restart(address, shared, value, deadline, bitset);
        }
        case abi::kFutexWake:
            return futex_wake(address, shared, count, abi::kFutexBitsetMatchAny);
        case abi::kFutexWakeBitset:
            return futex_wake(address, shared, count, value3);
        case abi::kFutexRequeue:
            return futex_requeue(address, shared, count, other, second_count, nullptr);
        case abi::kFutexCmpRequeue:
            return futex_requeue(address, shared, count, other, second_count, &value3);
        default:
            return Errno::NoSys;
    }
}

namespace {
constexpr size_t kRobustListHeadSize = 24;
}

Result<long> sys_set_robust_list(UserPtr<void> head, size_t bytes) {
    if (bytes != kRobustListHeadSize) return Errno::Inval;
    current()->robust_list = head;
    return 0;
}

Result<long> sys_get_robust_list(int nr, UserPtr<uint64_t> head, UserPtr<uint64_t> bytes) {
    uint64_t where = 0;
    {
        const spinlock_guard guard(tasklist_lock);
        const task_struct* task = nr == 0 ? current() : find_task_by_vpid(nr);
        if (task == nullptr) return Errno::Srch;
        where = task->robust_list.raw();
    }
    TRY(put_user(bytes, uint64_t{kRobustListHeadSize}));
    TRY(put_user(head, where));
    return 0;
}

}  // namespace guest
