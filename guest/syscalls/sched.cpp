// Scheduling.
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_policy.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

Result<long> sys_sched_yield() {
    sched_yield();
    return 0;
}

Result<long> sys_sched_getaffinity(int nr, uint32_t bytes, UserPtr<uint64_t> mask) {
    if (bytes < sizeof(uint64_t) || bytes % sizeof(uint64_t) != 0) return Errno::Inval;
    {
        const spinlock_guard guard(tasklist_lock);
        if (nr != 0 && find_task_by_vpid(nr) == nullptr) return Errno::Srch;
    }
    TRY(put_user(mask, uint64_t{1}));
    return long{sizeof(uint64_t)};
}

// One CPU: a mask with it in it changes nothing.
Result<long> sys_sched_setaffinity(int nr, uint32_t bytes, UserPtr<const uint8_t> mask) {
    uint8_t first = 0;
    if (bytes > 0) first = TRY(get_user(mask));
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = nr == 0 ? current() : find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    if (!check_same_owner(*task)) return Errno::Perm;
    if ((first & 1) == 0) return Errno::Inval;
    return 0;
}

// C libraries ask for restartable sequences at the start of every thread, and do without.
Result<long> sys_rseq(VirtAddr, uint32_t, int, uint32_t) { return Errno::NoSys; }

Result<long> sys_getcpu(UserPtr<uint32_t> cpu, UserPtr<uint32_t> node) {
    if (cpu) TRY(put_user(cpu, this_cpu().cpu));
    if (node) TRY(put_user(node, uint32_t{0}));
    return 0;
}

}  // namespace guest
