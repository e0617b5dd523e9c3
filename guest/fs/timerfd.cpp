// timerfd: a timer that is read, and waited for, as a file.
#include "guest/fs/timerfd.hpp"

#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

struct timerfd_ctx {
    clock_ref clock;
    wait_queue_head wqh;  // its lock guards all below
    timer_list timer;
    uint64_t interval = 0;  // ns; 0: goes off once
    uint64_t ticks = 0;     // expirations that were not read
    bool cancel_on_set = false;
    bool canceled = false;  // the clock was set, and the reader does not know yet
    list_head contexts;     // in all_contexts
};

// All of them. Guarded by contexts_lock, which comes before a context's own.
constinit spinlock_t contexts_lock;
constinit IntrusiveList<timerfd_ctx, &timerfd_ctx::contexts> all_contexts;

timerfd_ctx& ctx_of(const file& f) { return *static_cast<timerfd_ctx*>(f.private_data); }

void timerfd_fn(timer_list& timer) {
    auto& ctx = *static_cast<timerfd_ctx*>(timer.data);
    {
        const spinlock_guard guard(ctx.wqh.lock);
        uint64_t times = 1;
        if (ctx.interval != 0) {
            const uint64_t now = ktime_get();
            if (now > timer.expires) times += (now - timer.expires) / ctx.interval;
            timer.expires = after_intervals(timer.expires, ctx.interval, times);
            add_timer(timer);
        }
        ctx.ticks += times;
    }
    wake_up_poll(ctx.wqh, abi::kPollIn);
}

// The expirations so far; 0 if there is nothing to tell. Canceled: the clock was set.
Result<uint64_t> take(timerfd_ctx& ctx) {
    const spinlock_guard guard(ctx.wqh.lock);
    if (ctx.canceled) {
        ctx.canceled = false;
        ctx.ticks = 0;
        return Errno::Canceled;
    }
    const uint64_t ticks = ctx.ticks;
    ctx.ticks = 0;
    return ticks;
}

Result<size_t> timerfd_read(file& f, iov_iter& to, abi::loff_t&) {
    timerfd_ctx& ctx = ctx_of(f);
    if (to.count() < sizeof(uint64_t)) return Errno::Inval;
    uint64_t ticks = TRY(take(ctx));
    while (ticks == 0) {
        if (f.nonblocking()) return Errno::Again;
        TRY(wait_event_interruptible(ctx.wqh, ctx.ticks != 0 || ctx.canceled));
        ticks = TRY(take(ctx));
    }
    if (to.copy_to(&ticks, sizeof(ticks)) < sizeof(ticks)) return Errno::Fault;
    return sizeof(ticks);
}

uint32_t timerfd_poll(file& f, poll_table* table) {
    timerfd_ctx& ctx = ctx_of(f);
    poll_wait(f, ctx.wqh, table);
    const spinlock_guard guard(ctx.wqh.lock);
    return ctx.ticks != 0 || ctx.canceled ? abi::kPollIn | abi::kPollRdNorm : 0;
}

void timerfd_release(inode&, file& f) {
    timerfd_ctx& ctx = ctx_of(f);
    del_timer(ctx.timer);
    {
        const spinlock_guard guard(contexts_lock);
        ctx.contexts.unlink();
    }
    delete &ctx;
}

constexpr file_operations kTimerfdOperations{
    .llseek = noop_llseek, .read = timerfd_read, .poll = timerfd_poll, .release = timerfd_release};

Result<RefPtr<file>> timerfd_file(int fd) {
    RefPtr<file> f = TRY(current_file(fd));
    if (f->f_op != &kTimerfdOperations) return Errno::Inval;
    return f;
}

// The context is locked.
abi::Itimerspec left_of(const timerfd_ctx& ctx) {
    uint64_t left = 0;
    if (timer_pending(ctx.timer)) {
        const uint64_t now = ktime_get();
        left = ctx.timer.expires > now ? ctx.timer.expires - now : 1;
    }
    return {to_timespec(ctx.interval), to_timespec(left)};
}

