// eventfd: a counter that can be waited for.
#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

constexpr uint32_t kEfdSemaphore = 1;
constexpr uint64_t kMaxCount = ~uint64_t{0} - 1;

struct eventfd_ctx {
    uint64_t count;
    bool semaphore;
    wait_queue_head wqh;  // its lock guards count
};

eventfd_ctx& ctx_of(const file& f) { return *static_cast<eventfd_ctx*>(f.private_data); }

// Takes the count, or one of it; 0 if there is none.
uint64_t take(eventfd_ctx& ctx) {
    const spinlock_guard guard(ctx.wqh.lock);
    const uint64_t taken = ctx.semaphore && ctx.count > 0 ? 1 : ctx.count;
    ctx.count -= taken;
    return taken;
}

bool add(eventfd_ctx& ctx, uint64_t by) {
    const spinlock_guard guard(ctx.wqh.lock);
    if (kMaxCount - ctx.count < by) return false;
    ctx.count += by;
    return true;
}

Result<size_t> eventfd_read(file& f, iov_iter& to, abi::loff_t&) {
    eventfd_ctx& ctx = ctx_of(f);
    uint64_t value = 0;
    if (to.count() < sizeof(value)) return Errno::Inval;
    value = take(ctx);
    if (value == 0) {
        if (f.nonblocking()) return Errno::Again;
        TRY(wait_event_interruptible(ctx.wqh, (value = take(ctx)) != 0));
    }
    wake_up_poll(ctx.wqh, abi::kPollOut);
    if (to.copy_to(&value, sizeof(value)) < sizeof(value)) return Errno::Fault;
    return sizeof(value);
}

Result<size_t> eventfd_write(file& f, iov_iter& from, abi::loff_t&) {
    eventfd_ctx& ctx = ctx_of(f);
    uint64_t value = 0;
    if (from.count() < sizeof(value)) return Errno::Inval;
    if (from.copy_from(&value, sizeof(value)) < sizeof(value)) return Errno::Fault;
    if (value == ~uint64_t{0}) return Errno::Inval;
    if (!add(ctx, value)) {
        if (f.nonblocking()) return Errno::Again;
        TRY(wait_event_interruptible(ctx.wqh, add(ctx, value)));
    }
    wake_up_poll(ctx.wqh, abi::kPollIn);
    return sizeof(value);
}

uint32_t eventfd_poll(file& f, poll_table* table) {
    eventfd_ctx& ctx = ctx_of(f);
    poll_wait(f, ctx.wqh, table);
    const spinlock_guard guard(ctx.wqh.lock);
    uint32_t events = 0;
    if (ctx.count > 0) events |= abi::kPollIn | abi::kPollRdNorm;
    if (ctx.count < kMaxCount) events |= abi::kPollOut | abi::kPollWrNorm;
    return events;
}

void eventfd_release(inode&, file& f) { delete &ctx_of(f); }

void eventfd_show_fdinfo(file& f, seq_file& m) {
    eventfd_ctx& ctx = ctx_of(f);
    const spinlock_guard guard(ctx.wqh.lock);
    m.printf("eventfd-count: %16lx\n", ctx.count);
}

constexpr file_operations kEventfdOperations{.llseek = noop_llseek,
                                             .read = eventfd_read,
                                             .write = eventfd_write,
                                             .poll = eventfd_poll,
                                             .release = eventfd_release,
                                             .show_fdinfo = eventfd_show_fdinfo};

}  // namespace

Result<long> sys_eventfd2(uint32_t count, uint32_t flags) {
    if ((flags & ~(kEfdSemaphore | abi::kONonBlock | abi::kOCloExec)) != 0) return Errno::Inval;
    auto ctx = TRY(make_owned<eventfd_ctx>());
    ctx->count = count;
    ctx->semaphore = (flags & kEfdSemaphore) != 0;
    const uint32_t file_flags = abi::kORdWr | (flags & (abi::kONonBlock | abi::kOCloExec));
    const long fd = TRY(anon_inode_getfd("[eventfd]", kEventfdOperations, ctx.get(), file_flags));
    (void)ctx.leak();
    return fd;
}

Result<long> sys_eventfd(uint32_t count) { return sys_eventfd2(count, 0); }

}  // namespace guest
