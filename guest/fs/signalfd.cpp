// signalfd: the caller's pending signals, read as records.
#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal_sets.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

struct signalfd_ctx {
    sigset_t wanted;
};

signalfd_ctx& ctx_of(const file& f) { return *static_cast<signalfd_ctx*>(f.private_data); }

// Takes one of current's signals; 0 if there is none.
int take(const signalfd_ctx& ctx, siginfo& info) {
    task_struct& task = *current();
    const spinlock_guard guard(task.sighand->siglock);
    return dequeue_signal(&task, ctx.wanted, info);
}

bool is_fault(int sig) { return (abi::sig_bit(sig) & kSynchronousSignals) != 0; }

// What of siginfo is filled in depends on where the signal comes from.
abi::SignalfdSiginfo to_record(const siginfo& info) {
    abi::SignalfdSiginfo out{};
    out.signo = static_cast<uint32_t>(info.signo);
    out.error = info.error;
    out.code = info.code;
    if (info.code == abi::kSiTimer) {
        out.tid = static_cast<uint32_t>(info.timer.timer);
        out.overrun = static_cast<uint32_t>(info.timer.overrun);
        out.pointer = info.timer.value.pointer;
        out.number = info.timer.value.number;
        return out;
    }
    if (info.code > 0 && info.code != abi::kSiKernel && is_fault(info.signo)) {
        out.address = info.fault.address;
        return out;
    }
    out.pid = static_cast<uint32_t>(info.kill.pid);
    out.uid = info.kill.uid;
    if (info.code > 0 && info.signo == abi::kSigChld) {
        out.status = info.child.status;
        out.utime = static_cast<uint64_t>(info.child.utime);
        out.stime = static_cast<uint64_t>(info.child.stime);
    } else if (info.code < 0) {
        out.pointer = info.kill.value.pointer;
        out.number = info.kill.value.number;
    }
    return out;
}

Result<size_t> signalfd_read(file& f, iov_iter& to, abi::loff_t&) {
    const signalfd_ctx& ctx = ctx_of(f);
    if (to.count() < sizeof(abi::SignalfdSiginfo)) return Errno::Inval;
    size_t done = 0;
    while (to.count() >= sizeof(abi::SignalfdSiginfo)) {
        siginfo info{};
        int sig = take(ctx, info);
        if (sig == 0) {
            if (done > 0) break;
            if (f.nonblocking()) return Errno::Again;
            wait_queue_head& queue = current()->sighand->signalfd_wqh;
            TRY(wait_event_interruptible(queue, (sig = take(ctx, info)) != 0));
        }
        const abi::SignalfdSiginfo record = to_record(info);
        if (to.copy_to(&record, sizeof(record)) < sizeof(record))
            return done > 0 ? Result<size_t>(done) : Errno::Fault;
        done += sizeof(record);
    }
    return done;
}

uint32_t signalfd_poll(file& f, poll_table* table) {
    const task_struct& task = *current();
    poll_wait(f, task.sighand->signalfd_wqh, table);
    const spinlock_guard guard(task.sighand->siglock);
    const sigset_t pending = task.pending.signal | task.signal->shared_pending.signal;
    return (pending & ctx_of(f).wanted) != 0 ? abi::kPollIn | abi::kPollRdNorm : 0;
}

void signalfd_release(inode&, file& f) { delete &ctx_of(f); }

constexpr file_operations kSignalfdOperations{
    .llseek = noop_llseek, .read = signalfd_read, .poll = signalfd_poll, .release = signalfd_release};

// An open one gets another set.
Result<long> change_set(int fd, sigset_t wanted) {
    const RefPtr<file> f = TRY(current_file(fd));
    if (f->f_op != &kSignalfdOperations) return Errno::Inval;
    ctx_of(*f).wanted = wanted;
    wake_up_all(current()->sighand->signalfd_wqh);
    return fd;
}

}  // namespace

Result<long> sys_signalfd4(int fd, UserPtr<const abi::SigSet> set, size_t set_bytes, uint32_t flags) {
    if ((flags & ~(abi::kONonBlock | abi::kOCloExec)) != 0) return Errno::Inval;
    if (set_bytes != sizeof(abi::SigSet)) return Errno::Inval;
    const sigset_t wanted = TRY(get_user(set)) & ~kUnblockable;
    if (fd != -1) return change_set(fd, wanted);
    auto ctx = TRY(make_owned<signalfd_ctx>());
    ctx->wanted = wanted;
    const long made =
        TRY(anon_inode_getfd("[signalfd]", kSignalfdOperations, ctx.get(), abi::kORdWr | flags));
    (void)ctx.leak();
    return made;
}

Result<long> sys_signalfd(int fd, UserPtr<const abi::SigSet> set, size_t set_bytes) {
    return sys_signalfd4(fd, set, set_bytes, 0);
}

}  // namespace guest
