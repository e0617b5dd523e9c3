// futex and robust lists.
#include "guest/kernel/futex.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// Of `timeout`, absolute in the clock that is asked for, or relative. No timeout: for ever.
Result<FutexDeadline> deadline_at(UserPtr<const abi::Timespec> timeout, bool realtime) {
    if (!timeout) return FutexDeadline{};
    return FutexDeadline{TRY(timespec_to_ns(TRY(get_user(timeout)))), realtime};
}
Result<FutexDeadline> deadline_in(UserPtr<const abi::Timespec> timeout) {
    if (!timeout) return FutexDeadline{};
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(timeout))));
    const uint64_t now = ktime_get();
    return FutexDeadline{ns < kFutexNoTimeout - 1 - now ? now + ns : kFutexNoTimeout - 1, false};
}

Result<long> wait_with_restart(UserPtr<uint32_t> address, bool shared, uint32_t value, FutexDeadline deadline,
                               uint32_t bitset);

constexpr uint64_t kShared = 1, kRealtime = 2;  // words[2]

Result<long> futex_wait_restart(restart_block& block) {
    const FutexDeadline deadline{block.expires, (block.words[2] & kRealtime) != 0};
    return wait_with_restart(UserPtr<uint32_t>(block.words[0]), (block.words[2] & kShared) != 0,
                             static_cast<uint32_t>(block.words[1]), deadline,
                             static_cast<uint32_t>(block.words[1] >> 32));
}

// A wait with a time-out goes on after a stop with the same deadline, and ends when a handler has run.
Result<long> wait_with_restart(UserPtr<uint32_t> address, bool shared, uint32_t value, FutexDeadline deadline,
                               uint32_t bitset) {
    Result<long> outcome = futex_wait(address, shared, value, deadline, bitset);
    if (outcome.ok() || outcome.error() != Errno::RestartSys || !deadline.is_set()) return outcome;
    restart_block& block = current()->restart;
    block.fn = futex_wait_restart;
    block.expires = deadline.ns;
    block.words[0] = address.raw();
    block.words[1] = value | uint64_t{bitset} << 32;
    block.words[2] = (shared ? kShared : 0) | (deadline.realtime ? kRealtime : 0);
    return Errno::RestartRestartBlock;
}

bool may_choose_clock(int command) {
    return command == abi::kFutexWaitBitset || command == abi::kFutexWaitRequeuePi ||
           command == abi::kFutexLockPi2;
}

}  // namespace

Result<long> sys_futex(UserPtr<uint32_t> address, int operation, uint32_t value, uint64_t timeout_or_count,
                       UserPtr<uint32_t> other, uint32_t value3) {
    const int command = operation & abi::kFutexCmdMask;
    const bool shared = (operation & abi::kFutexPrivateFlag) == 0;
    const bool realtime = (operation & abi::kFutexClockRealtime) != 0;
    if (realtime && !may_choose_clock(command)) return Errno::NoSys;
    const UserPtr<const abi::Timespec> timeout(timeout_or_count);
    const auto count = static_cast<int>(value);
    const auto second_count = static_cast<int>(timeout_or_count);
    switch (command) {
        case abi::kFutexWait:
            return wait_with_restart(address, shared, value, TRY(deadline_in(timeout)),
                                     abi::kFutexBitsetMatchAny);
        case abi::kFutexWaitBitset:
            return wait_with_restart(address, shared, value, TRY(deadline_at(timeout, realtime)), value3);
        case abi::kFutexWake:
            return futex_wake(address, shared, count, abi::kFutexBitsetMatchAny);
        case abi::kFutexWakeBitset:
            return futex_wake(address, shared, count, value3);
        case abi::kFutexRequeue:
            return futex_requeue(address, shared, count, other, second_count, nullptr);
        case abi::kFutexCmpRequeue:
            return futex_requeue(address, shared, count, other, second_count, &value3);
        case abi::kFutexWakeOp:
            return futex_wake_op(address, shared, count, other, second_count, value3);
        case abi::kFutexLockPi:
            return futex_lock_pi(address, shared, TRY(deadline_at(timeout, true)), PiTry::No);
        case abi::kFutexLockPi2:
            return futex_lock_pi(address, shared, TRY(deadline_at(timeout, realtime)), PiTry::No);
        case abi::kFutexTrylockPi:
            return futex_lock_pi(address, shared, {}, PiTry::Yes);
        case abi::kFutexUnlockPi:
            return futex_unlock_pi(address, shared);
        case abi::kFutexWaitRequeuePi:
            return futex_wait_requeue_pi(address, shared, value, TRY(deadline_at(timeout, realtime)), other);
        case abi::kFutexCmpRequeuePi:
            return futex_requeue_pi(address, shared, count, other, second_count, value3);
        default:
            return Errno::NoSys;
    }
}

namespace {

// Inval: a size, flag or value that no futex has.
Result<FutexWord> copy_waitv(UserPtr<const abi::FutexWaitv> from) {
    const abi::FutexWaitv given = TRY(get_user(from));
    const uint32_t known = abi::kFutex2SizeMask | abi::kFutex2Private;
    if ((given.flags & ~known) != 0 || given.reserved != 0) return Errno::Inval;
    if ((given.flags & abi::kFutex2SizeMask) != abi::kFutex2SizeU32 || given.val >> 32 != 0)
        return Errno::Inval;
    return FutexWord{UserPtr<uint32_t>(given.uaddr), static_cast<uint32_t>(given.val),
                     (given.flags & abi::kFutex2Private) == 0};
}

}  // namespace

Result<long> sys_futex_waitv(UserPtr<const abi::FutexWaitv> waiters, uint32_t count, uint32_t flags,
                             UserPtr<const abi::Timespec> timeout, int clock) {
    if (flags != 0 || count == 0 || count > abi::kFutexWaitvMax || !waiters) return Errno::Inval;
    const auto id = static_cast<abi::ClockId>(clock);
    if (timeout && id != abi::ClockId::Monotonic && id != abi::ClockId::Realtime) return Errno::Inval;
    const FutexDeadline deadline = TRY(deadline_at(timeout, id == abi::ClockId::Realtime));
    const KBuffer memory = TRY(KBuffer::allocate(count * sizeof(FutexWord)));
    auto* words = reinterpret_cast<FutexWord*>(memory.data());
    for (uint32_t i = 0; i < count; ++i) words[i] = TRY(copy_waitv(waiters + i));
    return futex_wait_multiple(words, count, deadline);
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
        if (!ptrace_may_access(*task)) return Errno::Perm;
        where = task->robust_list.raw();
    }
    TRY(put_user(bytes, uint64_t{kRobustListHeadSize}));
    TRY(put_user(head, where));
    return 0;
}

}  // namespace guest
