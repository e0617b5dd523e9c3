// kcmp: whether two tasks share something.
#include "guest/fs/fdtable.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

enum class Kcmp : int { File = 0, Vm = 1, Files = 2, Fs = 3, SigHand = 4, Io = 5, SysvSem = 6, EpollTfd = 7 };

// Both are alive, and current may look into them. tasklist_lock is held.
Result<const task_struct*> task_to_compare(int nr) {
    const task_struct* task = find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    return task;
}

// Where the object is, and not what it is: it may be gone already.
Result<const void*> object_of(const task_struct& task, Kcmp type, uint64_t fd) {
    switch (type) {
        case Kcmp::File: {
            if (!task.files || fd > 0x7fffffff) return Errno::BadF;
            const file* f = fget_raw(*task.files, static_cast<int>(fd)).get();
            if (f == nullptr) return Errno::BadF;
            return static_cast<const void*>(f);
        }
        case Kcmp::Vm:
            return static_cast<const void*>(task.mm.get());
        case Kcmp::Files:
            return static_cast<const void*>(task.files.get());
        case Kcmp::Fs:
            return static_cast<const void*>(task.fs.get());
        case Kcmp::SigHand:
            return static_cast<const void*>(task.sighand.get());
        case Kcmp::Io:
            return static_cast<const void*>(task.io_context.get());
        case Kcmp::SysvSem:
            return static_cast<const void*>(task.sysvsem.get());
        case Kcmp::EpollTfd:
            return Errno::OpNotSupp;
    }
    return Errno::Inval;
}

// An order that stays the same and does not tell where things are.
uint64_t obfuscated(const void* object) {
    return (reinterpret_cast<uint64_t>(object) ^ 0x5bd1e9955bd1e995u) * 0x9e3779b97f4a7c15u;
}

}  // namespace

// 0: one and the same; 1 and 2: the first is before or behind the second in an order of no meaning.
Result<long> sys_kcmp(int first, int second, int type, uint64_t first_fd, uint64_t second_fd) {
    const spinlock_guard guard(tasklist_lock);
    const task_struct& one = *TRY(task_to_compare(first));
    const task_struct& other = *TRY(task_to_compare(second));
    if (!ptrace_may_access(one) || !ptrace_may_access(other)) return Errno::Perm;
    const uint64_t mine = obfuscated(TRY(object_of(one, static_cast<Kcmp>(type), first_fd)));
    const uint64_t theirs = obfuscated(TRY(object_of(other, static_cast<Kcmp>(type), second_fd)));
    return mine == theirs ? 0 : mine < theirs ? 1 : 2;
}

}  // namespace guest
