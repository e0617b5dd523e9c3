// Robust futexes: the locks that a thread holds when it dies are marked, and one waiter each is woken. The
// list is the program's own memory: it is read with suspicion (man 2 get_robust_list).
#include "guest/kernel/futex.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint32_t kOwnerDied = 0x40000000, kWaiters = 0x80000000, kTidMask = 0x3fffffff;
constexpr unsigned kListLimit = 2048;

struct RobustListHead {
    uint64_t first;
    int64_t futex_offset;  // bytes from an entry to its lock word
    uint64_t pending;      // an entry that is just being linked or unlinked
};

// An entry's address has bit 0 set for a priority-inheriting lock, which we do not know.
uint64_t entry_address(uint64_t raw) { return raw & ~uint64_t{1}; }

void handle_futex_death(task_struct& task, uint64_t entry, int64_t offset) {
    const UserPtr<uint32_t> word(entry_address(entry) + static_cast<uint64_t>(offset));
    Result<uint32_t> value = get_user(word);
    if (!value || (value.value() & kTidMask) != static_cast<uint32_t>(task_pid_vnr(&task))) return;
    const uint32_t marked = (value.value() & kWaiters) | kOwnerDied;
    if (!put_user(word, marked)) return;
    if ((value.value() & kWaiters) != 0) futex_wake_address(word.cast<int32_t>(), 1);
}

}  // namespace

void exit_robust_list(task_struct& task) {
    const UserPtr<RobustListHead> where = task.robust_list.cast<RobustListHead>();
    task.robust_list = UserPtr<void>();
    if (!where || !task.mm) return;
    Result<RobustListHead> head = get_user(where);
    if (!head) return;
    const RobustListHead list = head.value();
    uint64_t entry = list.first;
    for (unsigned i = 0; i < kListLimit && entry_address(entry) != where.raw(); ++i) {
        // The next one first: waking may let its owner take this one away.
        Result<uint64_t> next = get_user(UserPtr<uint64_t>(entry_address(entry)));
        if (entry != list.pending) handle_futex_death(task, entry, list.futex_offset);
        if (!next) break;
        entry = next.value();
    }
    if (list.pending != 0) handle_futex_death(task, list.pending, list.futex_offset);
}

}  // namespace guest
