// process_madvise: advice on the memory of another process.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/iov_iter.hpp"
#include "guest/fs/user_segments.hpp"
#include "guest/kernel/pidfd.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// BadF, Srch, Perm.
Result<MmRef> mm_of_pidfd(int fd) {
    const RefPtr<file> f = TRY(current_file(fd));
    pid* of = pidfd_pid(*f);
    if (of == nullptr) return Errno::BadF;
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = pid_task(of, PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    if (!ptrace_may_access(*task)) return Errno::Perm;
    MmRef mm = get_task_mm(*task);
    if (!mm) return Errno::Srch;
    return mm;
}

// What changes nothing that the other could notice by its contents.
bool is_harmless(int advice) {
    const auto kind = static_cast<abi::Madvice>(advice);
    return kind == abi::Madvice::Cold || kind == abi::Madvice::PageOut || kind == abi::Madvice::WillNeed;
}

}  // namespace

Result<long> sys_process_madvise(int pidfd, UserPtr<const abi::Iovec> vec, uint64_t count, int advice,
                                 uint32_t flags) {
    if (flags != 0) return Errno::Inval;
    const UserSegments ranges = TRY(UserSegments::copy(vec, static_cast<int64_t>(count)));
    const MmRef mm = TRY(mm_of_pidfd(pidfd));
    if (mm.get() != current()->mm.get()) {
        if (!is_harmless(advice)) return Errno::Inval;
        if (!capable(kCapSysNice)) return Errno::Perm;
    }
    uint64_t done = 0;
    for (size_t i = 0; i < ranges.count(); ++i) {
        const abi::Iovec& range = ranges.data()[i];
        const Result<> advised = do_madvise(*mm, VirtAddr(range.iov_base), range.iov_len, advice);
        if (!advised) {
            if (done == 0) return advised.error();
            break;
        }
        done += range.iov_len;
    }
    return static_cast<long>(done);
}

}  // namespace guest
