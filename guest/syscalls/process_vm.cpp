// process_vm_readv and process_vm_writev: copies between two address spaces.
#include "guest/fs/iov_iter.hpp"
#include "guest/fs/user_segments.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// Srch, Perm.
Result<MmRef> mm_to_access(pid_nr_t nr) {
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    TRY(ptrace_may_attach(*task));
    MmRef mm = get_task_mm(*task);
    if (!mm) return Errno::Srch;
    return mm;
}

// Page by page; how many bytes it came, fewer than `bytes` when either side ends or refuses.
size_t move_segment(mm_struct& mm, VirtAddr at, size_t bytes, iov_iter& local, Access access) {
    FaultFlags flags;
    flags.write = access == Access::Write;
    size_t done = 0;
    while (done < bytes && local.count() > 0) {
        const uint64_t room = kPageSize - at.page_offset();
        const size_t part = bytes - done < room ? bytes - done : room;
        Result<page*> frame = get_user_page(mm, at, flags);
        if (!frame) break;
        char* there = static_cast<char*>(page_address(frame.value())) + at.page_offset();
        const size_t moved = flags.write ? local.copy_from(there, part) : local.copy_to(there, part);
        put_page(frame.value());
        done += moved;
        if (moved < part) break;
        at += part;
    }
    return done;
}

struct VmCopy {
    UserPtr<const abi::Iovec> local;
    uint64_t locals;
    UserPtr<const abi::Iovec> remote;
    uint64_t remotes;
};

Result<long> process_vm(pid_nr_t nr, const VmCopy& call, uint64_t flags, Access access) {
    if (flags != 0) return Errno::Inval;
    const UserSegments here = TRY(UserSegments::copy(call.local, static_cast<int64_t>(call.locals)));
    iov_iter local(here.data(), here.count());
    if (local.count() == 0) return 0;
    const UserSegments there = TRY(UserSegments::copy(call.remote, static_cast<int64_t>(call.remotes)));
    if (iov_iter(there.data(), there.count()).count() == 0) return 0;
    const MmRef mm = TRY(mm_to_access(nr));
    size_t done = 0;
    for (size_t i = 0; i < there.count() && local.count() > 0; ++i) {
        const abi::Iovec& segment = there.data()[i];
        const size_t wanted = segment.iov_len < local.count() ? segment.iov_len : local.count();
        const size_t moved = move_segment(*mm, VirtAddr(segment.iov_base), wanted, local, access);
        done += moved;
        if (moved < wanted) return done > 0 ? Result<long>(static_cast<long>(done)) : Errno::Fault;
    }
    return static_cast<long>(done);
}

}  // namespace

Result<long> sys_process_vm_readv(int pid, UserPtr<const abi::Iovec> local, uint64_t locals,
                                  UserPtr<const abi::Iovec> remote, uint64_t remotes, uint64_t flags) {
    return process_vm(pid, {local, locals, remote, remotes}, flags, Access::Read);
}

Result<long> sys_process_vm_writev(int pid, UserPtr<const abi::Iovec> local, uint64_t locals,
                                   UserPtr<const abi::Iovec> remote, uint64_t remotes, uint64_t flags) {
    return process_vm(pid, {local, locals, remote, remotes}, flags, Access::Write);
}

}  // namespace guest