// The timer was stopped. value: ns, not 0.
void start(timerfd_ctx& ctx, uint64_t value, bool absolute) {
    const uint64_t now = ktime_get();
    const bool real = absolute && is_realtime(ctx.clock);
    const uint64_t ahead = real ? ktime_get_real() - now : 0;
    ctx.timer.function = timerfd_fn;
    ctx.timer.data = &ctx;
    ctx.timer.follows_realtime = real;
    const uint64_t relative = value < kNoTimeout - now ? now + value : kNoTimeout;
    ctx.timer.expires = !absolute ? relative : value > ahead ? value - ahead : 0;
    add_timer(ctx.timer);
}

}  // namespace

void timerfd_clock_was_set() {
    const spinlock_guard contexts_guard(contexts_lock);
    for (timerfd_ctx& ctx : all_contexts) {
        {
            const spinlock_guard guard(ctx.wqh.lock);
            if (!ctx.cancel_on_set) continue;
            ctx.canceled = true;
        }
        wake_up_all(ctx.wqh);
    }
}

Result<long> sys_timerfd_create(int clock, uint32_t flags) {
    if ((flags & ~(abi::kONonBlock | abi::kOCloExec)) != 0) return Errno::Inval;
    const clock_ref found = TRY(find_clock(clock));
    const bool fits = is_alarm(found) || (has_timers(found) && found.id != abi::ClockId::Tai);
    if (found.cpu || !fits) return Errno::Inval;
    if (is_alarm(found) && !capable(kCapWakeAlarm)) return Errno::Perm;
    auto ctx = TRY(make_owned<timerfd_ctx>());
    ctx->clock = found;
    {
        const spinlock_guard guard(contexts_lock);
        all_contexts.push_back(*ctx);
    }
    // From the moment at which it has a descriptor, any thread may close it.
    Result<long> fd = anon_inode_getfd("[timerfd]", kTimerfdOperations, ctx.get(), abi::kORdWr | flags);
    if (fd.ok()) {
        (void)ctx.leak();
        return fd;
    }
    const spinlock_guard guard(contexts_lock);
    ctx->contexts.unlink();
    return fd;
}

Result<long> sys_timerfd_settime(int fd, int flags, UserPtr<const abi::Itimerspec> in,
                                 UserPtr<abi::Itimerspec> out) {
    const abi::Itimerspec given = TRY(get_user(in));
    if ((flags & ~(abi::kTimerAbstime | abi::kTimerCancelOnSet)) != 0) return Errno::Inval;
    const uint64_t interval = TRY(timespec_to_ns(given.interval));
    const uint64_t value = TRY(timespec_to_ns(given.value));
    const RefPtr<file> f = TRY(timerfd_file(fd));
    timerfd_ctx& ctx = ctx_of(*f);
    const bool absolute = (flags & abi::kTimerAbstime) != 0;
    abi::Itimerspec old{};
    bool canceled = false;
    {
        const spinlock_guard guard(ctx.wqh.lock);
        old = left_of(ctx);
        del_timer(ctx.timer);
        ctx.interval = interval;
        ctx.ticks = 0;
        ctx.cancel_on_set = absolute && is_realtime(ctx.clock) && (flags & abi::kTimerCancelOnSet) != 0;
        if (value != 0) start(ctx, value, absolute);
        // A setting of the clock that nobody was told of yet is told now.
        canceled = std::exchange(ctx.canceled, false) && ctx.cancel_on_set && value != 0;
    }
    if (canceled) return Errno::Canceled;
    if (out) TRY(put_user(out, old));
    return 0;
}

Result<long> sys_timerfd_gettime(int fd, UserPtr<abi::Itimerspec> out) {
    const RefPtr<file> f = TRY(timerfd_file(fd));
    abi::Itimerspec left{};
    {
        const spinlock_guard guard(ctx_of(*f).wqh.lock);
        left = left_of(ctx_of(*f));
    }
    TRY(put_user(out, left));
    return 0;
}

}  // namespace guest
